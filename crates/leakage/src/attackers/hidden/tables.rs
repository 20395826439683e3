//! Counts of the attribute's values for each value of a reading, and the predictions for other rows that follow.

use super::readings::Reading;
use super::words::Words;
use crate::metrics::{Scores, log_sum};
use rayon::prelude::*;

/// Maximum number of cells (main class, code, value) that are counted per main class; larger tables ignore the class.
const CELLS: usize = 1 << 17;
/// Items that a cell borrows from the same code over all main classes.
const BORROWED: f64 = 2.0;
/// Readings in a model.
const READINGS: usize = 8;
/// Nats that a reading must gain on the selection rows.
const LEAST: f64 = 5.0;

/// Labels of rows.
pub(crate) struct Labels {
    pub main: Vec<u32>,
    pub value: Vec<u32>,
    pub mains: usize,
    pub values: usize,
}

impl Labels {
    fn by_class(&self, cells: usize) -> bool {
        self.mains.saturating_mul(cells).saturating_mul(self.values) <= CELLS
    }

    /// Twice the log-likelihood ratio of the codes within main classes, in standard deviations above that of
    /// uninformative codes. `logarithms`: n·ln n up to the number of rows.
    pub fn dependence(&self, codes: &[u16], cells: usize, logarithms: &[f64]) -> f64 {
        let by_class = self.by_class(cells);
        let mains = if by_class { self.mains } else { 1 };
        let values = self.values;
        let mut counts = vec![0_u32; mains * cells * values];
        for ((&code, &main), &value) in codes.iter().zip(&self.main).zip(&self.value) {
            let main = if by_class { main as usize } else { 0 };
            counts[(main * cells + usize::from(code)) * values + value as usize] += 1;
        }
        let (mut ratio, mut freedom) = (0.0, 0.0);
        let mut of_value = vec![0_u32; values];
        for class in counts.chunks_exact(cells * values) {
            of_value.fill(0);
            let mut used = 0_usize;
            for cell in class.chunks_exact(values) {
                let total: u32 = cell.iter().sum();
                if total == 0 {
                    continue;
                }
                used += 1;
                ratio -= logarithms[total as usize];
                for (sum, &count) in of_value.iter_mut().zip(cell) {
                    *sum += count;
                    ratio += logarithms[count as usize];
                }
            }
            let total: u32 = of_value.iter().sum();
            ratio += logarithms[total as usize];
            ratio -= of_value.iter().map(|&count| logarithms[count as usize]).sum::<f64>();
            let present = of_value.iter().filter(|count| **count > 0).count();
            freedom += (used.saturating_sub(1) * present.saturating_sub(1)) as f64;
        }
        if freedom == 0.0 { f64::NEG_INFINITY } else { (2.0 * ratio - freedom) / (2.0 * freedom).sqrt() }
    }

    /// Smoothed frequencies of the values in every main class, over the given rows.
    fn shares(&self, rows: impl Iterator<Item = usize>) -> Vec<f64> {
        let mut counts = vec![0.5; self.mains * self.values];
        rows.for_each(|row| counts[self.main[row] as usize * self.values + self.value[row] as usize] += 1.0);
        for class in counts.chunks_exact_mut(self.values) {
            let total: f64 = class.iter().sum();
            class.iter_mut().for_each(|share| *share /= total);
        }
        counts
    }
}

/// ln P(value | code, main) − ln P(value | main), `[main, code, value]`, or `[code, value]` for all main classes.
struct Table {
    by_class: bool,
    cells: usize,
    values: usize,
    told: Vec<f32>,
}

impl Table {
    fn fit(codes: &[u16], cells: usize, labels: &Labels, rows: impl Iterator<Item = usize> + Clone) -> Table {
        let (by_class, values) = (labels.by_class(cells), labels.values);
        let shares = labels.shares(rows.clone());
        let mut seen = vec![1.0; cells * values];
        let mut expected = seen.clone();
        let mut counts = vec![0.0_f64; if by_class { labels.mains * cells * values } else { 0 }];
        for row in rows {
            let (code, main, value) = (usize::from(codes[row]), labels.main[row] as usize, labels.value[row] as usize);
            seen[code * values + value] += 1.0;
            let shares = &shares[main * values..(main + 1) * values];
            expected[code * values..(code + 1) * values].iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
            if by_class {
                counts[(main * cells + code) * values + value] += 1.0;
            }
        }
        let lifts: Vec<f64> = seen.iter().zip(&expected).map(|(seen, expected)| seen / expected).collect();
        if !by_class {
            let told = lifts.iter().map(|lift| lift.ln() as f32).collect();
            return Table { by_class, cells, values, told };
        }
        let mut told = Vec::with_capacity(counts.len());
        for (at, cell) in counts.chunks_exact(values).enumerate() {
            let shares = &shares[at / cells * values..][..values];
            let lifts = &lifts[at % cells * values..][..values];
            let norm: f64 = shares.iter().zip(lifts).map(|(share, lift)| share * lift).sum();
            let total: f64 = cell.iter().sum::<f64>() + BORROWED;
            let each = cell.iter().zip(shares).zip(lifts);
            told.extend(
                each.map(|((count, share), lift)| (((count / share + BORROWED * lift / norm) / total).ln()) as f32),
            );
        }
        Table { by_class, cells, values, told }
    }

