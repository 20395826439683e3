//! Keys without a single holder of the master key.
//!
//! A functional key is linear in `s`, because `[R_k·t]₂ = Σ_i R_ki·[t_i]₂` follows from the public key:
//!
//! ```math
//! K_j = [f_j(s, t)]_2 = \sum_k D_{jk} \, (P_k \cdot s) \, [R_k \cdot t]_2
//! ```
//!
//! So `s` is shared among `n` servers by polynomials of degree `τ` ([`Sharing`]), server `i` holds
//! `s(i)` ([`KeyShare`]) and answers with the same formula on its share ([`PartialKey`]). Any
//! `τ + 1` right answers give the key: `K_j = Σ_i λ_i K_j(i)` with Lagrange's coefficients ([`Combiner`]). It is
//! byte for byte the key of a single master. Nobody needs `t` to issue; it is erased after setup.
//!
//! [`Commitments`] `[a_l]₁` to the coefficients of the polynomial are public (Feldman 1987). They give
//! `[s(i)]₁ = Σ_l i^l·[a_l]₁`, against which anybody can check server `i`'s answer, as a functional key is checked
//! against `[s]₁`. A lying server is identified, and another's answer used.
//!
//! # Where shares come from
//!
//! - [`MasterKey::share`](crate::MasterKey::share): one machine makes a master key, shares it and forgets it. The weaker
//!   way: that machine held everything for a moment.
//! - [`ceremony`]: the servers draw the key together and nobody ever holds it. The same protocol
//!   moves a key to other servers, renews shares, and gives a server back what it lost.
//!
//! Shares belong to an *epoch*. A renewal makes shares of the next one, which cannot be combined with the old ones;
//! partial keys state their epoch and are never mixed.
//!
//! # What is secret
//!
//! Shares, and messages that carry them; a ceremony publishes none of an honest dealer. They are erased when dropped, have neither `Debug` nor
//! `Clone`, and nothing here takes time that depends on them. `τ` shares and everything public
//! fit every `s`; `τ + 1` shares in one hand open everything that was ever encrypted under the
//! public key. `t` must not leak either, although it issues nothing: who knows it finds `c` with `c·t = 0`
//! and tests ratios of `c·v` in a ciphertext.

pub mod ceremony;
mod combine;
mod commitments;
mod partial;
mod polynomial;
mod share;

use std::num::NonZeroU16;

use thiserror::Error;

pub use combine::{CombineError, Combined, Combiner, Refusal};
pub use commitments::Commitments;
pub(crate) use partial::digest_of;
pub use partial::{PartialError, PartialKey};
pub(crate) use polynomial::{Polynomial, lagrange};
pub use share::{KeyShare, ShareError};

use crate::keys::PublicKeyId;

/// How a key is shared: `servers` hold shares, `threshold` of them learn nothing, one more can issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sharing {
    servers: u16,
    threshold: u16,
}

impl Sharing {
    /// Maximum number of servers.
    pub const MAX_SERVERS: u16 = 255;

    /// `servers` from 1 to 255, `threshold` below `servers`; the single master key is `(1, 0)`.
    ///
    /// # Errors
    /// Numbers outside these ranges.
    pub fn new(servers: u16, threshold: u16) -> Result<Self, ShareError> {
        if servers == 0 || servers > Self::MAX_SERVERS || threshold >= servers {
            return Err(ShareError::Sharing { servers, threshold });
        }
        Ok(Self { servers, threshold })
    }

    /// Servers `n`; their indices are 1 to `n`.
    pub fn servers(&self) -> u16 {
        self.servers
    }

    /// The indices of the servers. Zero is none: there the polynomial has the secret.
    pub(crate) fn indices(&self) -> impl Iterator<Item = NonZeroU16> + use<> {
        (1..=self.servers).filter_map(NonZeroU16::new)
    }

    /// `τ`: as many shares say nothing.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// Servers that issue together: `τ + 1`.
    pub fn quorum(&self) -> usize {
        usize::from(self.threshold) + 1
    }
}

/// Which share something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The public key.
    pub public_key_id: PublicKeyId,
    /// Counts renewals, from zero.
    pub epoch: u64,
    /// Servers and threshold.
    pub sharing: Sharing,
    /// The server, from 1; zero for what belongs to all.
    pub index: u16,
}

/// Why two things do not belong together.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeatError {
    /// Another public key.
    #[error("it belongs to public key {found}, not to {expected}: ask for the key of this one")]
    PublicKey {
        /// Public key found.
        found: PublicKeyId,
        /// Public key expected.
        expected: PublicKeyId,
    },
    /// Another epoch.
    #[error("it is of epoch {found}, not of {expected}: shares were renewed; ask again with those of epoch {expected}")]
    Epoch {
        /// Epoch found.
        found: u64,
        /// Epoch expected.
        expected: u64,
    },
    /// Another number of servers or threshold.
    #[error("it is of a sharing among {} servers with threshold {}, not {} with {}", found.servers, found.threshold, expected.servers, expected.threshold)]
    Sharing {
        /// Sharing found.
        found: Sharing,
        /// Sharing expected.
        expected: Sharing,
    },
}

impl Seat {
    /// Whether both are of one sharing of one key, whatever the server.
    pub(crate) fn fits(&self, expected: &Self) -> Result<(), SeatError> {
        let (found, wanted) = (self.public_key_id, expected.public_key_id);
        if found != wanted {
            return Err(SeatError::PublicKey { found, expected: wanted });
        }
        if self.epoch != expected.epoch {
            return Err(SeatError::Epoch { found: self.epoch, expected: expected.epoch });
        }
        if self.sharing != expected.sharing {
            return Err(SeatError::Sharing { found: self.sharing, expected: expected.sharing });
        }
        Ok(())
    }
}
