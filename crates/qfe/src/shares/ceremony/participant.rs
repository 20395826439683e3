//! One server in a ceremony: its messages in each step, and its stored state.

use std::{collections::BTreeMap, num::NonZeroU16, sync::Arc};

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand::CryptoRng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Board, Ceremony, CeremonyError, Outcome,
    board::open_message,
    definition::Purpose,
    proof::{self, Context},
};
use crate::{
    raw::{Coordinate, Fp2, Scalar},
    shares::{KeyShare, Polynomial, Seat, commitments::commit, lagrange},
    wire::{Deal, MessageBody, MessageHead, write_message},
};

/// A dealer's messages of the second step.
#[allow(missing_debug_implementations)] // secret
pub struct Dealing {
    /// For the board.
    pub public: Vec<u8>,
    /// For one receiver each, by index: shares, to be sealed for it before they leave this process, and to be sent
    /// only once the board has taken `public`. A share that does not fit the posted dealing may be published.
    pub private: Vec<(u16, Zeroizing<Vec<u8>>)>,
}

/// What a server has at the end.
pub struct Finished {
    /// The public result.
    pub outcome: Outcome,
    /// Its share, if it is a receiver.
    pub share: Option<KeyShare>,
    /// For the board, if it is a receiver.
    pub endorsement: Option<Vec<u8>>,
}

brief!(Finished { outcome });

/// A dealer's secret polynomial and its dealing.
pub(super) struct Dealer {
    pub(super) index: u16,
    pub(super) polynomial: Polynomial<Scalar>,
    pub(super) message: Vec<u8>,
}

/// One server in one ceremony. Secrets are erased when it is dropped.
#[allow(missing_debug_implementations)] // secret
pub struct Participant {
    ceremony: Arc<Ceremony>,
    signing: SigningKey,
    pub(super) dealer: Option<Dealer>,
    pub(super) receiver: Option<u16>,
    received: BTreeMap<u16, Zeroizing<Vec<Scalar>>>,
    /// Wrong messages, by dealer.
    pub(super) wrong: BTreeMap<u16, Vec<u8>>,
}

