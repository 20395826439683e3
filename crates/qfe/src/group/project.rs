//! Projection of many points by a matrix of small integers.
//!
//! Rows are cut into signed digits of at most four bits. A *pass* takes a few digit rows at once and drops every column
//! into the bucket named by its tuple of digits, up to sign. So one addition per column serves all rows of the pass
//! (the transposed method of the Four Russians). Sums over buckets with equal digit of one row, then over digits with
//! equal bit, then doublings finish it. The cost is linear in the weight bits: about 7 bits per pass over the columns.

#[cfg(any(test, feature = "verify"))]
use std::borrow::Cow;

use rayon::prelude::*;

#[cfg(any(test, feature = "verify"))]
use super::vector::to_shifted;
use super::{
    program::{Builder, Node, Program},
    schedule::in_order,
};
use crate::raw::{Coordinate, Point, ifma::Ifma};
#[cfg(feature = "verify")]
use crate::raw::{G1, G2};

/// Digit rows of one pass at most.
const WIDEST: usize = 6;
/// Radix of the digits that wide weights are cut into.
const RADIX: i64 = 16;

/// Passes that share their inversions; more programs than threads keep all busy.
#[cfg(feature = "verify")]
const PASSES_PER_PROGRAM: f64 = 3.0;

type Tuple = [i8; WIDEST];

/// `rows × columns` weights compiled to straight-line programs.
pub(crate) struct Projection {
    columns: usize,
    /// First row and rows of every program.
    programs: Vec<(usize, usize, Program)>,
}

impl Projection {
    /// Compiles row-major weights; `columns > 0`.
    #[cfg(feature = "verify")]
    pub(crate) fn new(columns: usize, weights: &[i32]) -> Self {
        Self::in_parts(columns, weights, PASSES_PER_PROGRAM)
    }

    /// The same with a given number of passes per program.
    pub(crate) fn in_parts(columns: usize, weights: &[i32], passes_per_program: f64) -> Self {
        let rows: Vec<&[i32]> = weights.chunks_exact(columns).collect();
        let digits: Vec<Vec<Vec<i8>>> = rows.par_iter().map(|row| digit_rows(row)).collect();
        let passes: f64 = digits.iter().flatten().map(|d| 1.0 / best_group(columns, peak(d)).0 as f64).sum();
        let chunks = ((passes / passes_per_program).round() as usize).clamp(1, rows.len().max(1));
        let programs = (0..chunks)
            .into_par_iter()
            .map(|k| {
                let (start, end) = (k * rows.len() / chunks, (k + 1) * rows.len() / chunks);
                (start, end - start, compile(columns, &digits[start..end]))
            })
            .collect();
        Self { columns, programs }
    }

    /// `out[row·copies + c] = Σ_i weights[row][i]·points[i·copies + c]`.
    #[cfg(any(test, feature = "evaluate", feature = "shares"))]
    pub(crate) fn run<F: Coordinate>(&self, points: &[Point<F>], copies: usize) -> Vec<Point<F>> {
        let lanes = Ifma::detect();
        self.run_prepared(&prepare(points, lanes), copies, lanes)
    }

    /// The same on points in shifted form, when `lanes` is given.
    pub(crate) fn run_prepared<F: Coordinate>(
        &self,
        points: &[Point<F>],
        copies: usize,
        lanes: Option<Ifma>,
    ) -> Vec<Point<F>> {
        debug_assert_eq!(points.len(), self.columns * copies);
        in_order(self.programs.len(), |k| self.programs[k].2.run(points, copies, lanes)).concat()
    }
}

