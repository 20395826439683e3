//! Functional keys against the public key: anybody can check, no secret is needed.
//!
//! A key of `f` is right when `K_j = [f_j(s, t)]₂` for every output. With the public
//! `[P_k·s]₁` and `[R_k·t]₂`, the projections of the public key, that is
//!
//! ```text
//! e([1]₁, K_j) = Π_k e([P_k·s]₁, [R_k·t]₂)^{D_jk}        j = 1..S
//! ```
//!
//! All outputs are checked at once: with `ρ_j` uniform below `2^128`,
//!
//! ```text
//! e([1]₁, Σ_j ρ_j K_j) = Π_k e((Σ_j ρ_j D_jk)·[P_k·s]₁, [R_k·t]₂)
//! ```
//!
//! which takes `d + 1` Miller loops and one final exponentiation, whatever `S` is.
//!
//! **Soundness.** Let `K_j = [f_j(s, t) + δ_j]₂` with some `δ_j ≠ 0`. The equation holds when `Σ_j ρ_j δ_j = 0` modulo
//! `r`. For any values of the others, at most one value of `ρ_j` satisfies it, because all its values differ modulo `r
//! > 2^128`. So a wrong key passes with probability at most `2^−128` over coefficients drawn after it was fixed. The
//! `K_j` must have order `r`: that is checked for each, exactly, not by the combinations that suffice when reading. The
//! points of the public key are used as they were read, and one outside the subgroup passes that reading with
//! probability `2^−40` (zero if the verifier made the key, or knows its id).

use std::ops::Range;

use rand::CryptoRng;
use rayon::prelude::*;
use thiserror::Error;

use crate::{
    QuadraticMap,
    group::{
        batch::add_one,
        miller::{Pair, products},
        project::{Projection, run_both},
        target::{easy_part, hard_part},
    },
    keys::{FunctionalKey, KeyError, PublicKey, PublicKeyId},
    raw::{Coordinate, Fp, Fp2, Fp12, G1, G2, Point, Scalar},
};

/// Why a key is not the key of its function.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The key names another public key.
    #[error("the key belongs to public key {found}, not to {expected}: verify it against the public key that it names")]
    PublicKey {
        /// Public key that the key names.
        found: PublicKeyId,
        /// Public key that it was compared with.
        expected: PublicKeyId,
    },
    /// The function does not take the inputs of the public key.
    #[error(transparent)]
    Inputs(#[from] KeyError),
    /// The key is of another function.
    #[error("the key is of another function than expected: ask for the key of that function")]
    Function,
    /// The key has no point for each output.
    #[error("the key has {found} points for {expected} outputs: ask for it again")]
    Outputs {
        /// Points of the key.
        found: usize,
        /// Outputs of the function.
        expected: usize,
    },
    /// An output's point is not what the public key demands.
    #[error(
        "output {output}: the key does not open the function under this public key: do not use it, and ask its issuer"
    )]
    Output {
        /// The first wrong output.
        output: usize,
    },
}

impl PublicKey {
    /// Checks that `key` is the functional key of its function under this public key, without
    /// any secret: a wrong key passes with probability at most `2^−128`.
    ///
    /// To check several keys of one function, make one [`Verifier`].
    ///
    /// # Errors
    /// The key names another public key, or one of its points is wrong; the first one is named.
    pub fn verify(&self, key: &FunctionalKey) -> Result<(), VerifyError> {
        if key.id != self.id {
            return Err(VerifyError::PublicKey { found: key.id, expected: self.id });
        }
        Verifier::new(self, &key.map)?.verify(key)
    }
}

/// Checks keys of one function under one public key: `[P_k·s]₁` and `[R_k·t]₂`, computed once.
pub struct Verifier {
    id: PublicKeyId,
    map: QuadraticMap,
    left: Vec<G1>,
    right: Vec<G2>,
}

brief!(Verifier { id });

impl Verifier {
    /// Projects the public key by the function's matrices.
    ///
    /// # Errors
    /// The function does not take the inputs of the public key.
    pub fn new(key: &PublicKey, map: &QuadraticMap) -> Result<Self, KeyError> {
        if map.inputs() != key.inputs() {
            return Err(KeyError::Inputs { function: map.inputs(), key: key.inputs() });
        }
        let (n, m) = map.inputs();
        let (left, right) = rayon::join(|| Projection::new(n, map.left()), || Projection::new(m, map.right()));
        let (left, right) = run_both((&left, &key.s), (&right, &key.t), 1);
        Ok(Self { id: key.id, map: map.clone(), left, right })
    }

