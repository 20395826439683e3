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
        Self { kinds: Vec::new(), prefixes: Vec::new(), norms: Vec::new() }
    }

    /// Room for so many additions.
    fn reserve(&mut self, count: usize) {
        if self.kinds.len() < count {
            // What is replaced is erased.
            *self = Self {
                kinds: vec![Kind::Infinity; count],
                prefixes: vec![Fp::ONE; count],
                norms: vec![Fp::ONE; count],
            };
        }
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
    scratch.reserve(count.min(BATCH));
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

fn add_batch<F: Coordinate, A: Additions<F>>(start: usize, end: usize, additions: &mut A, scratch: &mut Scratch) {
    let Scratch { kinds, prefixes, norms } = scratch;
    let mut product = Fp::ONE;
    for k in start..end {
        prefetch(additions, (k + 1).min(end - 1));
        let [(a, _), (b, _)] = additions.operands(k);
        let dx = b.x.sub(&a.x);
        // Whatever may be special has a zero here.
        let (kind, denominator) = if dx.is_zero() || a.x.is_zero() || b.x.is_zero() {
            let (a, b) = load(additions, k);
            classify(&a, &b)
        } else {
            (Kind::Add, dx)
        };
        kinds[k - start] = kind;
        prefixes[k - start] = product;
        if matches!(kind, Kind::Add | Kind::Double) {
            let norm = denominator.norm();
            norms[k - start] = norm;
            product = product.mul(&norm);
        }
    }
    let mut inverse = product.inverse();
    for k in (start..end).rev() {
        prefetch(additions, k.saturating_sub(1).max(start));
        let kind = kinds[k - start];
        let mut inverse_norm = Fp::ZERO;
        if matches!(kind, Kind::Add | Kind::Double) {
            inverse_norm = inverse.mul(&prefixes[k - start]);
            inverse = inverse.mul(&norms[k - start]);
        }
        let sum = if kind == Kind::Add {
            add_distinct(additions.operands(k), &inverse_norm)
        } else {
            let (a, b) = load(additions, k);
            match kind {
                Kind::First => a,
                Kind::Second => b,
                Kind::Double => {
                    let xx = a.x.sqr();
                    let slope = xx.double().add(&xx).mul(&a.y.double().with_inverse_norm(&inverse_norm));
                    let x = slope.sqr().sub(&a.x).sub(&a.x);
                    Point { x, y: slope.mul(&a.x.sub(&x)).sub(&a.y) }
                }
                Kind::Add | Kind::Infinity => Point::INFINITY,
            }
        };
        *additions.result(k) = sum;
    }
}

#[inline(always)]
fn prefetch<F: Coordinate>(additions: &impl Additions<F>, k: usize) {
    let [(a, _), (b, _)] = additions.operands(k);
    a.prefetch();
    b.prefetch();
}

/// The sum of two points that differ in `x`, from the inverse of the norm of `x₂ − x₁`.
#[inline(always)]
fn add_distinct<F: Coordinate>([(a, minus_a), (b, minus_b)]: [(&Point<F>, bool); 2], inverse_norm: &Fp) -> Point<F> {
    let inverse = b.x.sub(&a.x).with_inverse_norm(inverse_norm);
    // Of unlike signs, the slope is −(y₁ + y₂)/(x₂ − x₁): its sign goes to x₁ − x₃.
    let unlike = minus_a != minus_b;
    let slope = if unlike { b.y.add(&a.y) } else { b.y.sub(&a.y) }.mul(&inverse);
    let x = slope.sqr().sub(&a.x).sub(&b.x);
    let run = if unlike { x.sub(&a.x) } else { a.x.sub(&x) };
    let y = slope.mul(&run).sub(&a.y);
    Point { x, y: if minus_a { y.neg() } else { y } }
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
