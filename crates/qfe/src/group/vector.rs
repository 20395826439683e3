//! Batched affine additions, eight at a time.
//!
//! The same formulas as in [`batch`](super::batch), one addition per lane, eight
//! chains of Montgomery's trick side by side and one inversion for all of them.
//! The lanes do not look at special cases. An infinite operand is seen when it is
//! loaded, and points with equal `x` make a lane's product zero: either sends the
//! batch through the scalar code, which is exact. Honest inputs never do.

use std::{any::Any, cell::RefCell, marker::PhantomData, mem};

use super::{
    batch::{Additions, Scratch, ZipAdditions, add_all},
    coordinates::{FiniteMut, Operands, Results, Side, Slice, X, Y, finite},
};
use crate::raw::{
    Coordinate, Field, Fp, Point, Vector,
    ifma::{Fp8, Ifma},
};

/// Vectors that share one inversion.
const BATCH: usize = 128;
const LANES: usize = 8;

/// Points in the form of the lanes.
pub(crate) fn to_shifted<F: Coordinate>(token: Ifma, points: &[Point<F>]) -> Vec<Point<F>> {
    let mut out = points.to_vec();
    shift(token, &mut out);
    out
}

/// Points from the form of the lanes.
pub(crate) fn from_shifted<F: Coordinate>(token: Ifma, points: &[Point<F>]) -> Vec<Point<F>> {
    let mut out = points.to_vec();
    unshift(token, &mut out);
    out
}

/// Brings points into the form of the lanes.
pub(crate) fn shift<F: Coordinate>(token: Ifma, points: &mut [Point<F>]) {
    // As lanes read it, `x·2^384` times `2^448` over `2^416` is `x·2^416`.
    let power = (0..64).fold(Fp::ONE, |power, _| power.double());
    token.run(|| map_points(token, points, |x| x.scale(&Fp8::splat(token, &power))));
}

/// Brings points back from the form of the lanes.
pub(crate) fn unshift<F: Coordinate>(token: Ifma, points: &mut [Point<F>]) {
    // As lanes read it, `x·2^416` times `2^384` over `2^416` is `x·2^384`, below `2p`.
    token.run(|| map_points(token, points, |x| x.scale(&Fp8::splat(token, &Fp::ONE))));
    points.iter_mut().for_each(|point| *point = Point { x: point.x.add(&F::ZERO), y: point.y.add(&F::ZERO) });
}

#[inline(always)]
fn map_points<F: Coordinate>(token: Ifma, points: &mut [Point<F>], f: impl Fn(F::Vector) -> F::Vector) {
    for points in points.chunks_mut(LANES) {
        let x = f(<F::Vector as Vector>::load_from(token, &Slice::<_, X>(points, PhantomData)));
        let y = f(<F::Vector as Vector>::load_from(token, &Slice::<_, Y>(points, PhantomData)));
        // Infinity stays all zero bits, which is how it is known.
        let finite = finite(points);
        x.unload_to(&mut FiniteMut::<_, X>(points, finite, PhantomData));
        y.unload_to(&mut FiniteMut::<_, Y>(points, finite, PhantomData));
    }
}

/// Additions by lanes or by scalars, as the form of the points demands.
pub(crate) enum Adder<F: Coordinate> {
    Scalar(Scratch),
    Lanes(VectorScratch<F>),
}

impl<F: Coordinate> Adder<F> {
    pub(crate) fn new(lanes: Option<Ifma>) -> Self {
        lanes.map_or_else(|| Self::Scalar(Scratch::new()), |token| Self::Lanes(VectorScratch::new(token)))
    }

    pub(crate) fn add(&mut self, count: usize, additions: &mut impl Additions<F>) {
        match self {
            Self::Scalar(scratch) => add_all(count, additions, scratch),
            Self::Lanes(vectors) => vectors.run(count, false, additions),
        }
    }

    /// Additions of points to themselves.
    pub(crate) fn double(&mut self, count: usize, additions: &mut impl Additions<F>) {
        match self {
            Self::Scalar(scratch) => add_all(count, additions, scratch),
            Self::Lanes(vectors) => vectors.run(count, true, additions),
        }
    }
}

impl<F: Coordinate> Adder<F> {
    /// Takes the negative of every point.
    pub(crate) fn negate(&self, points: &mut [Point<F>]) {
        match self {
            Self::Scalar(_) => points.iter_mut().for_each(|point| *point = point.neg()),
            // Values of lanes are not reduced: only lanes can negate them.
            Self::Lanes(VectorScratch { token, .. }) => {
                for points in points.chunks_mut(LANES) {
                    let y = <F::Vector as Vector>::load_from(*token, &Slice::<_, Y>(points, PhantomData));
                    y.neg_lanes(0xff).unload_to(&mut FiniteMut::<_, Y>(points, 0xff, PhantomData));
                }
            }
        }
    }

