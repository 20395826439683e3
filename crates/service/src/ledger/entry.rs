//! One link of the chain, and the chain while it is proven.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Event, Head, LedgerError, Signers};
use crate::hash::{Hash, to_hex};
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

/// The hash before the first entry.
pub const GENESIS: Hash = Hash([0; 32]);
const DOMAIN: &str = "halflight ledger entry signature v1";

/// An event, its place, and the hash that ties it to everything before it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// 1 for the first entry.
    pub sequence: i64,
    /// Seconds since 1970.
    pub at: i64,
    /// The event as it was written: JSON, one line.
    pub text: String,
    /// Hash of the entry before; [`GENESIS`] for the first.
    pub previous: Hash,
    /// Hash of this one.
    pub hash: Hash,
    /// Who wrote it; none in entries from before they were signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<EntrySignature>,
}

/// A key, and its signature over the hash of an entry: `ed25519:KEY/SIGNATURE` as text.
#[derive(Clone, Debug, PartialEq)]
pub struct EntrySignature {
    /// Who signed.
    pub key: VerifyingKey,
    signature: [u8; 64],
}

impl Entry {
    /// The entry that follows `previous`, signed.
    pub(super) fn next(at: i64, event: &Event, previous: Head, key: &SigningKey) -> Self {
        let (sequence, text, previous) = (previous.sequence + 1, event.text(), previous.hash);
        let hash = chain(sequence, at, &text, previous);
        let signature = EntrySignature { key: key.verifying_key(), signature: key.sign(DOMAIN, &[&hash.0]) };
        Self { sequence, at, text, previous, hash, signature: Some(signature) }
    }

    /// The ledger's head with this entry as the last.
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash }
    }

    /// The event, once the entry has been shown to follow `previous` in place and hash. Who wrote it is for
    /// [`Chain::follow`] to say.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names what does not fit.
    pub fn check(&self, sequence: i64, previous: Hash) -> Result<Event, LedgerError> {
        let broken = |problem: String| LedgerError::Broken { sequence, problem };
        if self.sequence != sequence {
            return Err(broken(format!("is missing; the next one present is {}", self.sequence)));
        }
        if self.previous != previous {
            return Err(broken(format!("follows {}, but the entry before has hash {previous}", self.previous)));
        }
        if self.hash != chain(self.sequence, self.at, &self.text, self.previous) {
            return Err(broken("was changed: its hash does not fit its contents".into()));
        }
        serde_json::from_str(&self.text).map_err(|error| broken(format!("holds an event unknown here: {error}")))
    }
}

/// A chain that is proven entry by entry: places, hashes, and that a known key signed each.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    head: Head,
    signed: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self { head: Head::EMPTY, signed: false }
    }
}

impl Chain {
    /// A chain that goes on behind a signed entry that was proven before.
    pub(super) fn behind(head: Head) -> Self {
        Self { head, signed: head.sequence > 0 }
    }

    /// The last entry that was proven.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The event of the next entry, once it is shown to follow the last and to be signed by one of `signers`. Entries
    /// from before signatures hold only as far as a signed [`Event::Migrated`] follows them: see [`Chain::finish`].
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names what does not fit.
    pub fn follow(&mut self, entry: &Entry, signers: &Signers) -> Result<Event, LedgerError> {
        let event = entry.check(self.head.sequence + 1, self.head.hash)?;
        let broken = |problem: String| Err(LedgerError::Broken { sequence: entry.sequence, problem });
        let Some(EntrySignature { key, signature }) = &entry.signature else {
            if self.signed {
                return broken("is not signed: something else than the authority wrote it".into());
            }
            self.head = entry.head();
            return Ok(event);
        };
        if !signers.trusts(key) {
            return broken(format!(
                "is signed by {key}, which is neither this authority's ledger key nor named under [ledger] writers of \
                 its policy"
            ));
        }
        if key.verify(DOMAIN, &[&entry.hash.0], signature, "the entry").is_err() {
            return broken(format!("was not signed by {key}, as it says"));
        }
        let takes_over = matches!(event, Event::Migrated { .. });
        if takes_over != (!self.signed && self.head.sequence > 0) {
            return broken(match takes_over {
                true => "takes unsigned entries over, and there are none".into(),
                false => "follows entries that nobody signed and nobody took over".to_owned(),
            });
        }
        if let Event::Migrated { entries, hash } = &event
            && (*entries, *hash) != (self.head.sequence, self.head.hash)
        {
            return broken("takes other entries over than those before it".into());
        }
        *self = Self { head: entry.head(), signed: true };
        Ok(event)
    }

    /// That nothing unsigned is left.
    ///
    /// # Errors
    /// [`LedgerError::Broken`].
    pub fn finish(&self) -> Result<(), LedgerError> {
        if self.signed || self.head.sequence == 0 {
            return Ok(());
        }
        let problem = "is not signed, and no signed entry follows: something else than the authority wrote it".into();
        Err(LedgerError::Broken { sequence: self.head.sequence, problem })
    }
}

pub(super) fn chain(sequence: i64, at: i64, text: &str, previous: Hash) -> Hash {
    Hash::of("halflight ledger entry v1", &[&sequence.to_be_bytes(), &at.to_be_bytes(), text.as_bytes(), &previous.0])
}

impl fmt::Display for EntrySignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.key, to_hex(&self.signature))
    }
}

impl FromStr for EntrySignature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let (key, signature) = text.split_once('/').ok_or(SignatureError::Format)?;
        Ok(Self { key: key.parse()?, signature: parse_signature(signature)? })
    }
}

impl Serialize for EntrySignature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
