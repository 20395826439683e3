//! Keys: setup and the issue of functional keys.
//!
//! - master key: `s ∈ Z_r^n`, `t ∈ Z_r^m`, uniform;
//! - public key: `[s_i]₁ = s_i·g1` and `[t_j]₂ = t_j·g2`;
//! - functional key of `f`: `[f_j(s, t)]₂` for each output `j`, with `f` in the clear.
//!
//! Functional keys are linear in `f`: whoever holds keys of `f` and `f'` can make
//! the key of `a·f + b·f'`. Everything here is constant-time in the master key.

use std::fmt;

use rand::CryptoRng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    QuadraticMap,
    issue::{open, project},
    raw::{Coordinate, Fp, Fp2, G1, G2, Scalar},
};

/// The suite of all objects of this version: BLS12-381.
pub const SUITE: u16 = 1;

/// The identity of a public key: SHA-256 of its dimensions and points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKeyId(pub(crate) [u8; 32]);

impl PublicKeyId {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// An identity from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for PublicKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKeyId({self})")
    }
}

/// Why keys cannot be made.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// A vector length is zero or too large.
    #[error("{field} is {value}: must be from 1 to {}", QuadraticMap::MAX_INPUTS)]
    Dimension {
        /// `n` or `m`.
        field: &'static str,
        /// Its value.
        value: usize,
    },
    /// The function does not take the inputs that the key encrypts.
    #[error(
        "the function takes {function:?} inputs (n, m), but the key encrypts {key:?}: compile the function for \
         the key's encoder"
    )]
    Inputs {
        /// `(n, m)` of the function.
        function: (usize, usize),
        /// `(n, m)` of the key.
        key: (usize, usize),
    },
}

/// The authority's secret; erased from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
#[allow(missing_debug_implementations)] // secret
pub struct MasterKey {
    pub(crate) s: Vec<Scalar>,
    pub(crate) t: Vec<Scalar>,
    #[zeroize(skip)]
    pub(crate) id: PublicKeyId,
}

/// The owner's key: it encrypts, and reveals nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) s: Vec<G1>,
    pub(crate) t: Vec<G2>,
    pub(crate) id: PublicKeyId,
}

brief!(PublicKey { id });

/// The predictor's key: it opens the outputs of one function and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct FunctionalKey {
    pub(crate) map: QuadraticMap,
    pub(crate) values: Vec<G2>,
    pub(crate) id: PublicKeyId,
}

brief!(FunctionalKey { id });

/// Draws a master key and its public key for vectors of `n` and `m` coordinates.
///
/// # Errors
/// `n` or `m` is zero or more than [`QuadraticMap::MAX_INPUTS`].
pub fn setup(n: usize, m: usize, rng: &mut impl CryptoRng) -> Result<(MasterKey, PublicKey), KeyError> {
    for (field, value) in [("n", n), ("m", m)] {
        if value == 0 || value > QuadraticMap::MAX_INPUTS {
            return Err(KeyError::Dimension { field, value });
        }
    }
    let mut draw = |count: usize| -> Vec<Scalar> {
        let mut scalars = Vec::with_capacity(count);
        scalars.extend((0..count).map(|_| Scalar::random(rng)));
        scalars
    };
    let (s, t) = (draw(n), draw(m));
    let (g1, g2) = (Fp::generator(), Fp2::generator());
    let public = PublicKey::new(
        s.par_iter().map(|s| Fp::scalar_mul(&g1, s)).collect(),
        t.par_iter().map(|t| Fp2::scalar_mul(&g2, t)).collect(),
    );
    let master = MasterKey { s, t, id: public.id };
    Ok((master, public))
}

impl PublicKey {
    /// A key from subgroup points.
    pub(crate) fn new(s: Vec<G1>, t: Vec<G2>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"halflight qfe public key v1");
        hash.update(SUITE.to_le_bytes());
        hash.update((s.len() as u32).to_le_bytes());
        hash.update((t.len() as u32).to_le_bytes());
        let mut bytes = [0u8; 192];
        for point in &s {
            Fp::serialize(point, false, &mut bytes[..96]);
            hash.update(&bytes[..96]);
        }
        for point in &t {
            Fp2::serialize(point, false, &mut bytes);
            hash.update(bytes);
        }
        Self { s, t, id: PublicKeyId(hash.finalize().into()) }
    }

    /// The key's identity, which ciphertexts and functional keys name.
    pub fn id(&self) -> PublicKeyId {
        self.id
    }

    /// Inputs `(n, m)` that it encrypts.
    pub fn inputs(&self) -> (usize, usize) {
        (self.s.len(), self.t.len())
    }
}

impl MasterKey {
    /// The identity of the public key.
    pub fn id(&self) -> PublicKeyId {
        self.id
    }

    /// Inputs `(n, m)`.
    pub fn inputs(&self) -> (usize, usize) {
        (self.s.len(), self.t.len())
    }

    /// The functional key of `map`: `[f_j(s, t)]₂` for every output.
    ///
    /// It opens `map` on every ciphertext, past and future, of this public key.
    ///
    /// # Errors
    /// The function does not take the inputs that the key encrypts.
    pub fn issue(&self, map: &QuadraticMap) -> Result<FunctionalKey, KeyError> {
        if map.inputs() != self.inputs() {
            return Err(KeyError::Inputs { function: map.inputs(), key: self.inputs() });
        }
        let right = project(map.right(), &self.t);
        let values = open(map, &self.s, &right);
        let g2 = Fp2::generator();
        let values = values.par_iter().map(|value| Fp2::scalar_mul(&g2, value)).collect();
        Ok(FunctionalKey { map: map.clone(), values, id: self.id })
    }
}

impl FunctionalKey {
    /// The function that the key opens.
    pub fn map(&self) -> &QuadraticMap {
        &self.map
    }

    /// The public key under which it was issued.
    pub fn public_key_id(&self) -> PublicKeyId {
        self.id
    }
}
