//! Many products of powers of the same elements of the cyclotomic subgroup.
//!
//! Row `j` asks for `Π_k base_k^{D_jk}`. Exponents are cut into windows of
//! `w` bits with odd signed digits (`w = 2` is the non-adjacent form), of which one in
//! `w + 1` is not zero; a negative digit takes the conjugate. The odd powers of each
//! base are computed once for all rows, the squarings of a row are shared by all bases.

use rayon::prelude::*;

use super::target::hard_part;
use crate::raw::Fp12;

/// A matrix of exponents, cut into windows.
pub(crate) struct Powers {
    width: u32,
    /// Digits from the lowest, for every row and base.
    rows: Vec<Vec<Vec<i8>>>,
}

impl Powers {
    /// Row-major exponents of `bases` bases, in the windows that cost least.
    pub(crate) fn new(bases: usize, exponents: &[i32]) -> Self {
        let cut = |width| {
            let rows = exponents.chunks_exact(bases);
            let rows = rows.map(|row| row.iter().map(|&e| windows(i64::from(e), width)).collect());
            Self { width, rows: rows.collect() }
        };
        let cost = |powers: &Self| powers.operations().0;
        [3, 4, 5].into_iter().map(cut).fold(cut(2), |best, next| if cost(&next) < cost(&best) { next } else { best })
    }

    /// Products and squarings that it takes.
    pub(crate) fn operations(&self) -> (usize, usize) {
        let digits = self.rows.iter().flatten().flatten().filter(|&&digit| digit != 0).count();
        let squarings: usize = self.rows.iter().map(|row| length(row).saturating_sub(1)).sum();
        let bases = self.rows.first().map_or(0, Vec::len);
        let odd_powers = (1usize << (self.width - 2)) - 1;
        (digits + bases * odd_powers, squarings + bases * odd_powers.min(1))
    }

    /// The hard part of the final exponentiation of every row's product.
    pub(crate) fn hard_parts(&self, bases: &[Fp12]) -> Vec<Fp12> {
        let odd: Vec<Vec<Fp12>> = bases.par_iter().map(|base| self.odd_powers(base)).collect();
        self.rows.par_iter().map(|row| hard_part(&product(row, &odd))).collect()
    }

    /// `base, base³, base⁵, …` as far as the digits go.
    fn odd_powers(&self, base: &Fp12) -> Vec<Fp12> {
        let mut powers = vec![*base];
        if self.width > 2 {
            let square = base.cyclotomic_sqr();
            powers.extend((1..1 << (self.width - 2)).scan(*base, |power, _| {
                *power = power.mul(&square);
                Some(*power)
            }));
        }
        powers
    }
}

fn product(row: &[Vec<i8>], odd: &[Vec<Fp12>]) -> Fp12 {
    let mut product: Option<Fp12> = None;
    for place in (0..length(row)).rev() {
        product = product.map(|p| p.cyclotomic_sqr());
        for (digits, odd) in row.iter().zip(odd) {
            let digit = digits.get(place).copied().unwrap_or(0);
            if digit == 0 {
                continue;
            }
            let power = odd[usize::from(digit.unsigned_abs() / 2)];
            let factor = if digit < 0 { power.conjugate() } else { power };
            product = Some(product.map_or(factor, |p| p.mul(&factor)));
        }
    }
    product.unwrap_or_else(Fp12::one)
}

fn length(row: &[Vec<i8>]) -> usize {
    row.iter().map(Vec::len).max().unwrap_or(0)
}

/// `Σ_i digit_i·2^i` with digits zero or odd, below `2^(width−1)`, and at least `width − 1`
/// zeros after each other one.
fn windows(exponent: i64, width: u32) -> Vec<i8> {
    let mut rest = i128::from(exponent);
    let mut digits = Vec::new();
    while rest != 0 {
        let low = (rest & ((1 << width) - 1)) as i8;
        let digit = match low {
            _ if rest & 1 == 0 => 0,
            low if low >> (width - 1) & 1 == 1 => low - (1 << width),
            low => low,
        };
        digits.push(digit);
        rest = (rest - i128::from(digit)) >> 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        group::target::{easy_part, power},
        raw::{Coordinate, Fp, Fp2, Scalar, miller_loop},
    };

    #[test]
    fn windows_add_up() {
        for width in 2..6 {
            for exponent in [0, 1, -1, 2, 127, -128, 255, i64::from(i32::MAX), i64::from(i32::MIN)] {
                let digits = windows(exponent, width);
                let sum: i64 = digits.iter().enumerate().map(|(i, &digit)| i64::from(digit) << i).sum();
                assert_eq!(sum, exponent);
                assert!(digits.iter().all(|d| *d == 0 || d % 2 != 0 && d.unsigned_abs() < 1 << (width - 1)));
            }
        }
    }

    #[test]
    fn every_width_gives_the_products() {
        let base = |k| {
            let q = Fp2::scalar_mul(&Fp2::generator(), &Scalar::from_i64(k));
            easy_part(&miller_loop(&Fp::generator(), &q))
        };
        let bases: Vec<Fp12> = (2..5).map(base).collect();
        let exponents = [3, 0, -7, 100, -1, 31, 0, 0, 0, -128, 127, 9];
        for width in 2..6 {
            let rows = exponents.chunks(3).map(|row| row.iter().map(|&e| windows(e, width)).collect());
            let powers = Powers { width, rows: rows.collect() };
            for (row, found) in exponents.chunks(3).zip(powers.hard_parts(&bases)) {
                let terms = row.iter().zip(&bases).map(|(&e, base)| power(base, e));
                assert!(found == hard_part(&terms.fold(Fp12::one(), |product, term| product.mul(&term))));
            }
        }
    }
}
