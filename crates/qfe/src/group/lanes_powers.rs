//! Products of powers as in [`powers`](super::powers), eight at a time.
//!
//! Each lane takes the product of one row, or of a part of it, for one ciphertext. Exponents are cut into
//! signed digits of `w` bits, equally many for all, so that lanes do not wait for each other. The multiples of
//! each base up to `2^(w−1)` are made once for all rows, eight bases at a time.

use super::{
    lanes_target::{LANES, gather, hard_part},
    lanes12::{Fp12x8, Work},
    schedule::in_order,
    target,
};
use crate::raw::{Fp12, ifma::Ifma};

/// Squarings cost this much of a product.
const SQUARING: f64 = 0.45;

/// A matrix of exponents, cut into digits.
pub(crate) struct LanePowers {
    bases: usize,
    width: u32,
    /// Row by row, from the lowest place to the highest, base by base.
    digits: Vec<Vec<Vec<i8>>>,
}

impl LanePowers {
    /// Row-major exponents of `bases` bases, in the digits that cost least.
    pub(crate) fn new(bases: usize, exponents: &[i32]) -> Self {
        let cut = |width| Self::cut(bases, exponents, width);
        (2..=5).map(cut).fold(cut(1), |best, next| if next.products() < best.products() { next } else { best })
    }

    fn cut(bases: usize, exponents: &[i32], width: u32) -> Self {
        let mut rest: Vec<i64> = exponents.iter().map(|&e| i64::from(e)).collect();
        let mut digits = vec![Vec::new(); exponents.len() / bases];
        let half = 1 << (width - 1);
        while rest.iter().any(|&e| e != 0) {
            let last = rest.iter().all(|&e| e.abs() <= half);
            let mut low = rest.iter_mut().map(|e| {
                let low = if last { *e } else { (*e + half).rem_euclid(2 * half) - half };
                *e = (*e - low) >> width;
                low as i8
            });
            digits.iter_mut().for_each(|row| row.push(low.by_ref().take(bases).collect()));
        }
        Self { bases, width, digits }
    }

    fn places(&self) -> usize {
        self.digits.first().map_or(0, Vec::len)
    }

    /// Products and squarings that it takes for one ciphertext.
    pub(crate) fn operations(&self) -> (usize, usize) {
        let digits = self.digits.iter().flatten().flatten().filter(|&&digit| digit != 0).count();
        let squarings = self.digits.len() * self.places().saturating_sub(1) * self.width as usize;
        // Every other multiple is a square.
        let multiples = (1usize << (self.width - 1)) - 1;
        (digits + self.bases * (multiples / 2), squarings + self.bases * multiples.div_ceil(2))
    }

    fn products(&self) -> f64 {
        let (products, squarings) = self.operations();
        products as f64 + squarings as f64 * SQUARING
    }

    /// Parts of a row that have lanes of their own when there are `rows` of them.
    fn parts(&self, rows: usize) -> usize {
        let cost = |&parts: &usize| {
            let vectors = (rows * parts).div_ceil(LANES) as f64;
            let squarings = self.places().saturating_sub(1) as f64 * f64::from(self.width) * SQUARING;
            let products = (self.bases.div_ceil(parts) * self.places()) as f64;
            vectors * (products + squarings) + (rows.div_ceil(LANES) * (parts - 1)) as f64
        };
        [1, 2, 4, 8].into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(1)
    }

    /// The hard part of the final exponentiation of `Π base^exponent`, row by row and within a row ciphertext by
    /// ciphertext. The bases of one ciphertext are `copies` apart, eight to a vector.
    pub(crate) fn hard_parts(&self, token: Ifma, bases: &[Fp12x8], copies: usize) -> Vec<Fp12> {
        let tables: Vec<Vec<[Fp12; LANES]>> =
            in_order(bases.len(), |k| self.multiples(&bases[k], &mut Work::new(token)));
        let results = self.digits.len() * copies;
        let base = |base: usize, copy: usize, multiple: usize| {
            let place = base * copies + copy;
            &tables[place / LANES][multiple - 1][place % LANES]
        };
        let parts = self.parts(results);
        let size = self.bases.div_ceil(parts);
        let one = Fp12x8::one(token).unload_shifted()[0];
        let tasks = results * parts;
        let products = in_order(tasks.div_ceil(LANES), |vector| {
            let work = &mut *Work::new(token);
            let mut product: Option<Fp12x8> = None;
            for place in (0..self.places()).rev() {
                for _ in 0..self.width {
                    if let Some(p) = &mut product {
                        p.cyclotomic_sqr(work);
                    }
                }
                for offset in 0..size {
                    let mut negative = 0;
                    let mut any = false;
                    let factors = std::array::from_fn(|lane| {
                        // Part by part, row by row, ciphertext by ciphertext.
                        let task = (vector * LANES + lane).min(tasks - 1);
                        let (part, row, copy) = (task / results, task % results / copies, task % copies);
                        let number = part * size + offset;
                        let digit = if number < self.bases { self.digits[row][place][number] } else { 0 };
                        negative |= u8::from(digit < 0) << lane;
                        any |= digit != 0;
                        if digit == 0 { &one } else { base(number, copy, usize::from(digit.unsigned_abs())) }
                    });
                    if any {
                        let factor = Fp12x8::load(token, factors).conjugate_lanes(negative);
                        match &mut product {
                            Some(product) => product.mul(&factor, work),
                            None => product = Some(factor),
                        }
                    }
                }
            }
            product.map_or([one; LANES], |product| product.unload_shifted())
        })
        .concat();
        let results = in_order(results.div_ceil(LANES), |vector| {
            let first = vector * LANES;
            let count = LANES.min(results - first);
            let work = &mut *Work::new(token);
            let of_part = |part: usize| gather(token, count, |lane| &products[part * results + first + lane]);
            let mut total = of_part(0);
            (1..parts).for_each(|part| total.mul(&of_part(part), work));
            // One element alone is quicker by scalars.
            match count {
                1 => vec![target::hard_part(&total.unload()[0])],
                _ => hard_part(&total, work).unload()[..count].to_vec(),
            }
        });
        results.concat()
    }

