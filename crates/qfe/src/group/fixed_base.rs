//! One scalar times every base of a public key, in lock-step.
//!
//! A scalar is split by the curve's endomorphism `ψ` (eigenvalue `μ`) into short
//! parts, `k = Σ_e k_e μ^e`, and each part into signed digits of a few bits. The
//! table holds `d·2^offset·B_i` for every digit `d` of every window and every base
//! `B_i`. The digits are the same for all bases, so each step adds one table row
//! to a row of accumulators, with one inversion for all. Every part has its own
//! accumulator; the endomorphism is applied once per base at the end.
//!
//! Row addresses depend on the scalar: everything here is variable-time.

use std::ops::Range;

#[cfg(feature = "progress")]
use host::Progress;
use rayon::{iter::repeat_n, prelude::*};
use zeroize::{Zeroize, Zeroizing};

use super::{
    batch::{RowAdditions, Width, ZipAdditions},
    vector::{Adder, to_shifted, unshift},
    windows::Layout,
};
use crate::raw::{Coordinate, Point, Scalar, Storage, ifma::Ifma};

/// The table of one group's bases.
pub(crate) struct FixedBase<F: Coordinate> {
    layout: Layout,
    /// Block after block of bases, row after row within a block.
    points: Storage<Point<F>>,
    /// Given when the points are in the shifted form of the vector lanes.
    lanes: Option<Ifma>,
}

impl<F: Coordinate> FixedBase<F> {
    /// The layout for `bases` bases within `max_bytes`; at best 10 windows per 64 bits.
    fn layout_for(bases: usize, max_bytes: usize) -> Layout {
        let row = bases.max(1) * std::mem::size_of::<Point<F>>();
        Layout::within(F::SPLIT_BITS, F::SPLIT_BITS * 10 / 64, max_bytes / row)
    }

    /// Points of the table of `bases` bases within `max_bytes`.
    pub(crate) fn size(bases: usize, max_bytes: usize) -> usize {
        bases * Self::layout_for(bases, max_bytes).rows
    }

    /// Batched additions that building the table takes.
    #[cfg(feature = "progress")]
    pub(crate) fn build_additions(bases: usize, max_bytes: usize) -> usize {
        let layout = Self::layout_for(bases, max_bytes);
        bases * (layout.rows + layout.windows.last().map_or(0, |top| top.offset as usize))
    }

    /// Batched additions that one scalar costs over all bases.
    #[cfg(feature = "bench")]
    pub(crate) fn additions(&self) -> usize {
        self.points().len() / self.layout.rows * (F::SPLIT * self.layout.windows.len() - 1)
    }

    #[cfg(feature = "progress")]
    pub(crate) fn build(bases: &[Point<F>], max_bytes: usize, progress: &dyn Progress) -> Self {
        let mut unfilled = Unfilled::new(bases, max_bytes);
        let Unfilled { bases, layout, points, lanes, .. } = &mut unfilled;
        let jobs: Vec<_> = blocks(bases.len()).zip(split(points, bases.len(), layout.rows)).collect();
        jobs.into_par_iter().with_max_len(1).for_each(|(block, points)| {
            fill_block(layout, &bases[block], points, *lanes, |count| progress.advance(count as u64));
        });
        unfilled.table()
    }

    /// A table over points stored earlier; `None` when their number is not that of
    /// this layout.
    #[cfg(feature = "files")]
    pub(crate) fn from_storage(
        bases: usize,
        max_bytes: usize,
        points: Storage<Point<F>>,
        lanes: Option<Ifma>,
    ) -> Option<Self> {
        let layout = Self::layout_for(bases, max_bytes);
        (points.as_slice().len() == bases * layout.rows).then_some(Self { layout, points, lanes })
    }

    #[cfg(any(feature = "bench", feature = "files"))]
    pub(crate) fn points(&self) -> &[Point<F>] {
        self.points.as_slice()
    }

    /// The digits that [`Self::mul_block_vartime`] reads.
    pub(crate) fn digits(&self, scalars: &[Scalar]) -> Digits {
        let of = |scalar| {
            let parts = F::split_vartime(scalar);
            parts.iter().map(|&(part, sign)| (self.layout.digits(part), sign)).collect()
        };
        Digits(scalars.iter().map(of).collect())
    }

    /// `out[i·S + s] = scalars[s]·B_i` for all `S` scalars and one block of bases, of [`blocks`].
    pub(crate) fn mul_block_vartime(&self, digits: &Digits, block: Range<usize>) -> Zeroizing<Vec<Point<F>>> {
        let rows = &self.points.as_slice()[block.start * self.layout.rows..block.end * self.layout.rows];
        let mut out = Zeroizing::new(vec![Point::INFINITY; digits.0.len() * block.len()]);
        self.add_rows(&digits.0, rows, &mut out);
        if let Some(token) = self.lanes {
            unshift(token, &mut out);
        }
        out
    }

