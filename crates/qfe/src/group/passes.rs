//! Passes over the columns of a matrix, and the programs of some rows of it.
//!
//! A pass takes a few digit rows at once: see [`project`](super::project).

use rayon::prelude::*;

use super::program::{Builder, Node, Program};

/// Digit rows of one pass at most.
pub(super) const WIDEST: usize = 6;
/// Radix of the digits that wide weights are cut into.
const RADIX: i64 = 16;

/// Digits are from −8 to 8.
#[cfg(feature = "evaluate")]
const KEYS: i32 = 17;

pub(super) type Tuple = [i8; WIDEST];

pub(super) fn peak(digits: &[i8]) -> i8 {
    digits.iter().map(|d| d.abs()).max().unwrap_or(0)
}

/// The digits of a row, lowest first: the row itself when it fits in `±7`.
pub(super) fn digit_rows(row: &[i32]) -> Vec<Vec<i8>> {
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

/// The number of digit rows with values in `±peak` that a pass should take, and
/// the additions per digit row that this costs.
pub(super) fn best_group(columns: usize, peak: i8) -> (usize, f64) {
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

/// Digit rows of one pass: the row and the place of the digits.
pub(super) type Group = Vec<(usize, usize)>;

/// What a pass adds up, under its digits.
pub(super) type Term = (Tuple, Node);

/// Rows of one program in digits, and its passes.
pub(super) struct Part {
    rows: Vec<Vec<Vec<i8>>>,
    pub(super) groups: Vec<Group>,
}

pub(super) struct Parts(pub(super) Vec<Part>);

impl Parts {
    /// Rows in as many parts as is said for their passes, which take at most `widest` digit rows each.
    pub(super) fn new(columns: usize, weights: &[i32], programs: impl Fn(f64) -> f64, widest: usize) -> Self {
        let rows: Vec<&[i32]> = weights.chunks_exact(columns).collect();
        let mut digits: Vec<Vec<Vec<i8>>> = rows.par_iter().map(|row| digit_rows(row)).collect();
        let wide = |digits: &Vec<i8>| best_group(columns, peak(digits)).0.min(widest);
        let passes: f64 = digits.iter().flatten().map(|digits| 1.0 / wide(digits) as f64).sum();
        let count = (programs(passes).round() as usize).clamp(1, rows.len().max(1));
        let mut parts: Vec<Part> = (0..count)
            .rev()
            .map(|k| {
                let rows = digits.split_off(k * rows.len() / count);
                Part { groups: groups(columns, &rows, widest), rows }
            })
            .collect();
        parts.reverse();
        Self(parts)
    }
}

impl Part {
    /// Every column in one pass.
    pub(super) fn columns<'a>(&'a self, columns: usize, group: &'a Group) -> impl Iterator<Item = Term> + 'a {
        (0..columns).map(move |i| {
            let mut tuple = [0; WIDEST];
            for (digit, &(row, k)) in tuple.iter_mut().zip(group) {
                *digit = self.rows[row][k][i];
            }
            (tuple, Node::input(i))
        })
    }

    /// The program, given the terms of every pass.
    pub(super) fn compile(&self, inputs: usize, terms: &[Vec<Term>]) -> Program {
        let mut builder = Builder::new(inputs);
        let mut values: Vec<Vec<Option<Node>>> = self.rows.iter().map(|digits| vec![None; digits.len()]).collect();
        for (group, terms) in self.groups.iter().zip(terms) {
            for (&(row, k), node) in group.iter().zip(pass(&mut builder, terms, group.len())) {
                values[row][k] = node;
            }
        }
        let outputs: Vec<Option<Node>> =
            values.iter().map(|digits| horner(&mut builder, digits, RADIX.trailing_zeros())).collect();
        builder.finish(&outputs)
    }
}

/// The passes of some rows.
fn groups(columns: usize, rows: &[Vec<Vec<i8>>], widest: usize) -> Vec<Group> {
    let digits = |(row, digits): (usize, &Vec<Vec<i8>>)| -> Vec<(usize, usize, i8)> {
        digits.iter().enumerate().map(|(k, digits)| (row, k, peak(digits))).collect()
    };
    let mut order: Vec<(usize, usize, i8)> = rows.iter().enumerate().flat_map(digits).collect();
    order.sort_by_key(|&(_, _, peak)| peak);
    let best = |peak| best_group(columns, peak).0.min(widest);
    let mut groups = Vec::new();
    let mut rest = order.as_slice();
    while let [(_, _, low), ..] = *rest {
        let wanted = best(low).min(rest.len());
        // The widest row of the group decides what the group costs.
        let take = best(rest[wanted - 1].2).min(wanted);
        let (group, others) = rest.split_at(take);
        rest = others;
        groups.push(group.iter().map(|&(row, k, _)| (row, k)).collect());
    }
    groups
}

/// At most two digits as one number, of which the negative is the number of their negatives.
#[cfg(feature = "evaluate")]
pub(super) fn key(tuple: &Tuple) -> i32 {
    i32::from(tuple[0]) * KEYS + i32::from(tuple[1])
}

#[cfg(feature = "evaluate")]
pub(super) fn tuple(key: i32) -> Tuple {
    let second = (key + KEYS / 2).rem_euclid(KEYS) - KEYS / 2;
    let mut tuple = [0; WIDEST];
    (tuple[0], tuple[1]) = (((key - second) / KEYS) as i8, second as i8);
    tuple
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

/// One pass: the sum of the terms times their digits, for each of some digit rows.
fn pass(builder: &mut Builder, terms: &[Term], rows: usize) -> Vec<Option<Node>> {
    let buckets = collect(builder, terms.iter().copied(), 0..rows);
    let mut out = Vec::with_capacity(rows);
    split(builder, &buckets, 0..rows, &mut out);
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

/// `Σ_d d·terms[d]`: what has the highest bit is added up for it, and then counts as what it is without.
fn weighted(builder: &mut Builder, mut terms: Vec<Option<Node>>) -> Option<Node> {
    let bits = usize::BITS - (terms.len() - 1).leading_zeros();
    let mut sums = vec![None; bits as usize];
    for bit in (0..bits).rev() {
        let high = terms.split_off((1 << bit).min(terms.len()));
        sums[bit as usize] = builder.sum(&mut high.iter().flatten().copied().collect::<Vec<_>>());
        for (low, high) in terms.iter_mut().zip(high).skip(1) {
            *low = match (*low, high) {
                (Some(low), Some(high)) => Some(builder.add(low, high)),
                (low, high) => low.or(high),
            };
        }
    }
    horner(builder, &sums, 1)
}

/// Halves the rows until one is left, whose buckets then have the weights `1, 2, 3, …`.
fn split(builder: &mut Builder, buckets: &[(Tuple, Node)], rows: std::ops::Range<usize>, out: &mut Vec<Option<Node>>) {
    if rows.len() <= 1 {
        let row = rows.start;
        let top = buckets.iter().map(|(tuple, _)| tuple[row]).max().unwrap_or(0);
        let mut terms = vec![None; top as usize + 1];
        buckets.iter().for_each(|&(tuple, node)| terms[tuple[row] as usize] = Some(node));
        let sum = weighted(builder, terms);
        out.push(sum);
        return;
    }
    let middle = rows.start + rows.len() / 2;
    for half in [rows.start..middle, middle..rows.end] {
        let folded = collect(builder, buckets.iter().copied(), half.clone());
        split(builder, &folded, half, out);
    }
}
