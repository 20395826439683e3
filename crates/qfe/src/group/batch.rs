//! Batched affine additions.
//!
//! For `P ≠ ±Q`: `λ = (y₂ − y₁)/(x₂ − x₁)`, `x₃ = λ² − x₁ − x₂`,
//! `y₃ = λ(x₁ − x₃) − y₁`. The divisions of a batch share one inversion
//! (Montgomery's trick), which leaves 5 multiplications and 1 squaring per
//! addition. Doublings (`λ = 3x²/2y`), opposite points and infinity are
//! recognised and handled exactly, since a hostile input can force them.

use zeroize::Zeroize;

use crate::raw::{Coordinate, Field, Fp, Point};

/// Additions that share one inversion (2.75 µs, the price of 8 additions in G1).
const BATCH: usize = 512;

/// Where a batch finds its operands and puts its results. Results of one batch
/// must not be operands of other additions in it.
pub(crate) trait Additions<F> {
    /// The operands of addition `k`, each with whether it is taken negative.
    fn operands(&self, k: usize) -> [(&Point<F>, bool); 2];
    /// Where the sum goes.
    fn result(&mut self, k: usize) -> &mut Point<F>;
}

/// Operands with their signs applied.
#[inline(always)]
fn load<F: Field>(additions: &impl Additions<F>, k: usize) -> (Point<F>, Point<F>) {
    let [(a, minus_a), (b, minus_b)] = additions.operands(k);
    (a.neg_if(minus_a), b.neg_if(minus_b))
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The points differ in x: slope over `x₂ − x₁`.
    Add,
    /// Equal points: slope over `2y`.
    Double,
    /// The first is the sum (the second is infinity).
    First,
    /// The second is the sum (the first is infinity).
    Second,
    /// Opposite points.
    Infinity,
}

/// Reusable memory of a batch.
pub(crate) struct Scratch {
    kinds: Vec<Kind>,
    prefixes: Vec<Fp>,
    norms: Vec<Fp>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { kinds: vec![Kind::Infinity; BATCH], prefixes: vec![Fp::ONE; BATCH], norms: vec![Fp::ONE; BATCH] }
    }
}

/// Differences of points that may be secret.
impl Drop for Scratch {
    fn drop(&mut self) {
        self.prefixes.zeroize();
        self.norms.zeroize();
    }
}

/// Carries out `count` independent additions.
pub(crate) fn add_all<F: Coordinate>(count: usize, additions: &mut impl Additions<F>, scratch: &mut Scratch) {
    let mut start = 0;
    while start < count {
        let end = (start + BATCH).min(count);
        add_batch(start, end, additions, scratch);
        start = end;
    }
}

/// The sum of two points, by itself.
pub(crate) fn add_one<F: Coordinate>(a: Point<F>, b: Point<F>) -> Point<F> {
    let mut sum = [a];
    add_all(1, &mut ZipAdditions { left: &mut sum, right: &[b] }, &mut Scratch::new());
    sum[0]
}

fn add_batch<F: Coordinate>(start: usize, end: usize, additions: &mut impl Additions<F>, scratch: &mut Scratch) {
    let mut product = Fp::ONE;
    for k in start..end {
        let (a, b) = load(additions, k);
        let (kind, denominator) = classify(&a, &b);
        scratch.kinds[k - start] = kind;
        scratch.prefixes[k - start] = product;
        if matches!(kind, Kind::Add | Kind::Double) {
            let norm = denominator.norm();
            scratch.norms[k - start] = norm;
            product = product.mul(&norm);
        }
    }
    let mut inverse = product.inverse();
    for k in (start..end).rev() {
        let (a, b) = load(additions, k);
        let kind = scratch.kinds[k - start];
        let sum = match kind {
            Kind::First => a,
            Kind::Second => b,
            Kind::Infinity => Point::INFINITY,
            Kind::Add | Kind::Double => {
                let inverse_norm = inverse.mul(&scratch.prefixes[k - start]);
                inverse = inverse.mul(&scratch.norms[k - start]);
                let (numerator, denominator) = if kind == Kind::Add {
                    (b.y.sub(&a.y), b.x.sub(&a.x))
                } else {
                    let xx = a.x.sqr();
                    (xx.double().add(&xx), a.y.double())
                };
                let slope = numerator.mul(&denominator.with_inverse_norm(&inverse_norm));
                let x = slope.sqr().sub(&a.x).sub(&b.x);
                let y = slope.mul(&a.x.sub(&x)).sub(&a.y);
                Point { x, y }
            }
        };
        *additions.result(k) = sum;
    }
}

#[inline(always)]
fn classify<F: Field>(a: &Point<F>, b: &Point<F>) -> (Kind, F) {
    let dx = b.x.sub(&a.x);
    if b.is_infinity() {
        (Kind::First, dx)
    } else if a.is_infinity() {
        (Kind::Second, dx)
    } else if !dx.is_zero() {
        (Kind::Add, dx)
    } else if a.y == b.y && !a.y.is_zero() {
        (Kind::Double, a.y.double())
    } else {
        (Kind::Infinity, dx)
    }
}

/// Division of indices below `2^16` by a fixed number, without dividing.
#[derive(Clone, Copy)]
pub(crate) struct Width {
    pub(crate) width: usize,
    magic: u64,
}

impl Width {
    pub(crate) fn new(width: usize) -> Self {
        debug_assert!((1..1 << 16).contains(&width));
        Self { width, magic: (1u64 << 32).div_ceil(width as u64) }
    }

    /// Quotient and remainder: exact since `k·width < 2^32`.
    #[inline(always)]
    pub(crate) fn split(self, k: usize) -> (usize, usize) {
        let quotient = ((k as u64 * self.magic) >> 32) as usize;
        (quotient, k - quotient * self.width)
    }
}

/// `acc[i] += ±row[i]` for several rows at once: accumulators that lie one after
/// another, each with its own row and sign; `None` leaves an accumulator as it is.
pub(crate) struct RowAdditions<'a, F> {
    pub(crate) accumulators: &'a mut [Point<F>],
    pub(crate) rows: &'a [(usize, &'a [Point<F>], bool)],
    pub(crate) width: Width,
}

impl<F: Coordinate> Additions<F> for RowAdditions<'_, F> {
    #[inline(always)]
    fn operands(&self, k: usize) -> [(&Point<F>, bool); 2] {
        let (row, i) = self.width.split(k);
        let (accumulator, row, negative) = self.rows[row];
        [(&self.accumulators[accumulator * self.width.width + i], false), (&row[i], negative)]
    }

    #[inline(always)]
    fn result(&mut self, k: usize) -> &mut Point<F> {
        let (row, i) = self.width.split(k);
        &mut self.accumulators[self.rows[row].0 * self.width.width + i]
    }
}

/// `left[i] += right[i]`.
pub(crate) struct ZipAdditions<'a, F> {
    pub(crate) left: &'a mut [Point<F>],
    pub(crate) right: &'a [Point<F>],
}

impl<F: Coordinate> Additions<F> for ZipAdditions<'_, F> {
    #[inline(always)]
    fn operands(&self, k: usize) -> [(&Point<F>, bool); 2] {
        [(&self.left[k], false), (&self.right[k], false)]
    }

    #[inline(always)]
    fn result(&mut self, k: usize) -> &mut Point<F> {
        &mut self.left[k]
    }
}