    fn add_rows(&self, digits: &[Vec<(Vec<i32>, bool)>], table: &[Point<F>], out: &mut [Point<F>]) {
        let width = out.len() / digits.len();
        let parts = digits.len() * F::SPLIT;
        let copies = copies(self.layout.windows.len(), parts * width);
        let mut accumulators = Zeroizing::new(vec![Point::INFINITY; copies * parts * width]);
        let mut adder = Adder::new(self.lanes);
        let mut started = vec![false; copies * parts];
        for (windows, places) in self.layout.windows.chunks(copies).zip((0..).step_by(copies)) {
            let mut rows = Vec::new();
            for (copy, window) in windows.iter().enumerate() {
                for (part, (digits, negative)) in digits.iter().flatten().enumerate() {
                    let digit = digits[places + copy];
                    if digit == 0 {
                        continue;
                    }
                    let row = window.first_row + digit.unsigned_abs() as usize - 1;
                    let row = &table[row * width..(row + 1) * width];
                    let negative = (digit < 0) != *negative;
                    let k = copy * parts + part;
                    if std::mem::replace(&mut started[k], true) {
                        rows.push((k, row, negative));
                    } else {
                        let accumulator = &mut accumulators[k * width..(k + 1) * width];
                        accumulator.copy_from_slice(row);
                        if negative {
                            adder.negate(accumulator);
                        }
                    }
                }
            }
            let mut step = RowAdditions { accumulators: &mut accumulators, rows: &rows, width: Width::new(width) };
            adder.add(rows.len() * width, &mut step);
        }
        let mut count = copies * parts;
        while count > parts {
            count /= 2;
            let (sums, others) = accumulators.split_at_mut(count * width);
            let mut rows = Vec::new();
            for k in 0..count {
                if !started[count + k] {
                    continue;
                }
                let row = &others[k * width..(k + 1) * width];
                if std::mem::replace(&mut started[k], true) {
                    rows.push((k, row, false));
                } else {
                    sums[k * width..(k + 1) * width].copy_from_slice(row);
                }
            }
            let mut step = RowAdditions { accumulators: sums, rows: &rows, width: Width::new(width) };
            adder.add(rows.len() * width, &mut step);
        }
        // Horner in the endomorphism: acc_e ← acc_e + ψ(acc_{e+1}), for all scalars together.
        let mut high = Zeroizing::new(vec![Point::INFINITY; digits.len() * width]);
        for e in (0..F::SPLIT - 1).rev() {
            for (high, parts) in high.chunks_exact_mut(width).zip(accumulators.chunks_exact(F::SPLIT * width)) {
                high.copy_from_slice(&parts[(e + 1) * width..][..width]);
            }
            adder.endomorphism(&mut high);
            let row = |s: usize| (s * F::SPLIT + e, &high[s * width..][..width], false);
            let rows: Vec<_> = (0..digits.len()).map(row).collect();
            let mut step = RowAdditions { accumulators: &mut accumulators, rows: &rows, width: Width::new(width) };
            adder.add(rows.len() * width, &mut step);
        }
        for (s, parts) in accumulators.chunks_exact(F::SPLIT * width).take(digits.len()).enumerate() {
            for (i, point) in parts[..width].iter().enumerate() {
                out[i * digits.len() + s] = *point;
            }
        }
        adder.erase();
    }
}

/// Additions that should share an inversion.
const SHARE: usize = 1024;

/// Copies of the accumulators, a power of two, each for some of the windows: so many that enough additions share an
/// inversion, but each for two windows at least.
fn copies(windows: usize, points: usize) -> usize {
    let wanted = SHARE.div_ceil(points.max(1)).next_power_of_two();
    let most = 1 << (windows / 2).max(1).ilog2();
    wanted.min(most)
}

/// A table while its blocks are filled one after another.
pub(crate) struct Unfilled<F: Coordinate> {
    bases: Vec<Point<F>>,
    layout: Layout,
    points: Vec<Point<F>>,
    lanes: Option<Ifma>,
    next: usize,
}

impl<F: Coordinate> Unfilled<F> {
    pub(crate) fn new(bases: &[Point<F>], max_bytes: usize) -> Self {
        let layout = FixedBase::<F>::layout_for(bases.len(), max_bytes);
        let lanes = Ifma::detect();
        // Fresh memory costs as much as several additions: all threads ask for it.
        let points = repeat_n(Point::INFINITY, bases.len() * layout.rows).collect();
        let bases = lanes.map_or_else(|| bases.to_vec(), |token| to_shifted(token, bases));
        Self { bases, layout, points, lanes, next: 0 }
    }

    /// Fills the next block; false when none was left.
    pub(crate) fn step(&mut self) -> bool {
        let Some(block) = blocks(self.bases.len()).nth(self.next) else { return false };
        let points = &mut self.points[block.start * self.layout.rows..block.end * self.layout.rows];
        fill_block(&self.layout, &self.bases[block], points, self.lanes, |_| ());
        self.next += 1;
        true
    }

