//! The transcript: how a public key was made, for anybody to check at any later time, without a secret.

use qfe::shares::ceremony::{Board, Outcome};

use super::minutes::{self, Reader};
use super::{AttendError, Definition, Mail, STEPS};
use crate::hash::Hash;
use crate::share::SharedKey;

const MAGIC: &[u8; 8] = b"HLtrans1";
/// Maximum size of a transcript, in bytes.
pub const MAX_TRANSCRIPT_BYTES: u64 = 2 << 30;

/// The definition, the minutes of every step, and the endorsements of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    definition: Vec<u8>,
    minutes: Vec<Vec<u8>>,
    endorsements: Vec<Vec<u8>>,
}

/// What a transcript proves.
#[derive(Debug)]
pub struct Verified {
    /// The definition.
    pub definition: Definition,
    /// SHA-256 of the definition, which every message carries.
    pub session: Hash,
    /// The key, and which dealers were disqualified and why.
    pub outcome: Outcome,
    /// Names of the servers that signed this result with all messages that led to it.
    pub endorsed: Vec<String>,
}

impl Transcript {
    pub(super) fn new(definition: Vec<u8>, minutes: Vec<Vec<u8>>, endorsements: Vec<Vec<u8>>) -> Self {
        Self { definition, minutes, endorsements }
    }

    /// The transcript in a store of messages, if the ceremony has ended there: all minutes, and enough endorsements.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn gather(definition: &Definition, mail: &dyn Mail) -> Result<Option<Self>, AttendError> {
        let get = |name: String| {
            let found = mail.get(&name, definition.most());
            found.map_err(|source| AttendError::Mail { name, source })
        };
        let minutes = (1..=STEPS).map(|step| get(format!("minutes-{step}"))).collect::<Result<Option<Vec<_>>, _>>()?;
        let Some(minutes) = minutes else { return Ok(None) };
        let mut gathered = Self::new(definition.to_bytes(), minutes, Vec::new());
        // Minutes that the clerk did not sign end nothing.
        let Ok((_, _, mut board)) = gathered.replay() else { return Ok(None) };
        for index in 1..=definition.servers().len() {
            let found = get(format!("endorse-{index}"))?;
            gathered.endorsements.extend(found.filter(|found| board.post(found).is_ok()));
        }
        Ok(board.verify().is_ok().then_some(gathered))
    }

    /// The definition, and the board of all steps that the minutes end.
    fn replay(&self) -> Result<(Definition, Hash, Board), AttendError> {
        let definition = Definition::from_bytes(&self.definition)?;
        let ceremony = definition.ceremony()?;
        let session = *ceremony.session();
        let mut board = Board::new(ceremony);
        let mut previous = Hash(session);
        for (step, bytes) in (1..).zip(&self.minutes) {
            minutes::apply(&definition, &session, step, previous, bytes, &mut board)?;
            previous = minutes::head(bytes);
        }
        Ok((definition, Hash(session), board))
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let parts = std::iter::once(&self.definition).chain(&self.minutes).chain(&self.endorsements);
        for part in parts {
            out.extend_from_slice(&(part.len() as u64).to_le_bytes());
            out.extend_from_slice(part);
        }
        out
    }

    /// Reads a transcript; [`Transcript::verify`] checks it.
    ///
    /// # Errors
    /// The bytes are not a transcript.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AttendError> {
        let bad = || AttendError::Transcript { problem: "it is damaged or not a transcript; fetch it again".into() };
        let mut rest = Reader(bytes);
        if rest.take(MAGIC.len()) != Some(MAGIC) {
            return Err(bad());
        }
        let mut parts = Vec::new();
        while !rest.0.is_empty() {
            parts.push(rest.sized().ok_or_else(bad)?.to_vec());
        }
        if parts.len() < 1 + usize::from(STEPS) {
            return Err(bad());
        }
        let endorsements = parts.split_off(1 + usize::from(STEPS));
        let minutes = parts.split_off(1);
        Ok(Self { definition: parts.swap_remove(0), minutes, endorsements })
    }

    /// Checks everything: each message's signature, the chain of minutes, every dealing and every complaint, the public
    /// key and the commitments that follow, and that all but the threshold of the servers signed for them.
    ///
    /// The reader must compare the keys in the definition: a transcript of strangers verifies, too.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self) -> Result<Verified, AttendError> {
        let (definition, session, mut board) = self.replay()?;
        for endorsement in &self.endorsements {
            board.post(endorsement)?;
        }
        let endorsed = board.posted();
        let outcome = board.verify()?;
        let name = |index: &u16| definition.servers()[usize::from(*index) - 1].name.clone();
        let endorsed = endorsed.iter().map(name).collect();
        Ok(Verified { session, outcome, endorsed, definition })
    }
}

impl Verified {
    /// The key, with the commitments to its shares.
    ///
    /// # Errors
    /// They do not fit each other, which cannot happen for an outcome.
    pub fn key(&self) -> Result<SharedKey, AttendError> {
        let Outcome { public, commitments, .. } = &self.outcome;
        SharedKey::new(public.clone(), commitments.clone())
            .map_err(|error| AttendError::Transcript { problem: error.to_string() })
    }

    /// Checks that this ceremony renewed the shares that `before` made.
    ///
    /// # Errors
    /// It made a new key, or renewed other shares.
    pub fn follows(&self, before: &Self) -> Result<(), AttendError> {
        let other = |problem: &str| Err(AttendError::Transcript { problem: problem.into() });
        let Some(renewed) = self.definition.renewed()? else {
            return other("it makes a new key and renews none: it comes first");
        };
        if renewed != before.key()? {
            return other("it renews other shares than the transcript before it made");
        }
        if self.definition.holders() != before.definition.servers() {
            return other("it names other holders than the transcript before it");
        }
        Ok(())
    }
}
