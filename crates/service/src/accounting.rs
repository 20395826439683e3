//! What a set of functional keys under one public key opens, over everyone who holds one.
//!
//! Keys are linear: holders of keys of `f` and `g` can make the key of `a·f + b·g`. So what counts is the span of all
//! forms `f_j(u, v) = Σ_k D_jk (P_k·u)(R_k·v)` as bilinear forms, not their number:
//!
//! - *rank*: its dimension;
//! - *bits*: the sum of log2(high − low + 1) over a basis of it, taken in the order of issue;
//! - *noise-free*: its dimension less the rank of the noise parts. A combination is covered only if it adds some
//!   noise coordinate of `v` times the constant `u_0`; holders pick the combination, so noise that two functions share
//!   cancels.
//!
//! The rank is that of the values of the forms at random points modulo the prime 2^61 − 1, which differs from the true
//! one with probability below T²/2^60 for T points (Schwartz–Zippel); points are drawn afresh, so that
//! nobody can make a form that vanishes on them. Where `u` and `v` carry the same features, forms that agree on all
//! real inputs may be counted twice: never too few.

use rand::Rng;

use crate::policy::Opened;

/// 2^61 − 1.
const PRIME: u64 = (1 << 61) - 1;

/// A function with the ranges of its outputs.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// P, d×n, row-major.
    pub left: &'a [i32],
    /// R, d×m.
    pub right: &'a [i32],
    /// D, S×d.
    pub combine: &'a [i32],
    /// Units d.
    pub units: usize,
    /// The range of each output, both ends included.
    pub bounds: &'a [(i64, i64)],
}

/// The span of the functions added so far.
pub struct Span {
    points: Vec<(Vec<u64>, Vec<u64>)>,
    noise: std::ops::Range<usize>,
    forms: Echelon,
    noises: Echelon,
    bits: f64,
}

#[derive(Default)]
struct Echelon {
    /// Rows with their pivot column, the pivot being 1.
    rows: Vec<(usize, Vec<u64>)>,
}

impl Span {
    /// An empty span of forms over `n` and `m` coordinates, for ranks below `most`. `noise`: the coordinates of `v`
    /// that owners fill with noise.
    pub fn new(n: usize, m: usize, most: usize, noise: std::ops::Range<usize>) -> Self {
        let mut rng = rand::rng();
        let mut draw = |count: usize| (0..count).map(|_| rng.next_u64() % PRIME).collect::<Vec<_>>();
        let points = (0..most).map(|_| (draw(n), draw(m))).collect();
        Self { points, noise, forms: Echelon::default(), noises: Echelon::default(), bits: 0.0 }
    }

    /// Adds the functions of one key.
    pub fn add(&mut self, opening: &Opening) {
        let Opening { left, right, combine, units, bounds } = *opening;
        let products: Vec<Vec<u64>> = self
            .points
            .iter()
            .map(|(u, v)| {
                let project = |rows: &[i32], x: &[u64], k: usize| dot(&rows[k * x.len()..][..x.len()], x);
                (0..units).map(|k| multiply(project(left, u, k), project(right, v, k))).collect()
            })
            .collect();
        let (n, m) = (left.len() / units, right.len() / units);
        for (weights, &(low, high)) in combine.chunks_exact(units).zip(bounds) {
            let values = products.iter().map(|products| dot(weights, products)).collect();
            if self.forms.add(values) {
                self.bits += ((i128::from(high) - i128::from(low) + 1) as f64).log2();
            }
            let noise = self.noise.clone().map(|column| {
                let parts = weights.iter().enumerate().map(|(k, &weight)| {
                    let unit = multiply(reduce(left[k * n]), reduce(right[k * m + column]));
                    multiply(reduce(weight), unit)
                });
                parts.fold(0, add)
            });
            self.noises.add(noise.collect());
        }
    }

    /// What is open.
    pub fn opened(&self) -> Opened {
        let rank = self.forms.rows.len();
        Opened { rank, bits: self.bits, noise_free: rank.saturating_sub(self.noises.rows.len()) }
    }
}

impl Echelon {
    /// Adds a row; true where it was not in the span.
    fn add(&mut self, mut row: Vec<u64>) -> bool {
        for (pivot, known) in &self.rows {
            let factor = PRIME - row[*pivot];
            if factor != PRIME {
                row.iter_mut().zip(known).for_each(|(x, &y)| *x = add(*x, multiply(factor, y)));
            }
        }
        let Some(pivot) = row.iter().position(|&x| x != 0) else { return false };
        let inverse = power(row[pivot], PRIME - 2);
        row.iter_mut().for_each(|x| *x = multiply(*x, inverse));
        self.rows.push((pivot, row));
        true
    }
}

fn dot(weights: &[i32], x: &[u64]) -> u64 {
    weights.iter().zip(x).fold(0, |sum, (&weight, &x)| add(sum, multiply(reduce(weight), x)))
}

fn reduce(value: i32) -> u64 {
    i64::from(value).rem_euclid(PRIME as i64) as u64
}

fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn multiply(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn power(base: u64, mut exponent: u64) -> u64 {
    let (mut result, mut square) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: &[(i64, i64)] = &[(0, 255), (-128, 127)];

    /// Two units over n = 3, m = 3.
    fn opening<'a>(left: &'a [i32], right: &'a [i32], combine: &'a [i32]) -> Opening<'a> {
        let units = left.len() / 3;
        Opening { left, right, combine, units, bounds: &BOUNDS[..combine.len() / units] }
    }

    fn opened(openings: &[Opening]) -> Opened {
        let mut span = Span::new(3, 3, 12, 2..3);
        openings.iter().for_each(|opening| span.add(opening));
        span.opened()
    }

    #[test]
    fn dependent_functions_open_nothing_more() {
        let (p, r) = ([1, 2, 3, 0, -1, 4], [1, 0, 0, 0, 1, 0]);
        let two = opening(&p, &r, &[1, 0, 0, 1]);
        let inside = opening(&p, &r, &[3, -7]);
        assert_eq!(opened(&[two]), Opened { rank: 2, bits: 16.0, noise_free: 2 });
        assert_eq!(opened(&[two, two, inside]), opened(&[two]));
        assert_eq!(opened(&[inside, two]).rank, 2);
    }

    #[test]
    fn the_same_form_written_otherwise_is_found() {
        // (u1 + u2)(v1 + v2) from one unit, and from four.
        let (p, r) = ([0, 1, 1], [0, 1, 1]);
        let (q, s) = ([0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1], [0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
        assert_eq!(opened(&[opening(&p, &r, &[1]), opening(&q, &s, &[1, 1, 1, 1])]).rank, 1);
    }

    #[test]
    fn shared_noise_cancels() {
        // Noise is v2; both outputs add it, so their difference is free of it.
        let (p, r) = ([0, 1, 0, 0, 0, 1, 1, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
        let both = opening(&p, &r, &[1, 0, 1, 0, 1, 1]);
        assert_eq!(opened(&[both]).noise_free, 1);
        assert_eq!(opened(&[opening(&p, &r, &[1, 0, 1])]).noise_free, 0);
        // Noise times an input is no noise where the input is 0.
        let masked = [0, 1, 0, 0, 0, 1, 0, 1, 0];
        assert_eq!(opened(&[opening(&masked, &r, &[1, 0, 1])]).noise_free, 1);
    }

    #[test]
    fn the_zero_function_opens_nothing() {
        assert_eq!(opened(&[opening(&[1, 2, 3], &[1, 1, 1], &[0])]), Opened::default());
    }
}
