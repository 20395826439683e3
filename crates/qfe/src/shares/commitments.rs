//! Feldman's commitments to the polynomial that shares a key.

use std::num::NonZeroU16;

use rand::CryptoRng;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::{Polynomial, Seat, SeatError};
use crate::{
    group::batch::{Scratch, ZipAdditions, add_all},
    keys::PublicKey,
    raw::{Coordinate, Fp, G1, Scalar},
    verify::combine_vartime,
};

/// `[a_l]₁` for `l = 0..τ`, where `[a_0]₁ = [s]₁` is the public key's.
#[derive(Clone, PartialEq, Eq)]
pub struct Commitments {
    pub(crate) seat: Seat,
    /// Right inputs `m` of the public key.
    pub(crate) right_inputs: usize,
    pub(crate) rows: Vec<Vec<G1>>,
}

brief!(Commitments { seat });

impl Commitments {
    pub(crate) fn new(seat: Seat, right_inputs: usize, rows: Vec<Vec<G1>>) -> Self {
        Self { seat, right_inputs, rows }
    }

    /// Key, epoch and sharing.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// Whether these are commitments to this public key's `s`.
    ///
    /// # Errors
    /// They are of another key.
    pub fn check(&self, key: &PublicKey) -> Result<(), SeatError> {
        let (found, expected) = (self.seat.public_key_id, key.id());
        if found != expected || self.rows[0] != key.s {
            return Err(SeatError::PublicKey { found, expected });
        }
        Ok(())
    }

    /// `[s(i)]₁`.
    pub(crate) fn at(&self, index: NonZeroU16) -> Vec<G1> {
        evaluate(&self.rows, index)
    }
}

/// `[a_l]₁` for every coefficient.
pub(crate) fn commit(polynomial: &Polynomial<Scalar>) -> Vec<Vec<G1>> {
    let g1 = Fp::generator();
    let row = |row: &Vec<Scalar>| row.par_iter().map(|scalar| Fp::scalar_mul(&g1, scalar)).collect();
    polynomial.coefficients.iter().map(row).collect()
}

/// `Σ_l index^l·rows_l`, by Horner's rule on all coordinates together.
pub(crate) fn evaluate(rows: &[Vec<G1>], index: NonZeroU16) -> Vec<G1> {
    let index = index.get();
    let Some((top, lower)) = rows.split_last() else { return Vec::new() };
    let mut value = top.clone();
    for (l, row) in lower.iter().enumerate().rev() {
        debug_assert_eq!(rows[l].len(), value.len());
        value.par_chunks_mut(256).zip(row.par_chunks(256)).for_each(|(value, row)| {
            let scratch = &mut Scratch::new();
            let once = value.to_vec();
            let mut add = |value: &mut [G1], right: &[G1]| {
                add_all(value.len(), &mut ZipAdditions { left: value, right }, scratch);
            };
            for bit in (0..u16::BITS - index.leading_zeros()).rev().skip(1) {
                let copy = value.to_vec();
                add(value, &copy);
                if index >> bit & 1 == 1 {
                    add(value, &once);
                }
            }
            add(value, row);
        });
    }
    value
}

/// Whether `secret` is what `points` commit to, coordinate by coordinate: one random combination with
/// coefficients below `2^128`, so that a wrong one passes with probability at most `2^−128`.
pub(crate) fn opens(points: &[G1], secret: &[Scalar], rng: &mut impl CryptoRng) -> bool {
    if points.len() != secret.len() {
        return false;
    }
    let coefficients: Vec<Scalar> = secret.iter().map(|_| Scalar::random_128(rng)).collect();
    let terms = secret.iter().zip(&coefficients).map(|(secret, coefficient)| secret.mul(coefficient));
    let sum = Zeroizing::new(terms.fold(Scalar::default(), |sum, term| sum.add(&term)));
    Fp::scalar_mul(&Fp::generator(), &sum) == combine_vartime(points, &coefficients, 128)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// At zero, `[f]₁` was taken at one. Zero is ruled out by the type; all others agree with the polynomial.
    #[test]
    fn points_at_an_index_are_those_of_the_polynomial_there() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let secret = [Scalar::random(&mut rng), Scalar::random(&mut rng)];
        let polynomial = Polynomial::random(&secret, 2, &mut rng);
        let rows = commit(&polynomial);
        for index in (1..=9).chain([127, 128, 255]).filter_map(NonZeroU16::new) {
            let expected = commit(&Polynomial { coefficients: vec![polynomial.at(index).to_vec()] }).remove(0);
            assert!(evaluate(&rows, index) == expected, "{index}");
        }
    }
}
