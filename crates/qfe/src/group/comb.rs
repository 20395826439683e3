//! Multiples of a group's generator by several scalars at once.
//!
//! A scalar is cut into 64 signed digits of four bits. The table holds `d·16^k·G` for every digit and
//! place; a multiple is the sum of 64 of its points, half of which are added at a time, for all scalars
//! with one inversion.
//!
//! Addresses depend on the scalars: everything here is variable-time.

use zeroize::Zeroizing;

use super::batch::{Scratch, ZipAdditions, add_all, add_one};
use crate::raw::{Coordinate, Point, Scalar};

const DIGITS: usize = 64;
const LARGEST: usize = 8;

/// The table of one group's generator.
pub(crate) struct Comb<F: Coordinate> {
    /// `16^k·G` for every `k`, then twice that, and so on to eight times.
    multiples: Vec<Point<F>>,
}

impl<F: Coordinate> Comb<F> {
    pub(crate) fn new() -> Self {
        let double = |point: &Point<F>| add_one(*point, *point);
        let next = |place: &Point<F>| Some((0..4).fold(*place, |point, _| double(&point)));
        let places: Vec<Point<F>> = std::iter::successors(Some(F::generator()), next).take(DIGITS).collect();
        let mut multiples = places.clone();
        for _ in 1..LARGEST {
            let known = multiples.len();
            multiples.extend_from_within(known - DIGITS..);
            add_all(DIGITS, &mut ZipAdditions { left: &mut multiples[known..], right: &places }, &mut Scratch::new());
        }
        Self { multiples }
    }

    /// `scalars[i]·G`; whatever holds parts of them is erased.
    pub(crate) fn mul_vartime<const N: usize>(&self, scalars: &[Scalar; N]) -> Zeroizing<[Point<F>; N]> {
        // Room from the start: growing would leave copies in memory.
        let mut terms = Zeroizing::new(vec![Point::INFINITY; DIGITS * N]);
        for (number, scalar) in scalars.iter().enumerate() {
            for (place, digit) in digits(scalar).iter().enumerate() {
                let point =
                    usize::from(digit.unsigned_abs()).checked_sub(1).map(|d| self.multiples[d * DIGITS + place]);
                terms[place * N + number] = point.unwrap_or(Point::INFINITY).neg_if(*digit < 0);
            }
        }
        let scratch = &mut Scratch::new();
        let mut count = DIGITS;
        while count > 1 {
            count /= 2;
            let (left, right) = terms[..2 * count * N].split_at_mut(count * N);
            add_all(count * N, &mut ZipAdditions { left, right }, scratch);
        }
        let mut out = Zeroizing::new([Point::INFINITY; N]);
        out.copy_from_slice(&terms[..N]);
        out
    }
}

/// Digits from −8 to 8, lowest first: the group's order is below `2^255`, so the top one takes its carry.
fn digits(scalar: &Scalar) -> Zeroizing<[i8; DIGITS]> {
    let bytes = Zeroizing::new(scalar.to_bytes());
    let mut digits = Zeroizing::new([0; DIGITS]);
    let mut carry = 0;
    for (place, digit) in digits.iter_mut().enumerate() {
        let value = (bytes[place / 2] >> (place % 2 * 4) & 15) as i8 + carry;
        carry = i8::from(value > LARGEST as i8);
        *digit = value - 16 * carry;
    }
    digits
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;
    use crate::raw::{Fp, Fp2};

    fn agrees<F: Coordinate>() {
        let comb = Comb::<F>::new();
        let mut rng = ChaCha12Rng::seed_from_u64(6);
        let mut cases: Vec<Scalar> = [0, 1, 8, 9, 255, -1, -8, i64::MIN].map(Scalar::from_i64).to_vec();
        cases.extend((0..8).map(|_| Scalar::random(&mut rng)));
        for scalars in cases.as_chunks::<4>().0 {
            let found = comb.mul_vartime(scalars);
            assert!(*found == scalars.each_ref().map(|scalar| F::scalar_mul(&F::generator(), scalar)));
        }
    }

    #[test]
    fn combs_multiply_generators() {
        agrees::<Fp>();
        agrees::<Fp2>();
    }
}
