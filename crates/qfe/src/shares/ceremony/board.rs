//! The public state of a ceremony: its messages, checked as they arrive.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU16,
    sync::Arc,
};

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{
    Ceremony, CeremonyError, Outcome,
    definition::Purpose,
    outcome::Fault,
    proof::{self, Context},
};
use crate::{
    raw::{G1, G2, Scalar},
    shares::commitments::{evaluate, opens},
    wire::{Deal, Message, MessageBody, MessageHead, peek, read_message},
};

/// The steps of a ceremony, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Dealers commit to their dealings.
    Commit,
    /// Dealers publish them.
    Deal,
    /// Receivers complain of wrong shares, with the proof.
    Complain,
    /// Receivers confirm the result.
    Endorse,
    /// Nothing more is posted.
    Done,
}

/// A dealing as posted, and what is wrong with it.
pub(super) struct Dealt {
    pub(super) rows: Vec<Vec<G1>>,
    pub(super) right: Vec<G2>,
    pub(super) fault: Option<Fault>,
}

/// The bulletin board, and afterwards the transcript.
pub struct Board {
    pub(super) ceremony: Arc<Ceremony>,
    step: Step,
    /// All messages, by step and sender.
    posted: BTreeMap<(Step, u16), Vec<u8>>,
    commits: BTreeMap<u16, [u8; 32]>,
    pub(super) deals: BTreeMap<u16, Dealt>,
    /// Dealers that signed a wrong share, and for whom.
    pub(super) wrong: BTreeSet<(u16, u16)>,
    endorsed: BTreeMap<u16, [u8; 32]>,
}

brief!(Board { ceremony, step });

impl Board {
    /// An empty board in the first step.
    pub fn new(ceremony: Arc<Ceremony>) -> Self {
        Self {
            ceremony,
            step: Step::Commit,
            posted: BTreeMap::new(),
            commits: BTreeMap::new(),
            deals: BTreeMap::new(),
            wrong: BTreeSet::new(),
            endorsed: BTreeMap::new(),
        }
    }

    /// The current step.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Ends the current step: messages of it are refused from now on.
    pub fn end_step(&mut self) {
        self.step = match self.step {
            Step::Commit => Step::Deal,
            Step::Deal => Step::Complain,
            Step::Complain => Step::Endorse,
            Step::Endorse | Step::Done => Step::Done,
        };
    }

    /// Servers that posted in the current step.
    pub fn posted(&self) -> Vec<u16> {
        self.posted.range((self.step, 0)..=(self.step, u16::MAX)).map(|((_, server), _)| *server).collect()
    }

    /// Whether a dealer posted a commitment.
    pub fn has_committed(&self, dealer: u16) -> bool {
        self.commits.contains_key(&dealer)
    }

    /// Posts a public message; gives its sender. What is validly signed stands, even if what it says is wrong:
    /// that is what disqualifies its sender.
    ///
    /// # Errors
    /// It is not a message of this ceremony and step, not signed by its sender, or a second one of the same sender.
    pub fn post(&mut self, bytes: &[u8]) -> Result<u16, CeremonyError> {
        let (head, body) = open_message(&self.ceremony, bytes)?;
        let MessageHead { from, to, .. } = head;
        if to != 0 {
            return Err(CeremonyError::Receiver { found: to });
        }
        let step = step_of(&body);
        if step != Some(self.step) {
            return Err(CeremonyError::Late { server: from, step: self.step });
        }
        if matches!(self.step, Step::Commit | Step::Deal) && !self.ceremony.deals(from) {
            return Err(CeremonyError::LeftOut { server: from });
        }
        match self.posted.get(&(self.step, from)) {
            Some(known) if known == bytes => return Ok(from),
            Some(_) => return Err(CeremonyError::Equivocation { server: from }),
            None => {}
        }
        match body {
            MessageBody::Commit(digest) | MessageBody::Endorse(digest) => {
                let digests = if self.step == Step::Commit { &mut self.commits } else { &mut self.endorsed };
                digests.insert(from, digest);
            }
            MessageBody::Deal(deal) => {
                let Deal { rows, proof, right } = *deal;
                let fault = self.fault(from, bytes, &rows, &proof, right.as_ref());
                let right = right.map(|(points, _)| points).unwrap_or_default();
                self.deals.insert(from, Dealt { rows, right, fault });
            }
            MessageBody::Complain(wrong) => {
                let proven = wrong.iter().filter_map(|quoted| self.proves(from, quoted));
                let proven: Vec<u16> = proven.collect();
                self.wrong.extend(proven.into_iter().map(|dealer| (dealer, from)));
            }
            MessageBody::Deliver(_) => return Err(CeremonyError::Receiver { found: to }),
        }
        self.posted.insert((self.step, from), bytes.to_vec());
        Ok(from)
    }

    /// What is wrong with a dealing.
    fn fault(
        &self,
        dealer: u16,
        bytes: &[u8],
        rows: &[Vec<G1>],
        left_proof: &(G1, Scalar),
        right: Option<&(Vec<G2>, (G2, Scalar))>,
    ) -> Option<Fault> {
        match self.commits.get(&dealer) {
            None => return Some(Fault::Silent),
            Some(commit) if *commit != <[u8; 32]>::from(Sha256::digest(bytes)) => return Some(Fault::Commitment),
            Some(_) => {}
        }
        if rows.len() != self.ceremony.sharing.quorum() {
            return Some(Fault::Shape);
        }
        match &self.ceremony.purpose {
            Purpose::Generate { .. } if right.is_none() => return Some(Fault::Shape),
            Purpose::Reshare { .. } if right.is_some() => return Some(Fault::Shape),
            Purpose::Reshare { commitments, .. }
                if NonZeroU16::new(dealer).is_none_or(|dealer| commitments.at(dealer) != rows[0]) =>
            {
                return Some(Fault::OtherShare);
            }
            _ => {}
        }
        let context = |what| Context { session: &self.ceremony.session, dealer, what };
        let left = proof::holds(&context("s"), &rows[0], left_proof);
        let right = right.is_none_or(|(points, proof)| proof::holds(&context("t"), points, proof));
        (!left || !right).then_some(Fault::Proof)
    }

