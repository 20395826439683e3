//! Batched affine additions, eight at a time.
//!
//! The same formulas as in [`batch`](super::batch), one addition per lane, eight
//! chains of Montgomery's trick side by side and one inversion for all of them.
//! The lanes do not look at special cases. An infinite operand is seen when it is
//! loaded, and points with equal `x` make a lane's product zero: either sends the
//! batch through the scalar code, which is exact. Honest inputs never do.

use super::batch::{Additions, Scratch, ZipAdditions, add_all};
use crate::raw::{
    Coordinate, Field, Fp, Point, Vector,
    ifma::{Fp8, Ifma},
};

/// Vectors that share one inversion.
const BATCH: usize = 128;
const LANES: usize = 8;

/// Points in the form of the lanes.
pub(crate) fn to_shifted<F: Coordinate>(token: Ifma, points: &[Point<F>]) -> Vec<Point<F>> {
    // As lanes read it, `x·2^384` times `2^448` over `2^416` is `x·2^416`.
    let power = (0..64).fold(Fp::ONE, |power, _| power.double());
    map_lanes(token, points, |x| x.scale(&Fp8::splat(token, &power)))
}

/// Points from the form of the lanes.
pub(crate) fn from_shifted<F: Coordinate>(token: Ifma, points: &[Point<F>]) -> Vec<Point<F>> {
    // As lanes read it, `x·2^416` times `2^384` over `2^416` is `x·2^384`, below `2p`.
    let mut out = map_lanes(token, points, |x| x.scale(&Fp8::splat(token, &Fp::ONE)));
    out.iter_mut().for_each(|point| *point = Point { x: point.x.add(&F::ZERO), y: point.y.add(&F::ZERO) });
    out
}

fn map_lanes<F: Coordinate>(token: Ifma, points: &[Point<F>], f: impl Fn(F::Vector) -> F::Vector) -> Vec<Point<F>> {
    let mut out = points.to_vec();
    token.run(|| map_points(token, &mut out, f));
    out
}

