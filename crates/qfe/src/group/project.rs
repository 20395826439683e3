//! Projection of many points by a matrix of small integers.
//!
//! Rows are cut into signed digits of at most four bits. A *pass* takes a few digit rows at once and drops every column
//! into the bucket named by its tuple of digits, up to sign. So one addition per column serves all rows of the pass
//! (the transposed method of the Four Russians). Sums over buckets with equal digit of one row, then over digits with
//! equal bit, then doublings finish it. The cost is linear in the weight bits: about 7 bits per pass over the columns.
//!
//! Weights that are used many times are compiled more thoroughly: sums of two columns that passes have in common
//! (see [`common`](super::common)) save a fifth of the additions at 65 inputs and 64 units, and 2 % at 785 and 40.

#[cfg(any(test, feature = "verify"))]
use std::borrow::Cow;

use rayon::prelude::*;

#[cfg(any(test, feature = "verify"))]
use super::vector::to_shifted;
#[cfg(feature = "evaluate")]
use super::{
    common::share,
    passes::{Group, digit_rows, key, peak, tuple},
    program::{Builder, Node},
};
use super::{
    passes::{Part, Parts, Term, WIDEST, best_group},
    program::Program,
    schedule::in_order,
};
use crate::raw::{Coordinate, Point, ifma::Ifma};
#[cfg(feature = "verify")]
use crate::raw::{G1, G2};

/// Columns of all passes that share their inversions: more would leave the cache.
#[cfg(feature = "verify")]
const COLUMNS_PER_PROGRAM: f64 = 2400.0;
/// Programs at least, if there are passes for them: more than threads keep all busy.
#[cfg(feature = "verify")]
const PROGRAMS: f64 = 4.0;

/// Largest matrices in which common sums are looked for: the search takes tenths of a second.
#[cfg(feature = "evaluate")]
const MOST_COLUMNS: usize = 1024;
#[cfg(feature = "evaluate")]
const MOST_WEIGHTS: usize = 1 << 17;

/// `rows × columns` weights compiled to straight-line programs.
pub(crate) struct Projection {
    columns: usize,
    /// Sums that the programs take as inputs besides the columns.
    #[cfg_attr(not(any(test, feature = "verify")), expect(dead_code, reason = "for evaluation"))]
    common: Option<Program>,
    /// For rows one after another.
    programs: Vec<Program>,
}

impl Projection {
    /// Compiles row-major weights; `columns > 0`.
    #[cfg(feature = "verify")]
    pub(crate) fn new(columns: usize, weights: &[i32]) -> Self {
        Self::of_parts(columns, Parts::new(columns, weights, programs(columns), WIDEST))
    }

    /// The same as one program.
    pub(crate) fn whole(columns: usize, weights: &[i32]) -> Self {
        Self::of_parts(columns, Parts::new(columns, weights, |_| 1.0, WIDEST))
    }

    fn of_parts(columns: usize, parts: Parts) -> Self {
        let compile = |part: &Part| {
            let terms: Vec<Vec<Term>> =
                part.groups.iter().map(|group| part.columns(columns, group).collect()).collect();
            part.compile(columns, &terms)
        };
        Self { columns, common: None, programs: parts.0.par_iter().map(compile).collect() }
    }

    /// The same for weights that are used many times: sums that passes have in common are looked for, which takes
    /// longer.
    #[cfg(feature = "evaluate")]
    pub(crate) fn thorough(columns: usize, weights: &[i32]) -> Self {
        let plain = Self::new(columns, weights);
        if columns > MOST_COLUMNS || weights.len() > MOST_WEIGHTS {
            return plain;
        }
        let others = (1..=2).into_par_iter().map(|widest| Self::with_common(columns, weights, widest));
        let others: Vec<Self> = others.collect();
        others.into_iter().fold(plain, |best, next| if next.additions() < best.additions() { next } else { best })
    }

    /// Passes of at most `widest` digit rows, and the sums that they have in common.
    #[cfg(feature = "evaluate")]
    fn with_common(columns: usize, weights: &[i32], widest: usize) -> Self {
        let parts = Parts::new(columns, weights, programs(columns), widest);
        let keys = |part: &Part, group: &Group| part.columns(columns, group).map(|term| key(&term.0)).collect();
        let passes: Vec<Vec<i32>> =
            parts.0.iter().flat_map(|part| part.groups.iter().map(move |group| keys(part, group))).collect();
        let mut builder = Builder::new(columns);
        let mut passes = share(&mut builder, columns, &passes);
        // Sums that a program needs become its inputs, after the columns.
        let mut sums: Vec<Node> = passes.iter().flatten().map(|term| term.0).filter(|n| n.index() >= columns).collect();
        sums.sort_unstable_by_key(|node| node.index());
        sums.dedup();
        let place = |node: Node| sums.binary_search_by_key(&node.index(), |sum| sum.index());
        for (node, _) in passes.iter_mut().flatten() {
            *node = place(*node).map_or(*node, |place| Node::input(columns + place));
        }
        let inputs = columns + sums.len();
        let common = builder.finish(&sums.iter().copied().map(Some).collect::<Vec<_>>());
        let mut rest = passes.as_slice();
        let parts = parts.0.iter().map(|part| {
            let (own, others) = rest.split_at(part.groups.len());
            rest = others;
            (part, own)
        });
        let parts: Vec<_> = parts.collect();
        let compile = |(part, passes): (&Part, &[Vec<(Node, i32)>])| {
            let terms: Vec<Vec<Term>> =
                passes.iter().map(|terms| terms.iter().map(|&(node, key)| (tuple(key), node)).collect()).collect();
            part.compile(inputs, &terms)
        };
        Self { columns, common: Some(common), programs: parts.into_par_iter().map(compile).collect() }
    }