    /// Checks a key; see [`PublicKey::verify`].
    ///
    /// # Errors
    /// The key is of another public key or function, or wrong.
    pub fn verify(&self, key: &FunctionalKey) -> Result<(), VerifyError> {
        if key.id != self.id {
            return Err(VerifyError::PublicKey { found: key.id, expected: self.id });
        }
        if key.map != self.map {
            return Err(VerifyError::Function);
        }
        self.check(&self.left, &key.values, &mut host::fresh_rng())
    }

    /// Checks `values[j] = [Σ_k D_jk l_k r_k]₂` for the given `[l_k]₁` and this verifier's `[r_k]₂`.
    pub(crate) fn check(&self, left: &[G1], values: &[G2], rng: &mut impl CryptoRng) -> Result<(), VerifyError> {
        if values.len() != self.map.outputs() {
            return Err(VerifyError::Outputs { found: values.len(), expected: self.map.outputs() });
        }
        if let Some(output) = values.par_iter().position_first(|value| !Fp2::in_subgroup(value)) {
            return Err(VerifyError::Output { output });
        }
        let mut suspects = 0..values.len();
        if self.holds(left, values, suspects.clone(), rng) {
            return Ok(());
        }
        // Halve what fails until one output is left: the lower half first.
        while suspects.len() > 1 {
            let middle = suspects.start + suspects.len() / 2;
            let lower = suspects.start..middle;
            suspects = if self.holds(left, values, lower.clone(), rng) { middle..suspects.end } else { lower };
        }
        Err(VerifyError::Output { output: suspects.start })
    }

    /// The equation of the module, over some of the outputs.
    fn holds(&self, left: &[G1], values: &[G2], outputs: Range<usize>, rng: &mut impl CryptoRng) -> bool {
        let units = self.map.units();
        let coefficients: Vec<Scalar> = outputs.clone().map(|_| Scalar::random_128(rng)).collect();
        let rows = &self.map.combine()[outputs.start * units..outputs.end * units];
        let mut pairs: Vec<Pair> = (0..units)
            .into_par_iter()
            .filter_map(|k| {
                let weights = rows.iter().skip(k).step_by(units);
                let factor = weights.zip(&coefficients).fold(Scalar::default(), |sum, (&weight, coefficient)| {
                    sum.add(&coefficient.mul(&Scalar::from_i64(i64::from(weight))))
                });
                let used = !factor.is_zero() && !left[k].is_infinity() && !self.right[k].is_infinity();
                used.then(|| (Fp::scalar_mul(&left[k], &factor), self.right[k]))
            })
            .collect();
        pairs.push((Fp::generator().neg(), combine_vartime(&values[outputs], &coefficients, 128)));
        let product = products(&[pairs]);
        hard_part(&easy_part(&product[0])) == Fp12::one()
    }

    /// The projections `[P_k·x]₁` of other points than the public key's.
    #[cfg(feature = "shares")]
    pub(crate) fn project_left(&self, points: &[G1]) -> Vec<G1> {
        Projection::new(points.len(), self.map.left()).run(points, 1)
    }

    /// The function.
    pub fn map(&self) -> &QuadraticMap {
        &self.map
    }

    /// The public key.
    pub fn public_key_id(&self) -> PublicKeyId {
        self.id
    }
}

/// `[R_k·t]₂`, from the public key.
#[cfg(feature = "shares")]
pub(crate) fn right_units(key: &PublicKey, map: &QuadraticMap) -> Vec<G2> {
    Projection::new(key.t.len(), map.right()).run(&key.t, 1)
}

/// `Σ scalars[i]·points[i]` on all threads.
pub(crate) fn combine_vartime<F: Coordinate>(points: &[Point<F>], scalars: &[Scalar], bits: usize) -> Point<F> {
    let part = points.len().div_ceil(rayon::current_num_threads()).max(32);
    let parts = points.par_chunks(part).zip(scalars.par_chunks(part));
    parts.map(|(points, scalars)| F::combine_vartime(points, scalars, bits)).reduce(|| Point::INFINITY, add_one)
}