impl Participant {
    /// The server whose Ed25519 key this is. To reshare, a server that holds a share gives it and deals;
    /// one that lost it only receives.
    ///
    /// Draws everything secret; its part of `t` is erased before this returns.
    ///
    /// # Errors
    /// The key belongs to no server of this ceremony, or the share does not match this server's commitment.
    pub fn new(
        ceremony: Arc<Ceremony>,
        signing_key: &[u8; 32],
        share: Option<&KeyShare>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, CeremonyError> {
        let mut participant = Self::receiver(ceremony, SigningKey::from_bytes(signing_key))?;
        let dealer = participant.place(&participant.ceremony.dealers);
        if let Some(index) = dealer.filter(|&index| participant.ceremony.deals(index)) {
            participant.dealer = participant.deal_of(index, share, rng)?;
        }
        Ok(participant)
    }

    /// A participant that has not dealt.
    pub(super) fn receiver(ceremony: Arc<Ceremony>, signing: SigningKey) -> Result<Self, CeremonyError> {
        let (received, wrong) = (BTreeMap::new(), BTreeMap::new());
        let mut participant = Self { ceremony, signing, dealer: None, receiver: None, received, wrong };
        participant.receiver = participant.place(&participant.ceremony.receivers);
        if participant.receiver.is_none() && participant.place(&participant.ceremony.dealers).is_none() {
            return Err(CeremonyError::Stranger);
        }
        Ok(participant)
    }

    /// The index of this server among some.
    pub(super) fn place(&self, servers: &[VerifyingKey]) -> Option<u16> {
        let own = self.signing.verifying_key();
        servers.iter().position(|key| *key == own).map(|place| place as u16 + 1)
    }

    fn deal_of(
        &self,
        index: u16,
        share: Option<&KeyShare>,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<Dealer>, CeremonyError> {
        let ceremony = self.ceremony.clone();
        let draw = |count: usize, rng: &mut _| -> Zeroizing<Vec<Scalar>> {
            let mut scalars = Zeroizing::new(Vec::with_capacity(count));
            scalars.extend((0..count).map(|_| Scalar::random(rng)));
            scalars
        };
        let context = |what| Context { session: &ceremony.session, dealer: index, what };
        let (secret, right) = match &ceremony.purpose {
            Purpose::Generate { inputs: (n, m) } => {
                let secret = draw(*n, rng);
                let t = draw(*m, rng);
                let g2 = Fp2::generator();
                let points: Vec<_> = t.par_iter().map(|t| Fp2::scalar_mul(&g2, t)).collect();
                let proof = proof::prove(&context("t"), &points, &t, rng);
                (secret, Some((points, proof)))
            }
            Purpose::Reshare { commitments, .. } => {
                let Some(share) = share else { return Ok(None) };
                share.verify(commitments)?;
                if share.seat().index != index {
                    return Err(CeremonyError::Receiver { found: share.seat().index });
                }
                (Zeroizing::new(share.s.clone()), None)
            }
        };
        let polynomial = Polynomial::random(&secret, ceremony.sharing.threshold(), rng);
        let rows = commit(&polynomial);
        let proof = proof::prove(&context("s"), &rows[0], &secret, rng);
        let message = self.message(index, 0, &MessageBody::Deal(Box::new(Deal { rows, proof, right }))).to_vec();
        Ok(Some(Dealer { index, polynomial, message }))
    }

    pub(super) fn message(&self, from: u16, to: u16, body: &MessageBody) -> Zeroizing<Vec<u8>> {
        let head = MessageHead { session: self.ceremony.session, inputs: self.ceremony.inputs(), from, to };
        write_message(&head, body, |bytes| self.signing.sign(bytes).to_bytes())
    }

    /// Step 1: the commitment of a dealer.
    pub fn commit(&self) -> Option<Vec<u8>> {
        let dealer = self.dealer.as_ref()?;
        let digest = Sha256::digest(&dealer.message).into();
        Some(self.message(dealer.index, 0, &MessageBody::Commit(digest)).to_vec())
    }

    /// Step 2: the dealing of a dealer, once the board's first step has ended.
    pub fn deal(&self) -> Option<Dealing> {
        let dealer = self.dealer.as_ref()?;
        let private = |to: NonZeroU16| (to.get(), self.private(dealer, to));
        let receivers = self.ceremony.sharing.indices();
        Some(Dealing { public: dealer.message.clone(), private: receivers.map(private).collect() })
    }

    fn private(&self, dealer: &Dealer, to: NonZeroU16) -> Zeroizing<Vec<u8>> {
        self.message(dealer.index, to.get(), &MessageBody::Deliver(dealer.polynomial.at(to)))
    }

    /// The private message for one receiver once more, byte for byte, for one whose first was lost. Seal it for that
    /// receiver, whoever asks. None when `to` is not a receiver, or the board does not have this dealer's dealing.
    pub fn deliver_again(&self, board: &Board, to: u16) -> Option<Zeroizing<Vec<u8>>> {
        let dealer = self.dealer.as_ref()?;
        let to = NonZeroU16::new(to).filter(|to| to.get() <= self.ceremony.sharing.servers())?;
        board.has_dealing(dealer.index, &dealer.message).then(|| self.private(dealer, to))
    }

    /// Takes a private message, after the dealing that it belongs to was posted; in any later step, too.
    ///
    /// # Errors
    /// It is not a message for this server, its dealing is missing or excluded, or its share is wrong: then it is kept
    /// as the proof for a complaint.
    pub fn receive(&mut self, board: &Board, bytes: &[u8]) -> Result<(), CeremonyError> {
        let (head, body) = open_message(&self.ceremony, bytes)?;
        let MessageBody::Deliver(share) = body else { return Err(CeremonyError::Receiver { found: head.to }) };
        if self.receiver != Some(head.to) {
            return Err(CeremonyError::Receiver { found: head.to });
        }
        match board.is_right(head.from, head.to, &share) {
            None => Err(CeremonyError::NoDealing { server: head.from }),
            Some(false) => {
                self.wrong.insert(head.from, bytes.to_vec());
                Err(CeremonyError::WrongShare { server: head.from })
            }
            Some(true) => {
                self.received.insert(head.from, share);
                Ok(())
            }
        }
    }

    /// Dealers whose share has not come to this receiver: ask each for [`Participant::deliver_again`]. Nobody
    /// complains of these, because an answer in the open would be a share that everybody has.
    pub fn missing(&self, board: &Board) -> Vec<u16> {
        let counts = board.deals.iter().filter(|(_, dealt)| dealt.fault.is_none()).map(|(dealer, _)| *dealer);
        let has = |dealer: &u16| self.received.contains_key(dealer) || self.wrong.contains_key(dealer);
        let missing = counts.filter(|dealer| !has(dealer));
        if self.receiver.is_some() { missing.collect() } else { Vec::new() }
    }

    /// Step 3: the complaint of a receiver, if dealers sent it wrong shares: their messages, whole, which prove it.
    /// A dealer that follows the protocol signs none, so nothing of its is ever published.
    pub fn complain(&self) -> Option<Vec<u8>> {
        let receiver = self.receiver?;
        let wrong: Vec<Vec<u8>> = self.wrong.values().cloned().collect();
        (!wrong.is_empty()).then(|| self.message(receiver, 0, &MessageBody::Complain(wrong)).to_vec())
    }

    /// Step 4: the result, and this server's share of it, checked against the commitments.
    ///
    /// # Errors
    /// Too few dealers qualified, or a share of a qualified one is missing.
    pub fn finish(&self, board: &Board) -> Result<Finished, CeremonyError> {
        let outcome = board.outcome()?;
        let Some(index) = self.receiver else { return Ok(Finished { outcome, share: None, endorsement: None }) };
        let factors: Vec<Scalar> = match &self.ceremony.purpose {
            Purpose::Generate { .. } => vec![Scalar::from_i64(1); outcome.qualified.len()],
            Purpose::Reshare { .. } => lagrange(&outcome.qualified),
        };
        let mut s = Zeroizing::new(vec![Scalar::default(); self.ceremony.inputs().0]);
        for (&dealer, factor) in outcome.qualified.iter().zip(&factors) {
            let share = self.received.get(&dealer).ok_or(CeremonyError::MissingShare { server: dealer })?;
            s.iter_mut().zip(share.iter()).for_each(|(sum, part)| *sum = sum.add(&part.mul(factor)));
        }
        let seat = Seat { index, ..*outcome.commitments.seat() };
        let share = KeyShare { s: std::mem::take(&mut *s), right_inputs: self.ceremony.inputs().1, seat };
        share.verify(&outcome.commitments)?;
        let endorsement = self.message(index, 0, &MessageBody::Endorse(board.digest(&outcome))).to_vec();
        Ok(Finished { outcome, share: Some(share), endorsement: Some(endorsement) })
    }
}