    /// The table, once every block is filled.
    pub(crate) fn table(self) -> FixedBase<F> {
        let Self { layout, points, lanes, .. } = self;
        FixedBase { layout, points: Storage::Owned(points), lanes }
    }
}

/// For every scalar and every part of it by the endomorphism: digits, and whether the part is negative.
pub(crate) struct Digits(Vec<Vec<(Vec<i32>, bool)>>);

impl Drop for Digits {
    fn drop(&mut self) {
        self.0.iter_mut().flatten().for_each(|(digits, _)| digits.zeroize());
    }
}

/// Bases in blocks that threads take one by one: an even number of at most 128 bases each. More would leave few additions
/// to share an inversion.
pub(crate) fn blocks(bases: usize) -> impl Iterator<Item = Range<usize>> {
    let count = if bases < 16 { 1 } else { 2 * bases.div_ceil(256) };
    (0..count).map(move |k| k * bases / count..(k + 1) * bases / count)
}

/// The parts of `all` that belong to the [`blocks`], at `each` entries for one base.
#[cfg(feature = "progress")]
fn split<T>(all: &mut [T], bases: usize, each: usize) -> Vec<&mut [T]> {
    let mut rest = all;
    let part = |block: Range<usize>| rest.split_off_mut(..block.len() * each).unwrap_or_default();
    blocks(bases).map(part).collect()
}

/// Rows `1·B, 2·B, … ` of every window for one block of bases.
fn fill_block<F: Coordinate>(
    layout: &Layout,
    bases: &[Point<F>],
    points: &mut [Point<F>],
    lanes: Option<Ifma>,
    progress: impl Fn(usize),
) {
    let width = bases.len();
    let mut adder = Adder::new(lanes);
    let mut base = bases.to_vec();
    let mut offset = 0;
    for window in &layout.windows {
        while offset < window.offset {
            let copy = base.clone();
            adder.double(width, &mut ZipAdditions { left: &mut base, right: &copy });
            offset += 1;
            progress(width);
        }
        let rows = &mut points[window.first_row * width..][..window.digits * width];
        rows[..width].copy_from_slice(&base);
        // Rows 1..=d give rows d+1..=2d by adding row d; row 2d is a doubling.
        let mut done = 1;
        while done < window.digits {
            let next = done.min(window.digits - done);
            let (known, fresh) = rows.split_at_mut(done * width);
            let fresh = &mut fresh[..next * width];
            fresh.copy_from_slice(&known[..next * width]);
            let top = &known[(done - 1) * width..];
            let doubled = next == done;
            let rows: Vec<_> = (0..next).map(|k| (k, top, false)).collect();
            let (last, others) = rows.split_last().map_or((None, &[][..]), |(last, others)| (Some(*last), others));
            let (sums, double) = if doubled { (others, last) } else { (rows.as_slice(), None) };
            let mut step = RowAdditions { accumulators: &mut *fresh, rows: sums, width: Width::new(width) };
            adder.add(sums.len() * width, &mut step);
            if let Some(row) = double {
                let mut step = RowAdditions { accumulators: fresh, rows: &[row], width: Width::new(width) };
                adder.double(width, &mut step);
            }
            done += next;
            progress(next * width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::{Fp, Fp2};

    #[test]
    fn copies_fill_a_batch_with_two_windows_each() {
        assert_eq!([64, 128, 784, 1024, 5000].map(|points| copies(10, points)), [4, 4, 2, 1, 1]);
        assert_eq!([(20, 64), (20, 32), (3, 1), (1, 1)].map(|(windows, points)| copies(windows, points)), [8, 8, 1, 1]);
    }

    /// Every digit from none to all, so that copies of accumulators start late or never.
    fn multiples<F: Coordinate>() {
        let bases: Vec<Point<F>> = (1..4).map(|k| F::scalar_mul(&F::generator(), &Scalar::from_i64(k))).collect();
        let mut table = Unfilled::new(&bases, 0);
        while table.step() {}
        let table = table.table();
        let all = Scalar::from_i64(-1);
        for scalars in [[0, 1], [1 << 20, 1 << 62], [-5, i64::MAX]].map(|pair| pair.map(Scalar::from_i64)) {
            for scalars in [scalars, [scalars[0], all]] {
                let found = table.mul_block_vartime(&table.digits(&scalars), 0..bases.len());
                for (i, base) in bases.iter().enumerate() {
                    for (s, scalar) in scalars.iter().enumerate() {
                        assert!(found[2 * i + s] == F::scalar_mul(base, scalar));
                    }
                }
            }
        }
    }

    #[test]
    fn tables_multiply_by_any_scalar() {
        multiples::<Fp>();
        multiples::<Fp2>();
    }
}
