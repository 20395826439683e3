//! Coordinates of points as vectors load and store them.
//!
//! Vectors read and write points in place: arrays of elements or of pointers would pass through memory
//! in pieces of another size, for which the processor waits.

use std::marker::PhantomData;

use super::batch::Additions;
use crate::raw::{Coordinate, Field, Lanes, LanesMut, Point};

pub(super) const LANES: usize = 8;

/// One of a point's coordinates.
pub(super) trait Axis {
    fn of<F>(point: &Point<F>) -> &F;
    fn of_mut<F>(point: &mut Point<F>) -> &mut F;
}

pub(super) struct X;
pub(super) struct Y;

impl Axis for X {
    #[inline(always)]
    fn of<F>(point: &Point<F>) -> &F {
        &point.x
    }

    #[inline(always)]
    fn of_mut<F>(point: &mut Point<F>) -> &mut F {
        &mut point.x
    }
}

impl Axis for Y {
    #[inline(always)]
    fn of<F>(point: &Point<F>) -> &F {
        &point.y
    }

    #[inline(always)]
    fn of_mut<F>(point: &mut Point<F>) -> &mut F {
        &mut point.y
    }
}

/// At most eight points that lie side by side; the last one in the lanes that are left.
pub(super) struct Slice<'a, F, A>(pub(super) &'a [Point<F>], pub(super) PhantomData<A>);

impl<F, A: Axis> Lanes<F> for Slice<'_, F, A> {
    #[inline(always)]
    fn lane(&self, lane: usize) -> &F {
        A::of(&self.0[lane.min(self.0.len() - 1)])
    }
}

/// Those of at most eight points that a mask says are finite.
pub(super) struct FiniteMut<'a, F, A>(pub(super) &'a mut [Point<F>], pub(super) u8, pub(super) PhantomData<A>);

impl<F, A: Axis> LanesMut<F> for FiniteMut<'_, F, A> {
    #[inline(always)]
    fn place(&mut self, lane: usize) -> Option<&mut F> {
        self.0.get_mut(lane).filter(|_| self.1 >> lane & 1 == 1).map(A::of_mut)
    }
}

/// The mask of finite points.
#[inline(always)]
pub(super) fn finite<F: Field>(points: &[Point<F>]) -> u8 {
    points.iter().enumerate().fold(0, |mask, (lane, point)| mask | u8::from(!point.is_infinity()) << lane)
}

/// The operands of eight additions, and the lanes in which they are taken negative.
pub(super) struct Operands<'a, F> {
    pub(super) points: [[&'a Point<F>; LANES]; 2],
    pub(super) negative: [u8; 2],
}

impl<'a, F: Coordinate> Operands<'a, F> {
    /// From `first` on; the last addition in the lanes that are left.
    #[inline(always)]
    pub(super) fn new(additions: &'a impl Additions<F>, first: usize, end: usize) -> Self {
        let [(left, minus), (right, minus_right)] = additions.operands(first);
        let mut points = [[left; LANES], [right; LANES]];
        let mut negative = [u8::from(minus), u8::from(minus_right)];
        let [lefts, rights] = &mut points;
        for (lane, sides) in lefts.iter_mut().zip(rights).enumerate().skip(1) {
            let [(left, minus), (right, minus_right)] = additions.operands((first + lane).min(end - 1));
            (*sides.0, *sides.1) = (left, right);
            negative[0] |= u8::from(minus) << lane;
            negative[1] |= u8::from(minus_right) << lane;
        }
        Self { points, negative }
    }
}

/// One side of eight additions.
pub(super) struct Side<'a, F, A>(pub(super) &'a [&'a Point<F>; LANES], pub(super) PhantomData<A>);

impl<F, A: Axis> Lanes<F> for Side<'_, F, A> {
    #[inline(always)]
    fn lane(&self, lane: usize) -> &F {
        A::of(self.0[lane])
    }
}

/// Where the sums of so many additions go, from a first one on.
pub(super) struct Results<'a, R, A>(
    pub(super) &'a mut R,
    pub(super) usize,
    pub(super) usize,
    pub(super) PhantomData<A>,
);

impl<F: Coordinate, R: Additions<F>, A: Axis> LanesMut<F> for Results<'_, R, A> {
    #[inline(always)]
    fn place(&mut self, lane: usize) -> Option<&mut F> {
        (lane < self.2).then(|| A::of_mut(self.0.result(self.1 + lane)))
    }
}
