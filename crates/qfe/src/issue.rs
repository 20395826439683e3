//! The one way to issue: `Σ_k D_jk · (P_k·s) · r_k` for every output `j`.
//!
//! `r_k` stands for `R_k·t`. A holder of `t` knows it as a scalar and lifts the results to points at the end; a holder
//! of `s`, or of a share of it, takes the public `[R_k·t]₂`. Both are modules over `Z_r`, and a key is linear in `s`: a
//! share of `s` gives a share of the key.
//!
//! Time depends on the function, which is public, and not on secrets.

use rayon::prelude::*;
use zeroize::{DefaultIsZeroes, Zeroizing};

#[cfg(feature = "shares")]
use crate::raw::{Coordinate, Fp2, G2};
use crate::{QuadraticMap, raw::Scalar};

/// What `Z_r` acts on.
pub(crate) trait Module: DefaultIsZeroes + Send + Sync {
    /// Times a scalar that may be secret.
    fn times(&self, secret: &Scalar) -> Self;
    /// With public weights; the values may be secret.
    fn weighted_sum(weights: &[i32], values: &[Self]) -> Self;
}

impl Module for Scalar {
    fn times(&self, secret: &Scalar) -> Self {
        self.mul(secret)
    }

    fn weighted_sum(weights: &[i32], values: &[Self]) -> Self {
        let terms = weights.iter().zip(values).filter(|(weight, _)| **weight != 0);
        terms.fold(Self::default(), |sum, (&weight, value)| sum.add(&value.mul(&Self::from_i64(i64::from(weight)))))
    }
}

#[cfg(feature = "shares")]
impl Module for G2 {
    fn times(&self, secret: &Scalar) -> Self {
        Fp2::scalar_mul(self, secret)
    }

    fn weighted_sum(weights: &[i32], values: &[Self]) -> Self {
        let used = || weights.iter().zip(values).filter(|(weight, _)| **weight != 0);
        let points: Zeroizing<Vec<G2>> =
            Zeroizing::new(used().map(|(weight, value)| value.neg_if(*weight < 0)).collect());
        let weights: Vec<Scalar> =
            used().map(|(weight, _)| Scalar::from_i64(i64::from(weight.unsigned_abs()))).collect();
        Fp2::combine_vartime(&points, &weights, 32)
    }
}

/// The rows of a matrix times a secret vector.
pub(crate) fn project(weights: &[i32], secret: &[Scalar]) -> Zeroizing<Vec<Scalar>> {
    let rows = weights.par_chunks_exact(secret.len());
    Zeroizing::new(rows.map(|row| Scalar::weighted_sum(row, secret)).collect())
}

/// `Σ_k D_jk · (P_k·s) · right_k` for every output of a map whose left inputs are as many as `s`.
pub(crate) fn open<M: Module>(map: &QuadraticMap, s: &[Scalar], right: &[M]) -> Zeroizing<Vec<M>> {
    let left = project(map.left(), s);
    let units = left.par_iter().zip(right).map(|(left, right)| right.times(left));
    let units: Zeroizing<Vec<M>> = Zeroizing::new(units.collect());
    let rows = map.combine().par_chunks_exact(map.units());
    Zeroizing::new(rows.map(|row| M::weighted_sum(row, &units)).collect())
}
