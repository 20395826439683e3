//! One server's part of a functional key.

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Seat, SeatError};
use crate::{QuadraticMap, raw::G2, verify::VerifyError};

/// `K_j(i) = Σ_k D_jk · (P_k·s(i)) · [R_k·t]₂` for every output `j`, of server `i`.
#[derive(Clone, PartialEq, Eq)]
pub struct PartialKey {
    pub(crate) seat: Seat,
    pub(crate) inputs: (usize, usize),
    pub(crate) units: usize,
    /// SHA-256 of the function.
    pub(crate) function: [u8; 32],
    pub(crate) values: Vec<G2>,
}

brief!(PartialKey { seat, inputs, units });

impl PartialKey {
    /// Key, epoch, sharing and server.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// SHA-256 of the function: see [`PartialKey::is_of`].
    pub fn function(&self) -> &[u8; 32] {
        &self.function
    }

    /// Whether it is said to be of this function.
    pub fn is_of(&self, map: &QuadraticMap) -> bool {
        self.function == digest_of(map)
    }
}

/// Why a partial key is refused.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartialError {
    /// Another public key, epoch or sharing.
    #[error(transparent)]
    Seat(#[from] SeatError),
    /// No server has this index.
    #[error("no server has index {index}: indices are 1 to {servers}")]
    Index {
        /// The index.
        index: u16,
        /// Servers.
        servers: u16,
    },
    /// A second one of the same server.
    #[error("the server has answered already: give one partial key of each")]
    Twice,
    /// Another function.
    #[error("it is of another function: ask the server for the right one")]
    Function,
    /// It is not what the commitments demand.
    #[error("the server's answer is wrong: {0}")]
    Wrong(VerifyError),
}

/// The digest by which partial keys name their function.
pub(crate) fn digest_of(map: &QuadraticMap) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"halflight qfe function v1");
    let (n, m) = map.inputs();
    for dimension in [n, m, map.units(), map.outputs()] {
        hash.update((dimension as u32).to_le_bytes());
    }
    for weights in [map.left(), map.right(), map.combine()] {
        weights.iter().for_each(|weight| hash.update(weight.to_le_bytes()));
    }
    hash.finalize().into()
}