    /// `base, base², base³, …` as far as the digits go, in shifted form.
    fn multiples(&self, base: &Fp12x8, work: &mut Work) -> Vec<[Fp12; LANES]> {
        let most = 1usize << (self.width - 1);
        let mut multiples = vec![*base];
        while multiples.len() < most {
            let known = multiples.len();
            // An even multiple is a square.
            let mut multiple = multiples[if known % 2 == 1 { known / 2 } else { known - 1 }];
            if known % 2 == 1 {
                multiple.cyclotomic_sqr(work);
            } else {
                multiple.mul(base, work);
            }
            multiples.push(multiple);
        }
        multiples.iter().map(Fp12x8::unload_shifted).collect()
    }
}

#[cfg(all(test, target_arch = "x86_64", feature = "lanes"))]
mod tests {
    use super::*;
    use crate::{
        group::{
            lanes12::to_shifted,
            target::{easy_part, power},
        },
        raw::{Coordinate, Fp, Fp2, Scalar, miller_loop},
    };

    #[test]
    fn digits_add_up() {
        let exponents = [0, 1, -1, 2, 127, -128, 255, i32::MAX, i32::MIN, 8];
        for width in 1..6 {
            let powers = LanePowers::cut(5, &exponents, width);
            for (k, &exponent) in exponents.iter().enumerate() {
                let digits = powers.digits[k / 5].iter().map(|place| i64::from(place[k % 5]));
                let sum = digits.clone().enumerate().map(|(i, digit)| digit << (i as u32 * width)).sum::<i64>();
                assert_eq!(sum, i64::from(exponent));
                assert!(digits.into_iter().all(|digit| digit.abs() <= 1 << (width - 1)));
            }
        }
        assert!(LanePowers::new(2, &[0, 0]).digits[0].is_empty());
        assert_eq!(LanePowers::new(2, &[1, -1]).places(), 1);
    }

    /// Every number of ciphertexts and rows, so that lanes are full, or half empty, or belong to parts of rows.
    #[test]
    fn lanes_give_the_products() {
        let token = Ifma::or_model();
        let element = |k: i64| {
            let q = Fp2::scalar_mul(&Fp2::generator(), &Scalar::from_i64(k));
            easy_part(&miller_loop(&Fp::generator(), &q))
        };
        let exponents = [3, 0, -7, 100, -1, 31, 0, 0, 0, -128, 127, 9];
        for (copies, width) in [(1, 1), (1, 4), (2, 3), (8, 2)] {
            let bases: Vec<Fp12> = (0..3 * copies as i64).map(|k| element(2 + k)).collect();
            let shifted: Vec<Fp12> = bases.iter().map(to_shifted).collect();
            let vectors: Vec<Fp12x8> =
                shifted.chunks(LANES).map(|chunk| gather(token, chunk.len(), |lane| &chunk[lane])).collect();
            let powers = LanePowers::cut(3, &exponents, width);
            let found = powers.hard_parts(token, &vectors, copies);
            assert_eq!(found.len(), 4 * copies);
            for (place, found) in found.iter().enumerate() {
                let (row, copy) = (place / copies, place % copies);
                let terms = (0..3).map(|k| power(&bases[k * copies + copy], i64::from(exponents[3 * row + k])));
                let product = terms.fold(Fp12::one(), |product, term| product.mul(&term));
                assert!(*found == target::hard_part(&product));
            }
        }
    }
}
