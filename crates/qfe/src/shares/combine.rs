//! Combines partial keys into the key.

use std::{fmt, num::NonZeroU16};

use rayon::prelude::*;
use thiserror::Error;

use super::{Commitments, PartialError, PartialKey, SeatError, digest_of, lagrange};
use crate::{
    QuadraticMap,
    keys::{FunctionalKey, KeyError, PublicKey},
    raw::{Coordinate, Fp2, Scalar},
    verify::Verifier,
};

/// A partial key that was not used, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The server that it names; whether that one made it, only the channel on which it came can tell.
    pub server: u16,
    /// What is wrong with it.
    pub reason: PartialError,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {}: {}", self.server, self.reason)
    }
}

/// A key, and who answered wrongly.
#[derive(Debug)]
pub struct Combined {
    /// The key, checked against the public key.
    pub key: FunctionalKey,
    /// Partial keys that were refused.
    pub refused: Vec<Refusal>,
}

/// Why partial keys do not make a key.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CombineError {
    /// The commitments are of another public key.
    #[error("the commitments do not fit: {0}")]
    Commitments(#[from] SeatError),
    /// The function does not take the inputs of the key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Fewer right partial keys than the quorum.
    #[error("{found} partial keys can be used, but {needed} are needed: ask more servers{}", list(refused))]
    TooFew {
        /// Partial keys that can be used.
        found: usize,
        /// `τ + 1`.
        needed: usize,
        /// What was rejected.
        refused: Vec<Refusal>,
    },
}

fn list(refused: &[Refusal]) -> String {
    refused.iter().map(|refusal| format!("; {refusal}")).collect()
}

/// Combines partial keys of one function.
pub struct Combiner<'a> {
    commitments: &'a Commitments,
    verifier: Verifier,
    function: [u8; 32],
}

brief!(Combiner<'_> { commitments });

impl<'a> Combiner<'a> {
    /// Prepares the checks of a function's partial keys.
    ///
    /// # Errors
    /// Commitments or function are not of this public key.
    pub fn new(public: &PublicKey, commitments: &'a Commitments, map: &QuadraticMap) -> Result<Self, CombineError> {
        commitments.check(public)?;
        Ok(Self { commitments, verifier: Verifier::new(public, map)?, function: digest_of(map) })
    }

    /// Whether a server's answer is right: an answer that is not passes with probability at most `2^−128`.
    ///
    /// # Errors
    /// It is of another key, epoch, sharing or function, or wrong.
    pub fn verify(&self, partial: &PartialKey) -> Result<(), PartialError> {
        let index = self.fits(partial)?;
        let left = self.verifier.project_left(&self.commitments.at(index));
        let rng = &mut host::fresh_rng();
        self.verifier.check(&left, &partial.values, rng).map_err(PartialError::Wrong)
    }

    /// Its server, if it belongs to what is combined.
    fn fits(&self, partial: &PartialKey) -> Result<NonZeroU16, PartialError> {
        partial.seat.fits(&self.commitments.seat)?;
        let (index, servers) = (partial.seat.index, self.commitments.seat.sharing.servers());
        let server = NonZeroU16::new(index).filter(|server| server.get() <= servers);
        let server = server.ok_or(PartialError::Index { index, servers })?;
        if partial.function != self.function || partial.values.len() != self.verifier.map().outputs() {
            return Err(PartialError::Function);
        }
        Ok(server)
    }

    /// The key from any `τ + 1` right partial keys. Wrong ones are named and left out, as long as enough
    /// right ones are left. The key is checked against the public key before it is given.
    ///
    /// # Errors
    /// Fewer right ones than `τ + 1`; each that was refused is named.
    pub fn combine(&self, partials: &[PartialKey]) -> Result<Combined, CombineError> {
        let (mut refused, mut fitting) = (Vec::new(), Vec::new());
        for partial in partials {
            match self.fits(partial) {
                Err(reason) => refused.push(Refusal { server: partial.seat.index, reason }),
                Ok(_) => fitting.push(partial),
            }
        }
        let needed = self.commitments.seat.sharing.quorum();
        // Honest servers need one check in all.
        let (usable, twice) = one_of_each(&fitting);
        if let Some(quorum) = usable.get(..needed) {
            let key = self.interpolate(quorum);
            if self.verifier.verify(&key).is_ok() {
                refused.extend(twice);
                return Ok(Combined { key, refused });
            }
            // Every one is checked before any gives way to another of its index: who puts a forged one in front of
            // a server's own does not take its place.
            fitting.retain(|partial| match self.verify(partial) {
                Ok(()) => true,
                Err(reason) => {
                    refused.push(Refusal { server: partial.seat.index, reason });
                    false
                }
            });
        }
        let (usable, twice) = one_of_each(&fitting);
        refused.extend(twice);
        let found = usable.len();
        match usable.get(..needed).map(|quorum| self.interpolate(quorum)) {
            Some(key) if self.verifier.verify(&key).is_ok() => Ok(Combined { key, refused }),
            _ => Err(CombineError::TooFew { found, needed, refused }),
        }
    }

    /// `Σ_i λ_i K_j(i)` for every output.
    fn interpolate(&self, partials: &[&PartialKey]) -> FunctionalKey {
        let indices: Vec<u16> = partials.iter().map(|partial| partial.seat.index).collect();
        let factors: Vec<Scalar> = lagrange(&indices);
        let outputs = (0..self.verifier.map().outputs()).into_par_iter();
        let value = |output: usize| {
            let points: Vec<_> = partials.iter().map(|partial| partial.values[output]).collect();
            Fp2::combine_vartime(&points, &factors, 255)
        };
        FunctionalKey {
            map: self.verifier.map().clone(),
            values: outputs.map(value).collect(),
            id: self.verifier.public_key_id(),
        }
    }
}

/// The first of each server, and refusals of the others.
fn one_of_each<'p>(partials: &[&'p PartialKey]) -> (Vec<&'p PartialKey>, Vec<Refusal>) {
    let (mut usable, mut refused): (Vec<&PartialKey>, _) = (Vec::new(), Vec::new());
    for &partial in partials {
        let server = partial.seat.index;
        match usable.iter().any(|other| other.seat.index == server) {
            true => refused.push(Refusal { server, reason: PartialError::Twice }),
            false => usable.push(partial),
        }
    }
    (usable, refused)
}