    /// The dealer that a quoted private message convicts: it signed, for this receiver, a share that its dealing
    /// does not promise. None where it proves nothing, so that nobody can be slandered.
    fn proves(&self, receiver: u16, quoted: &[u8]) -> Option<u16> {
        let (head, body) = open_message(&self.ceremony, quoted).ok()?;
        let MessageBody::Deliver(share) = body else { return None };
        let wrong = head.to == receiver && self.is_right(head.from, receiver, &share) == Some(false);
        wrong.then_some(head.from)
    }

    /// Whether a share is what a dealing promises its receiver; None without a dealing that counts, or for zero.
    pub(super) fn is_right(&self, dealer: u16, receiver: u16, share: &[Scalar]) -> Option<bool> {
        let dealt = self.deals.get(&dealer).filter(|dealt| dealt.fault.is_none())?;
        let receiver = NonZeroU16::new(receiver)?;
        Some(opens(&evaluate(&dealt.rows, receiver), share, &mut host::fresh_rng()))
    }

    /// Whether this is the dealing that was posted for a dealer.
    pub(super) fn has_dealing(&self, dealer: u16, message: &[u8]) -> bool {
        self.posted.get(&(Step::Deal, dealer)).is_some_and(|posted| posted == message)
    }

    /// SHA-256 of the session, all messages before endorsements, and the result.
    pub(super) fn digest(&self, outcome: &Outcome) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"halflight qfe transcript v1");
        hash.update(self.ceremony.session);
        for bytes in self.posted.range(..(Step::Endorse, 0)).map(|(_, bytes)| bytes) {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        hash.update(outcome.public.id().as_bytes());
        hash.update(Sha256::digest(outcome.commitments.to_bytes()));
        hash.finalize().into()
    }

    /// Checks the whole ceremony, as anybody can at any later time: the result follows from the messages, and
    /// all but `τ` of the receivers signed for it.
    ///
    /// # Errors
    /// Too few dealers qualified, or too few receivers endorsed this result.
    pub fn verify(&self) -> Result<Outcome, CeremonyError> {
        let outcome = self.outcome()?;
        let digest = self.digest(&outcome);
        let (same, other): (Vec<_>, Vec<_>) = self.endorsed.iter().partition(|(_, endorsed)| **endorsed == digest);
        let sharing = self.ceremony.sharing;
        let needed = usize::from(sharing.servers() - sharing.threshold());
        if same.len() < needed {
            let others = other.into_iter().map(|(server, _)| *server).collect();
            return Err(CeremonyError::Endorsements { found: same.len(), needed, others });
        }
        Ok(outcome)
    }

    /// All messages: each with its length before it, in the order of steps and senders.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for bytes in self.posted.values() {
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        out
    }

    /// Posts all messages of a transcript again, checking each.
    ///
    /// # Errors
    /// It is truncated, out of order, or has a message that cannot be posted.
    pub fn from_bytes(ceremony: Arc<Ceremony>, bytes: &[u8]) -> Result<Self, CeremonyError> {
        let mut board = Self::new(ceremony);
        let mut rest = bytes;
        while !rest.is_empty() {
            let damaged = CeremonyError::Transcript { place: bytes.len() - rest.len() };
            let message = rest
                .split_first_chunk::<8>()
                .and_then(|(length, rest)| rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?));
            let Some((message, after)) = message else { return Err(damaged) };
            let step = peek(message).ok().and_then(|header| step_of_number(header.units));
            while step.is_some_and(|step| board.step < step) {
                board.end_step();
            }
            board.post(message)?;
            rest = after;
        }
        board.step = Step::Done;
        Ok(board)
    }
}

/// Reads a message of this ceremony and checks its signature.
pub(super) fn open_message(ceremony: &Ceremony, bytes: &[u8]) -> Result<(MessageHead, MessageBody), CeremonyError> {
    // Before points are read: sizes of this ceremony only.
    let header = peek(bytes)?;
    if *header.public_key_id.as_bytes() != ceremony.session || (header.n, header.m) != ceremony.inputs() {
        return Err(CeremonyError::Session);
    }
    let Message { head, body, signature, signed } = read_message(bytes)?;
    let server = head.from;
    let by_receiver = matches!(body, MessageBody::Complain(_) | MessageBody::Endorse(_));
    let keys = if by_receiver { &ceremony.receivers } else { &ceremony.dealers };
    let key: Option<&VerifyingKey> = usize::from(server).checked_sub(1).and_then(|place| keys.get(place));
    let valid = key.is_some_and(|key| key.verify_strict(signed, &Signature::from_bytes(&signature)).is_ok());
    if valid { Ok((head, body)) } else { Err(CeremonyError::Signature { server }) }
}

fn step_of(body: &MessageBody) -> Option<Step> {
    step_of_number(body.step())
}

fn step_of_number(number: usize) -> Option<Step> {
    match number {
        1 => Some(Step::Commit),
        2 | 3 => Some(Step::Deal),
        4 => Some(Step::Complain),
        6 => Some(Step::Endorse),
        _ => None,
    }
}