/// [`Projection::run_prepared`] of both sides, prepared here.
#[cfg(feature = "verify")]
pub(crate) fn run_both(left: (&Projection, &[G1]), right: (&Projection, &[G2]), copies: usize) -> (Vec<G1>, Vec<G2>) {
    let lanes = Ifma::detect();
    let (a, b) = rayon::join(|| prepare(left.1, lanes), || prepare(right.1, lanes));
    // Programs in G2 take longer and come first.
    let first = right.0.programs.len();
    let parts = in_order(first + left.0.programs.len(), |k| match k.checked_sub(first) {
        None => (Vec::new(), right.0.programs[k].2.run(&b, copies, lanes)),
        Some(k) => (left.0.programs[k].2.run(&a, copies, lanes), Vec::new()),
    });
    let (left, right): (Vec<Vec<G1>>, Vec<Vec<G2>>) = parts.into_iter().unzip();
    (left.concat(), right.concat())
}

#[cfg(any(test, feature = "verify"))]
fn prepare<F: Coordinate>(points: &[Point<F>], lanes: Option<Ifma>) -> Cow<'_, [Point<F>]> {
    lanes.map_or_else(|| points.into(), |token| to_shifted(token, points).into())
}

fn peak(digits: &[i8]) -> i8 {
    digits.iter().map(|d| d.abs()).max().unwrap_or(0)
}