    /// Additions for one copy.
    #[cfg(feature = "evaluate")]
    pub(crate) fn additions(&self) -> usize {
        self.common.iter().chain(&self.programs).map(Program::additions).sum()
    }

    /// The points as programs take them, with the sums that they have in common.
    #[cfg(any(test, feature = "verify"))]
    fn inputs<'a, F: Coordinate>(
        &self,
        points: &'a [Point<F>],
        copies: usize,
        lanes: Option<Ifma>,
    ) -> Cow<'a, [Point<F>]> {
        let points = lanes.map_or_else(|| Cow::from(points), |token| to_shifted(token, points).into());
        match &self.common {
            None => points,
            Some(common) => [&*points, &common.run_unsigned(&points, copies, lanes)].concat().into(),
        }
    }

    /// `out[row·copies + c] = Σ_i weights[row][i]·points[i·copies + c]`.
    #[cfg(any(test, feature = "evaluate", feature = "shares"))]
    pub(crate) fn run<F: Coordinate>(&self, points: &[Point<F>], copies: usize) -> Vec<Point<F>> {
        let lanes = Ifma::detect();
        self.run_prepared(&self.inputs(points, copies, lanes), copies, lanes)
    }

    /// The same on what the programs take: points in shifted form when `lanes` is given.
    pub(crate) fn run_prepared<F: Coordinate>(
        &self,
        points: &[Point<F>],
        copies: usize,
        lanes: Option<Ifma>,
    ) -> Vec<Point<F>> {
        debug_assert!(points.len() >= self.columns * copies);
        in_order(self.programs.len(), |k| self.programs[k].run(points, copies, lanes)).concat()
    }
}

/// How many programs so many passes make.
#[cfg(feature = "verify")]
fn programs(columns: usize) -> impl Fn(f64) -> f64 {
    move |passes| (passes * columns as f64 / COLUMNS_PER_PROGRAM).max(PROGRAMS.min(passes / 3.0))
}

/// [`Projection::run_prepared`] of both sides, prepared here.
#[cfg(feature = "verify")]
pub(crate) fn run_both(left: (&Projection, &[G1]), right: (&Projection, &[G2]), copies: usize) -> (Vec<G1>, Vec<G2>) {
    let lanes = Ifma::detect();
    let (a, b) = rayon::join(|| left.0.inputs(left.1, copies, lanes), || right.0.inputs(right.1, copies, lanes));
    // Programs in G2 take longer and come first.
    let first = right.0.programs.len();
    let parts = in_order(first + left.0.programs.len(), |k| match k.checked_sub(first) {
        None => (Vec::new(), right.0.programs[k].run(&b, copies, lanes)),
        Some(k) => (left.0.programs[k].run(&a, copies, lanes), Vec::new()),
    });
    let (left, right): (Vec<Vec<G1>>, Vec<Vec<G2>>) = parts.into_iter().unzip();
    (left.concat(), right.concat())
}

/// Additions of a matrix that is used many times: as many as [`Projection::thorough`] finds, or a formula where it
/// does not look.
#[cfg(feature = "evaluate")]
pub(crate) fn count_matrix(columns: usize, weights: &[i32]) -> f64 {
    if columns > MOST_COLUMNS || weights.len() > MOST_WEIGHTS {
        return estimate_matrix(columns, weights);
    }
    Projection::thorough(columns, weights).additions() as f64
}

/// Additions of a matrix by the cost formula of the passes, without compiling it.
#[cfg(feature = "evaluate")]
pub(crate) fn estimate_matrix(columns: usize, weights: &[i32]) -> f64 {
    let rows = weights.chunks_exact(columns);
    rows.map(|row| {
        let digits = digit_rows(row);
        let doublings = 5 * digits.len().saturating_sub(1);
        let used = row.iter().filter(|w| **w != 0).count();
        let peaks: Vec<i32> = digits.iter().map(|d| i32::from(peak(d))).collect();
        // A row with one entry is that entry.
        if used <= 1 { 0.0 } else { estimate_additions(used, &peaks) + doublings as f64 }
    })
    .sum()
}

/// Additions of digit rows with the given largest digits, filled over all columns.
#[cfg(feature = "evaluate")]
pub(crate) fn estimate_additions(columns: usize, peaks: &[i32]) -> f64 {
    peaks.iter().map(|&peak| best_group(columns, peak as i8).1).sum()
}

/// Rows with values in `±peak`, at most 7, that one pass takes.
pub(crate) fn rows_per_pass(columns: usize, peak: i32) -> usize {
    best_group(columns, peak as i8).0
}