    /// Overwrites what is left of operands; scratch of scalars does so when it is dropped.
    pub(crate) fn erase(&mut self) {
        if let Self::Lanes(vectors) = self {
            vectors.erase();
        }
    }

    /// Applies the curve's endomorphism to every point.
    pub(crate) fn endomorphism(&self, points: &mut [Point<F>]) {
        let token = match self {
            Self::Scalar(_) => return points.iter_mut().for_each(|point| *point = point.endomorphism()),
            Self::Lanes(vectors) => vectors.token,
        };
        let (cx, cy) = F::endomorphism_constants();
        let constant = |c: &F| {
            let c = c.to_shifted();
            <F::Vector as Vector>::load(token, [&c; LANES])
        };
        let (cx, cy) = (constant(cx), constant(cy));
        token.run(|| {
            for points in points.chunks_mut(LANES) {
                let x = <F::Vector as Vector>::load_from(token, &Slice::<_, X>(points, PhantomData));
                let y = <F::Vector as Vector>::load_from(token, &Slice::<_, Y>(points, PhantomData));
                let finite = finite(points);
                x.conjugate().mul(&cx).unload_to(&mut FiniteMut::<_, X>(points, finite, PhantomData));
                y.conjugate().mul(&cy).unload_to(&mut FiniteMut::<_, Y>(points, finite, PhantomData));
            }
        });
    }
}

/// What the backward pass needs of one vector.
#[derive(Clone, Copy)]
struct Step<V> {
    x: V,
    denominator: V,
    norm: Fp8,
    prefix: Fp8,
}

thread_local! {
    /// Memory of scratches that were dropped, one for each type: fresh memory of a whole batch costs more than a few additions.
    static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Reusable memory of a batch, which the thread keeps.
pub(crate) struct VectorScratch<F: Coordinate> {
    steps: Vec<Step<F::Vector>>,
    /// Steps that hold something of operands.
    used: usize,
    token: Ifma,
}

impl<F: Coordinate> VectorScratch<F> {
    pub(crate) fn new(token: Ifma) -> Self {
        let kept = KEPT.with_borrow_mut(|kept| kept.iter_mut().find_map(|kept| kept.downcast_mut().map(mem::take)));
        let mut steps: Vec<Step<F::Vector>> = kept.unwrap_or_default();
        if steps.is_empty() {
            steps = vec![no_step::<F>(token); BATCH];
        }
        Self { steps, used: 0, token }
    }

    fn erase(&mut self) {
        let none = no_step::<F>(self.token);
        self.steps[..self.used].fill(none);
        // So that the writes are not left out.
        std::hint::black_box(&self.steps);
        self.used = 0;
    }

    /// Carries out `count` independent additions, or doublings when every addition
    /// is of a point to itself. Points are in shifted form.
    pub(crate) fn run(&mut self, count: usize, doublings: bool, additions: &mut impl Additions<F>) {
        self.used = self.used.max(count.div_ceil(LANES).min(BATCH));
        let mut start = 0;
        while start < count {
            let end = (start + BATCH * LANES).min(count);
            if !self.batch(start, end, doublings, additions) {
                exact_batch(start, end, additions);
            }
            start = end;
        }
    }

    /// False when a lane met a special case: then nothing was stored.
    fn batch(&mut self, start: usize, end: usize, doublings: bool, additions: &mut impl Additions<F>) -> bool {
        let token = self.token;
        token.run(|| {
            if doublings {
                self.lanes::<true>(start, end, additions)
            } else {
                self.lanes::<false>(start, end, additions)
            }
        })
    }

    #[inline(always)]
    fn lanes<const DOUBLINGS: bool>(&mut self, start: usize, end: usize, additions: &mut impl Additions<F>) -> bool {
        let token = self.token;
        let steps = &mut self.steps[..(end - start).div_ceil(LANES)];
        let mut product = Fp8::splat(token, &Fp::ONE.to_shifted());
        for (number, step) in steps.iter_mut().enumerate() {
            let operands = Operands::new(additions, start + number * LANES, end);
            let [left, right] = &operands.points;
            step.x = <F::Vector as Vector>::load_from(token, &Side::<_, X>(left, PhantomData));
            let infinite = if DOUBLINGS {
                let y = <F::Vector as Vector>::load_from(token, &Side::<_, Y>(left, PhantomData));
                step.denominator = y.add(&y);
                step.x.zero_limbs() & y.zero_limbs()
            } else {
                let other = <F::Vector as Vector>::load_from(token, &Side::<_, X>(right, PhantomData));
                step.denominator = other.sub::<3>(&step.x);
                let suspects = step.x.zero_limbs() | other.zero_limbs();
                (0..LANES).filter(|lane| suspects >> lane & 1 == 1).fold(0, |mask, lane| {
                    mask | u8::from(left[lane].is_infinity() || right[lane].is_infinity()) << lane
                })
            };
            if infinite != 0 {
                return false;
            }
            step.norm = step.denominator.norm();
            step.prefix = product;
            product = product.mul(&step.norm);
        }
        let Some(mut inverse) = invert_lanes(&product) else { return false };
        for (number, step) in steps.iter().enumerate().rev() {
            let first = start + number * LANES;
            let operands = Operands::new(additions, first, end);
            let [left, right] = &operands.points;
            let inverse_norm = inverse.mul(&step.prefix);
            inverse = inverse.mul(&step.norm);
            let inverse_denominator = step.denominator.with_inverse_norm(&inverse_norm);
            let [minus, minus_right] = operands.negative;
            let y = <F::Vector as Vector>::load_from(token, &Side::<_, Y>(left, PhantomData)).neg_lanes(minus);
            let twice = step.x.add(&step.x);
            let (numerator, sum) = if DOUBLINGS {
                let square = step.x.sqr();
                // The denominator was 2y without the sign: so is the slope's numerator.
                (square.add(&square).add(&square).neg_lanes(minus), twice)
            } else {
                let other = <F::Vector as Vector>::load_from(token, &Side::<_, Y>(right, PhantomData));
                // x₁ + x₂ = 2x₁ + (x₂ − x₁)
                (other.neg_lanes(minus_right).sub::<4>(&y), twice.add(&step.denominator))
            };
            let slope = numerator.mul(&inverse_denominator);
            let x = slope.sqr().sub::<5>(&sum);
            let y = slope.mul(&step.x.sub::<6>(&x)).sub::<4>(&y);
            let last = (end - first).min(LANES);
            x.unload_to(&mut Results::<_, X>(additions, first, last, PhantomData));
            y.unload_to(&mut Results::<_, Y>(additions, first, last, PhantomData));
        }
        true
    }
}

impl<F: Coordinate> Drop for VectorScratch<F> {
    fn drop(&mut self) {
        let steps = mem::take(&mut self.steps);
        // A thread that ends keeps nothing.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            match kept.iter_mut().find_map(|kept| kept.downcast_mut()) {
                Some(place) => *place = steps,
                None => kept.push(Box::new(steps)),
            }
        });
    }
}