#[inline(always)]
fn map_points<F: Coordinate>(token: Ifma, points: &mut [Point<F>], f: impl Fn(F::Vector) -> F::Vector) {
    for points in points.chunks_mut(LANES) {
        let count = points.len();
        let at = |lane: usize| &points[lane.min(count - 1)];
        let x = f(<F::Vector as Vector>::load(token, std::array::from_fn(|lane| &at(lane).x))).unload();
        let y = f(<F::Vector as Vector>::load(token, std::array::from_fn(|lane| &at(lane).y))).unload();
        for (lane, point) in points.iter_mut().enumerate() {
            // Infinity stays all zero bits, which is how it is known.
            if !point.is_infinity() {
                *point = Point { x: x[lane], y: y[lane] };
            }
        }
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
                    let count = points.len();
                    let y = std::array::from_fn(|lane: usize| &points[lane.min(count - 1)].y);
                    let y = <F::Vector as Vector>::load(*token, y).neg_lanes(0xff).unload();
                    points.iter_mut().zip(y).for_each(|(point, y)| point.y = y);
                }
            }
        }
    }

    /// Overwrites what is left of operands; scratch of scalars does so when it is dropped.
    pub(crate) fn erase(&mut self) {
        if let Self::Lanes(vectors) = self {
            let (x, norm) = (<F::Vector as Vector>::zero(vectors.token), Fp8::zero(vectors.token));
            vectors.steps.clear();
            vectors.steps.resize(BATCH, Step { x, denominator: x, norm, prefix: norm });
            // So that the writes are not left out.
            std::hint::black_box(&vectors.steps);
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
        for points in points.chunks_mut(LANES) {
            let count = points.len();
            let at = |lane: usize| &points[lane.min(count - 1)];
            let x = <F::Vector as Vector>::load(token, std::array::from_fn(|lane| &at(lane).x));
            let y = <F::Vector as Vector>::load(token, std::array::from_fn(|lane| &at(lane).y));
            let (x, y) = (x.conjugate().mul(&cx).unload(), y.conjugate().mul(&cy).unload());
            for (lane, point) in points.iter_mut().enumerate().filter(|(_, point)| !point.is_infinity()) {
                *point = Point { x: x[lane], y: y[lane] };
            }
        }
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

/// Reusable memory of a batch.
pub(crate) struct VectorScratch<F: Coordinate> {
    steps: Vec<Step<F::Vector>>,
    token: Ifma,
}

impl<F: Coordinate> VectorScratch<F> {
    pub(crate) fn new(token: Ifma) -> Self {
        Self { steps: Vec::with_capacity(BATCH), token }
    }

    /// Carries out `count` independent additions, or doublings when every addition
    /// is of a point to itself. Points are in shifted form.
    pub(crate) fn run(&mut self, count: usize, doublings: bool, additions: &mut impl Additions<F>) {
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
        self.token.run(|| self.lanes(start, end, doublings, additions))
    }

    #[inline(always)]
    fn lanes(&mut self, start: usize, end: usize, doublings: bool, additions: &mut impl Additions<F>) -> bool {
        self.steps.clear();
        let token = self.token;
        let mut product = Fp8::splat(token, &Fp::ONE.to_shifted());
        for first in (start..end).step_by(LANES) {
            let operands = std::array::from_fn(|lane| additions.operands((first + lane).min(end - 1)));
            let left: [&Point<F>; LANES] = operands.map(|[(a, _), _]| a);
            let right: [&Point<F>; LANES] = operands.map(|[_, (b, _)]| b);
            let x = <F::Vector as Vector>::load(token, left.map(|p| &p.x));
            let (denominator, infinite) = if doublings {
                let y = <F::Vector as Vector>::load(token, left.map(|p| &p.y));
                (y.add(&y), x.zero_limbs() & y.zero_limbs())
            } else {
                let other = <F::Vector as Vector>::load(token, right.map(|p| &p.x));
                let suspects = x.zero_limbs() | other.zero_limbs();
                let infinite = (0..LANES).filter(|lane| suspects >> lane & 1 == 1).fold(0, |mask, lane| {
                    mask | u8::from(left[lane].is_infinity() || right[lane].is_infinity()) << lane
                });
                (other.sub::<3>(&x), infinite)
            };
            if infinite != 0 {
                return false;
            }
            let norm = denominator.norm();
            self.steps.push(Step { x, denominator, norm, prefix: product });
            product = product.mul(&norm);
        }
        let Some(mut inverse) = invert_lanes(&product) else { return false };
        for (number, step) in self.steps.iter().enumerate().rev() {
            let first = start + number * LANES;
            let operands = std::array::from_fn(|lane| additions.operands((first + lane).min(end - 1)));
            let inverse_norm = inverse.mul(&step.prefix);
            inverse = inverse.mul(&step.norm);
            let inverse_denominator = step.denominator.with_inverse_norm(&inverse_norm);
            let (y, numerator, twice) = slope_parts(&operands, &step.x, doublings);
            let slope = numerator.mul(&inverse_denominator);
            // x₁ + x₂ = 2x₁ + (x₂ − x₁)
            let sum = if doublings { twice } else { twice.add(&step.denominator) };
            let x = slope.sqr().sub::<5>(&sum);
            let y = slope.mul(&step.x.sub::<6>(&x)).sub::<4>(&y);
            let (x, y) = (x.unload(), y.unload());
            for lane in 0..LANES.min(end - first) {
                *additions.result(first + lane) = Point { x: x[lane], y: y[lane] };
            }
        }
        true
    }
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

/// `y₁`, the numerator of the slope, and `2x₁`.
#[inline(always)]
fn slope_parts<F: Coordinate>(
    operands: &[[(&Point<F>, bool); 2]; LANES],
    x: &F::Vector,
    doublings: bool,
) -> (F::Vector, F::Vector, F::Vector) {
    let signs = |side: usize| (0..LANES).fold(0, |mask, lane| mask | u8::from(operands[lane][side].1) << lane);
    let token = x.token();
    let load = |side: usize| {
        <F::Vector as Vector>::load(token, std::array::from_fn(|lane| &operands[lane][side].0.y)).neg_lanes(signs(side))
    };
    let y = load(0);
    let twice = x.add(x);
    if doublings {
        let square = x.sqr();
        // The denominator was 2y without the sign: so is the slope's numerator.
        let numerator = square.add(&square).add(&square).neg_lanes(signs(0));
        return (y, numerator, twice);
    }
    (y, load(1).sub::<4>(&y), twice)
}

/// The inverses of eight lanes by one inversion; `None` when a lane is zero.
pub(crate) fn invert_lanes(lanes: &Fp8) -> Option<Fp8> {
    let values = lanes.unload().map(Fp::unshifted);
    let mut prefixes = [Fp::ONE; LANES];
    let mut product = Fp::ONE;
    for (prefix, value) in prefixes.iter_mut().zip(&values) {
        *prefix = product;
        product = product.mul(value);
    }
    if product.is_zero() {
        return None;
    }
    let mut inverse = product.inverse();
    let mut inverses = [Fp::ONE; LANES];
    for k in (0..LANES).rev() {
        inverses[k] = inverse.mul(&prefixes[k]).to_shifted();
        inverse = inverse.mul(&values[k]);
    }
    Some(Fp8::load(lanes.token(), std::array::from_fn(|k| &inverses[k])))
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
