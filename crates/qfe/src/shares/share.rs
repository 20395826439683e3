//! One server's share: dealt, checked, used to issue.

use std::num::NonZeroU16;

use rand::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    Commitments, PartialKey, Polynomial, Seat, SeatError, Sharing,
    commitments::{commit, opens},
    digest_of,
};
use crate::{
    QuadraticMap,
    issue::open,
    keys::{KeyError, MasterKey, PublicKey},
    raw::Scalar,
    verify::right_units,
};

/// Why a share cannot be made or used.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareError {
    /// Impossible numbers of servers.
    #[error(
        "{servers} servers with threshold {threshold}: choose 1 to {} servers and a threshold below their number",
        Sharing::MAX_SERVERS
    )]
    Sharing {
        /// Servers.
        servers: u16,
        /// Threshold.
        threshold: u16,
    },
    /// The share and another object do not belong together.
    #[error("the share does not fit: {0}")]
    Seat(#[from] SeatError),
    /// The share is not what the commitments say.
    #[error("share of server {index}: it does not match the commitments; ask the dealer for it again")]
    Wrong {
        /// The server.
        index: u16,
    },
    /// The function does not take the inputs of the key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A server's share `s(i)` of the master key; erased from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
#[allow(missing_debug_implementations)] // secret
pub struct KeyShare {
    pub(crate) s: Vec<Scalar>,
    #[zeroize(skip)]
    pub(crate) right_inputs: usize,
    #[zeroize(skip)]
    pub(crate) seat: Seat,
}

impl MasterKey {
    /// Shares the key among servers: the dealer's way, where one machine holds everything for a
    /// moment. Drop the master key afterwards, and give every server its share over a channel that is
    /// authenticated and encrypted.
    ///
    /// # Errors
    /// The public key is not this master's.
    pub fn share(
        &self,
        public: &PublicKey,
        sharing: Sharing,
        rng: &mut impl CryptoRng,
    ) -> Result<(Commitments, Vec<KeyShare>), ShareError> {
        if public.id() != self.id {
            return Err(SeatError::PublicKey { found: public.id(), expected: self.id }.into());
        }
        let polynomial = Polynomial::random(&self.s, sharing.threshold, rng);
        let mut rows = commit(&Polynomial { coefficients: polynomial.coefficients[1..].to_vec() });
        rows.insert(0, public.s.clone());
        let seat = Seat { public_key_id: self.id, epoch: 0, sharing, index: 0 };
        let share = |index: NonZeroU16| KeyShare {
            s: std::mem::take(&mut *polynomial.at(index)),
            right_inputs: self.t.len(),
            seat: Seat { index: index.get(), ..seat },
        };
        Ok((Commitments::new(seat, self.t.len(), rows), sharing.indices().map(share).collect()))
    }
}

impl KeyShare {
    /// Key, epoch, sharing and server.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// Inputs `(n, m)` of the key.
    pub fn inputs(&self) -> (usize, usize) {
        (self.s.len(), self.right_inputs)
    }

    /// Whether the share is the one that the commitments promise this server.
    ///
    /// # Errors
    /// It is of another key, epoch or sharing, or wrong (which escapes with probability `2^−128`).
    pub fn verify(&self, commitments: &Commitments) -> Result<(), ShareError> {
        self.seat.fits(&commitments.seat)?;
        let index = self.seat.index;
        let right = |index| opens(&commitments.at(index), &self.s, &mut host::fresh_rng());
        if NonZeroU16::new(index).is_some_and(right) { Ok(()) } else { Err(ShareError::Wrong { index }) }
    }

    /// This server's part of the functional key of `map`, for every output.
    ///
    /// `τ + 1` such answers open `map` on every ciphertext of the public key, past and future. Constant-time
    /// in the share.
    ///
    /// # Errors
    /// The public key is another one, or the function takes other inputs.
    pub fn issue(&self, public: &PublicKey, map: &QuadraticMap) -> Result<PartialKey, ShareError> {
        let (found, expected) = (public.id(), self.seat.public_key_id);
        if found != expected {
            return Err(SeatError::PublicKey { found, expected }.into());
        }
        if map.inputs() != self.inputs() {
            return Err(KeyError::Inputs { function: map.inputs(), key: self.inputs() }.into());
        }
        let values = open(map, &self.s, &right_units(public, map)).to_vec();
        Ok(PartialKey { seat: self.seat, inputs: self.inputs(), units: map.units(), function: digest_of(map), values })
    }
}
