//! Shamir's sharing of vectors: polynomials with vectors for coefficients.
//!
//! `f(x) = Σ_l a_l x^l` of degree `τ` over a prime field; the secret is `f(0) = a_0`, the share of server `i` is
//! `f(i)`. Any `τ + 1` shares give the secret, `τ` shares reveal nothing about it: for each value of the secret there
//! is exactly one polynomial through them.

use std::num::NonZeroU16;

use rand::CryptoRng;
use zeroize::{DefaultIsZeroes, Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::raw::Scalar;

/// What the sharing needs of a prime field; tests have a small one.
pub(crate) trait PrimeField: DefaultIsZeroes {
    fn from_index(index: u16) -> Self;
    fn add(&self, other: &Self) -> Self;
    fn sub(&self, other: &Self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    /// Zero for zero.
    fn inverse(&self) -> Self;
}

impl PrimeField for Scalar {
    fn from_index(index: u16) -> Self {
        Self::from_i64(i64::from(index))
    }

    fn add(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn sub(&self, other: &Self) -> Self {
        self.sub(other)
    }

    fn mul(&self, other: &Self) -> Self {
        self.mul(other)
    }

    fn inverse(&self) -> Self {
        self.inverse()
    }
}

/// A secret polynomial; erased when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Polynomial<F: PrimeField> {
    /// `a_0, …, a_τ`.
    pub(crate) coefficients: Vec<Vec<F>>,
}

impl Polynomial<Scalar> {
    /// A random polynomial of degree `threshold` with the given value at zero.
    pub(crate) fn random(secret: &[Scalar], threshold: u16, rng: &mut impl CryptoRng) -> Self {
        let mut coefficients = vec![secret.to_vec()];
        for _ in 0..threshold {
            let mut row = Vec::with_capacity(secret.len());
            row.extend((0..secret.len()).map(|_| Scalar::random(rng)));
            coefficients.push(row);
        }
        Self { coefficients }
    }
}

impl<F: PrimeField> Polynomial<F> {
    /// The value at a server's index, by Horner's rule.
    pub(crate) fn at(&self, index: NonZeroU16) -> Zeroizing<Vec<F>> {
        let (x, mut rows) = (F::from_index(index.get()), self.coefficients.iter().rev());
        let mut value = Zeroizing::new(rows.next().cloned().unwrap_or_default());
        for row in rows {
            for (value, coefficient) in value.iter_mut().zip(row) {
                *value = value.mul(&x).add(coefficient);
            }
        }
        value
    }
}

/// `λ_i` with `f(0) = Σ_i λ_i f(i)` for every polynomial of lower degree than there are
/// indices; these are distinct and not zero.
pub(crate) fn lagrange<F: PrimeField>(indices: &[u16]) -> Vec<F> {
    let factor = |i: u16| {
        let x = F::from_index(i);
        let others = indices.iter().filter(|&&j| j != i).map(|&j| F::from_index(j));
        let (top, bottom) = others.fold((F::from_index(1), F::from_index(1)), |(top, bottom), other| {
            (top.mul(&other), bottom.mul(&other.sub(&x)))
        });
        top.mul(&bottom.inverse())
    };
    indices.iter().map(|&i| factor(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Integers modulo 13.
    #[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
    struct F13(u16);

    impl DefaultIsZeroes for F13 {}

    impl PrimeField for F13 {
        fn from_index(index: u16) -> Self {
            Self(index % 13)
        }

        fn add(&self, other: &Self) -> Self {
            Self((self.0 + other.0) % 13)
        }

        fn sub(&self, other: &Self) -> Self {
            Self((self.0 + 13 - other.0) % 13)
        }

        fn mul(&self, other: &Self) -> Self {
            Self(self.0 * other.0 % 13)
        }

        fn inverse(&self) -> Self {
            (0..11).fold(Self(1), |power, _| power.mul(self))
        }
    }

    fn at(polynomial: &Polynomial<F13>, server: u16) -> F13 {
        polynomial.at(NonZeroU16::new(server).unwrap())[0]
    }

    /// Every polynomial of degree two over the field, with vectors of one coordinate.
    fn all() -> impl Iterator<Item = Polynomial<F13>> {
        (0..13 * 13 * 13)
            .map(|k| Polynomial { coefficients: vec![vec![F13(k % 13)], vec![F13(k / 13 % 13)], vec![F13(k / 169)]] })
    }

    #[test]
    fn as_many_shares_as_the_threshold_fit_every_secret() {
        for servers in [[1, 2], [3, 5], [12, 7]] {
            // For every pair of shares and every secret, the polynomials that fit.
            let mut count = vec![0; 13 * 13 * 13];
            for polynomial in all() {
                let [a, b] = servers.map(|server| at(&polynomial, server).0);
                count[usize::from(a * 169 + b * 13 + polynomial.coefficients[0][0].0)] += 1;
            }
            assert!(count.iter().all(|&count| count == 1));
        }
    }

    #[test]
    fn one_share_more_gives_the_secret() {
        for indices in [[1, 2, 3], [12, 1, 7], [4, 9, 2]] {
            let factors = lagrange::<F13>(&indices);
            for polynomial in all() {
                let terms = indices.iter().zip(&factors).map(|(&i, factor)| factor.mul(&at(&polynomial, i)));
                assert_eq!(terms.fold(F13(0), |sum, term| sum.add(&term)), polynomial.coefficients[0][0]);
            }
        }
    }
}