fn no_step<F: Coordinate>(token: Ifma) -> Step<F::Vector> {
    let (x, norm) = (<F::Vector as Vector>::zero(token), Fp8::zero(token));
    Step { x, denominator: x, norm, prefix: norm }
}

/// A batch with special cases, by scalars.
fn exact_batch<F: Coordinate>(start: usize, end: usize, additions: &mut impl Additions<F>) {
    let operand = |k: usize, side: usize| {
        let (point, negative) = additions.operands(k)[side];
        point.unshifted().neg_if(negative)
    };
    let mut left: Vec<Point<F>> = (start..end).map(|k| operand(k, 0)).collect();
    let right: Vec<Point<F>> = (start..end).map(|k| operand(k, 1)).collect();
    add_all(left.len(), &mut ZipAdditions { left: &mut left, right: &right }, &mut Scratch::new());
    for (k, sum) in (start..end).zip(left) {
        *additions.result(k) = sum.to_shifted();
    }
}

/// The inverses of eight lanes by one inversion; `None` when a lane is zero.
pub(crate) fn invert_lanes(lanes: &Fp8) -> Option<Fp8> {
    // Of lane k, the products of the lanes from k on: two, four, eight of them.
    let two = lanes.mul(&lanes.rotate(1));
    let four = two.mul(&two.rotate(2));
    let others = lanes.rotate(1).mul(&two.rotate(2)).mul(&four.rotate(4));
    let product = others.mul(lanes).unload()[0].unshifted();
    let inverse = (!product.is_zero()).then(|| product.inverse().to_shifted())?;
    Some(others.mul(&Fp8::splat(lanes.token(), &inverse)))
}

/// The inverses of all lanes by one inversion; `None` when a lane is zero.
#[cfg(feature = "verify")]
#[inline(always)]
pub(crate) fn invert_all(values: &[Fp8]) -> Option<Vec<Fp8>> {
    let Some(first) = values.first() else { return Some(Vec::new()) };
    let mut product = *first;
    // Products of what lies before.
    let mut out = vec![*first];
    for value in &values[1..] {
        out.push(product);
        product = product.mul(value);
    }
    let mut inverse = invert_lanes(&product)?;
    for (place, value) in out.iter_mut().zip(values).skip(1).rev() {
        *place = inverse.mul(place);
        inverse = inverse.mul(value);
    }
    out[0] = inverse;
    Some(out)
}

#[cfg(test)]
mod tests;