/// The digits of a row, lowest first: the row itself when it fits in `±7`.
fn digit_rows(row: &[i32]) -> Vec<Vec<i8>> {
    let mut rest: Vec<i64> = row.iter().map(|&w| i64::from(w)).collect();
    let mut out = Vec::new();
    while rest.iter().any(|&w| w != 0) {
        let last = rest.iter().all(|&w| w.abs() < RADIX / 2);
        let digits = rest
            .iter_mut()
            .map(|w| {
                let low = if last { *w } else { (*w + RADIX / 2).rem_euclid(RADIX) - RADIX / 2 };
                *w = (*w - low) / RADIX;
                low as i8
            })
            .collect();
        out.push(digits);
    }
    out
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

/// The number of digit rows with values in `±peak` that a pass should take, and
/// the additions per digit row that this costs.
fn best_group(columns: usize, peak: i8) -> (usize, f64) {
    (1..=WIDEST)
        .map(|rows| {
            let base = 2.0 * f64::from(peak) + 1.0;
            let entries = columns as f64 * (1.0 - base.powi(-(rows as i32)));
            (rows, folding(entries, base, rows) / rows as f64)
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((1, columns as f64))
}

/// Expected additions that fold uniform entries into buckets of `rows` digits, and
/// these by halves down to single rows.
fn folding(entries: f64, base: f64, rows: usize) -> f64 {
    let buckets = ((base.powi(rows as i32) - 1.0) / 2.0).max(1.0);
    let filled = buckets * (1.0 - (-entries / buckets).exp());
    let below = if rows == 1 {
        // Half of the digits have each bit; then a doubling and an addition per bit.
        let bits = buckets.log2().floor() + 1.0;
        bits * (filled / 2.0) + bits - 2.0
    } else {
        folding(filled, base, rows / 2) + folding(filled, base, rows - rows / 2)
    };
    (entries - filled).max(0.0) + below.max(0.0)
}

fn compile(columns: usize, rows: &[Vec<Vec<i8>>]) -> Program {
    let mut builder = Builder::new(columns);
    let mut order: Vec<(usize, usize, i8)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, digits)| digits.iter().enumerate().map(move |(k, d)| (row, k, peak(d))))
        .collect();
    order.sort_by_key(|&(_, _, peak)| peak);
    let mut values: Vec<Vec<Option<Node>>> = rows.iter().map(|d| vec![None; d.len()]).collect();
    let mut rest = order.as_slice();
    while let [(_, _, low), ..] = *rest {
        let wanted = best_group(columns, low).0.min(rest.len());
        // The widest row of the group decides what the group costs.
        let take = best_group(columns, rest[wanted - 1].2).0.min(wanted);
        let (group, others) = rest.split_at(take);
        rest = others;
        let digits: Vec<&[i8]> = group.iter().map(|&(row, k, _)| rows[row][k].as_slice()).collect();
        for (&(row, k, _), node) in group.iter().zip(pass(&mut builder, &digits)) {
            values[row][k] = node;
        }
    }
    let outputs: Vec<Option<Node>> =
        values.iter().map(|digits| horner(&mut builder, digits, RADIX.trailing_zeros())).collect();
    builder.finish(&outputs)
}

/// `Σ_k 2^(shift·k)·terms[k]`.
fn horner(builder: &mut Builder, terms: &[Option<Node>], shift: u32) -> Option<Node> {
    let mut sum: Option<Node> = None;
    for term in terms.iter().rev() {
        if let Some(mut high) = sum {
            for _ in 0..shift {
                high = builder.double(high);
            }
            sum = Some(high);
        }
        sum = match (sum, *term) {
            (Some(a), Some(b)) => Some(builder.add(a, b)),
            (a, b) => a.or(b),
        };
    }
    sum
}

/// One pass: `Σ_i rows[r][i]·input_i` for each of the digit rows.
fn pass(builder: &mut Builder, rows: &[&[i8]]) -> Vec<Option<Node>> {
    let columns = rows.first().map_or(0, |row| row.len());
    let entries = (0..columns).map(|i| {
        let mut tuple = [0; WIDEST];
        for (t, row) in tuple.iter_mut().zip(rows) {
            *t = row[i];
        }
        (tuple, Node::input(i))
    });
    let buckets = collect(builder, entries, 0..rows.len());
    let mut out = Vec::with_capacity(rows.len());
    split(builder, &buckets, 0..rows.len(), &mut out);
    out
}

/// Sums entries with equal digits in `rows`, up to a common sign.
fn collect(
    builder: &mut Builder,
    entries: impl Iterator<Item = (Tuple, Node)>,
    rows: std::ops::Range<usize>,
) -> Vec<(Tuple, Node)> {
    let mut keyed: Vec<(u32, Tuple, Node)> = Vec::new();
    for (tuple, node) in entries {
        let mut key = [0; WIDEST];
        key[rows.clone()].copy_from_slice(&tuple[rows.clone()]);
        let negative = match key.iter().find(|&&digit| digit != 0) {
            None => continue,
            Some(&first) => first < 0,
        };
        if negative {
            key.iter_mut().for_each(|digit| *digit = -*digit);
        }
        let number = key.iter().fold(0, |n, &digit| n * 17 + (i32::from(digit) + 8) as u32);
        keyed.push((number, key, node.neg_if(negative)));
    }
    keyed.sort_by_key(|entry| entry.0);
    let mut nodes = Vec::new();
    keyed
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|bucket| {
            nodes.clear();
            nodes.extend(bucket.iter().map(|entry| entry.2));
            builder.sum(&mut nodes).map(|sum| (bucket[0].1, sum))
        })
        .collect()
}

/// Halves the rows until one is left, whose buckets then have the weights `1, 2, 3, …`.
fn split(builder: &mut Builder, buckets: &[(Tuple, Node)], rows: std::ops::Range<usize>, out: &mut Vec<Option<Node>>) {
    if rows.len() <= 1 {
        let row = rows.start;
        let top = buckets.iter().map(|(tuple, _)| tuple[row]).max().unwrap_or(0);
        let bits = (i8::BITS - top.leading_zeros()) as usize;
        let sums: Vec<Option<Node>> = (0..bits)
            .map(|bit| {
                let with_bit = buckets.iter().filter(|(tuple, _)| tuple[row] >> bit & 1 == 1);
                let mut nodes: Vec<Node> = with_bit.map(|&(_, node)| node).collect();
                builder.sum(&mut nodes)
            })
            .collect();
        let sum = horner(builder, &sums, 1);
        out.push(sum);
        return;
    }
    let middle = rows.start + rows.len() / 2;
    for half in [rows.start..middle, middle..rows.end] {
        let folded = collect(builder, buckets.iter().copied(), half.clone());
        split(builder, &folded, half, out);
    }
}