    fn row(&self, code: u16, main: u32) -> &[f32] {
        let main = if self.by_class { main as usize } else { 0 };
        &self.told[(main * self.cells + usize::from(code)) * self.values..][..self.values]
    }
}

/// The readings of a model with their tables.
pub(crate) struct Tables<'a> {
    values: usize,
    prior: Vec<f32>,
    chosen: Vec<(&'a Reading, Table)>,
}

impl<'a> Tables<'a> {
    /// Repeatedly adds the reading that helps most on rows that its tables have not seen: tables of even rows judge odd
    /// rows, and the other way round.
    pub fn choose(readings: &'a [Reading], words: &Words, labels: &Labels) -> Tables<'a> {
        let (all, values) = (labels.main.len(), labels.values);
        let most = readings.len().min(((1 << 25) / (all.min(8192) * values).max(1)).max(4));
        let readings = &readings[..most];
        let judged = all.min(((1 << 18) / values).clamp(512, 8192));
        let halves = [0, 1].map(|half| (half..all).step_by(2));
        let codes: Vec<Vec<u16>> = readings.par_iter().map(|reading| reading.codes(words, all, false)).collect();
        let told: Vec<Vec<f32>> = (readings.par_iter().zip(&codes))
            .map(|(reading, codes)| {
                let tables = halves.clone().map(|half| Table::fit(codes, reading.cells(), labels, half));
                let one = |row: usize| tables[1 - row % 2].row(codes[row], labels.main[row]);
                (0..judged).flat_map(one).copied().collect()
            })
            .collect();
        let shares = halves.map(|half| labels.shares(half));
        let mut so_far: Vec<f32> = (0..judged)
            .flat_map(|row| {
                let from = labels.main[row] as usize * values;
                shares[1 - row % 2][from..from + values].iter().map(|share| share.ln() as f32)
            })
            .collect();
        let mut reached = likelihood(&so_far, None, labels);
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < READINGS {
            let rivals: Vec<usize> = (0..readings.len()).filter(|at| !chosen.contains(at)).collect();
            let with: Vec<f64> = rivals.par_iter().map(|&at| likelihood(&so_far, Some(&told[at]), labels)).collect();
            let Some(best) = (0..rivals.len()).reduce(|a, b| if with[b] > with[a] { b } else { a }) else { break };
            if with[best] < reached + LEAST {
                break;
            }
            reached = with[best];
            so_far.iter_mut().zip(&told[rivals[best]]).for_each(|(sum, more)| *sum += more);
            chosen.push(rivals[best]);
        }
        let table = |&at: &usize| {
            let reading = &readings[at];
            (reading, Table::fit(&codes[at], reading.cells(), labels, 0..all))
        };
        let prior = labels.shares(0..all).into_iter().map(|share| share.ln() as f32).collect();
        Tables { values, prior, chosen: chosen.iter().map(table).collect() }
    }

    /// Log scores of the test rows.
    pub fn score(&self, words: &Words, main: &[u32]) -> Scores {
        let class = |&main: &u32| &self.prior[main as usize * self.values..][..self.values];
        let mut values: Vec<f32> = main.iter().flat_map(class).copied().collect();
        for (reading, table) in &self.chosen {
            let codes = reading.codes(words, main.len(), true);
            for ((row, &code), &main) in values.chunks_exact_mut(self.values).zip(&codes).zip(main) {
                row.iter_mut().zip(table.row(code, main)).for_each(|(sum, more)| *sum += more);
            }
        }
        Scores { values, classes: self.values }
    }
}

/// Σ ln P(value of the row) under log scores, with `more` added if given.
fn likelihood(scores: &[f32], more: Option<&Vec<f32>>, labels: &Labels) -> f64 {
    let values = labels.values;
    let mut buffer = vec![0.0; values];
    let rows = scores.chunks_exact(values).enumerate().map(|(row, scores)| {
        buffer.copy_from_slice(scores);
        if let Some(more) = more {
            buffer.iter_mut().zip(&more[row * values..]).for_each(|(sum, more)| *sum += more);
        }
        f64::from(buffer[labels.value[row] as usize] - log_sum(buffer.iter().copied()))
    });
    rows.sum()
}
