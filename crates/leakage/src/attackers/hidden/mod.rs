//! Common code of attackers that read integers: readings of the outputs with few values, and tables of what each
//! reading reveals.
//!
//! `2^16·main + attribute` gives the attribute to everyone who takes the remainder, and to nobody who treats the number
//! as a magnitude. An attacker of this kind proposes readings (a remainder, some digits, a coset). Here they are ranked
//! by their information about the attribute within main classes, combined in a naive Bayes model, and kept as long as
//! they help on rows that their tables have not seen.

mod modules;
mod readings;
mod spectrum;
mod tables;
mod words;

pub(super) use modules::{Dyadic, Lattice};
pub(super) use readings::Reading;
pub(super) use spectrum::cosines;
pub(super) use words::{combinations, outputs};

use super::sample::{Integers, Sample};
use crate::metrics::Scores;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tables::{Labels, Tables};
use words::Words;

/// Integers with their labels. Training rows are in random order, so that the first ones are a sample.
pub(super) struct Hidden<'a> {
    /// Columns of the training rows and of the test rows: the outputs or combinations of them.
    pub train: Words,
    test: Words,
    pub labels: Labels,
    /// The number of outputs.
    pub outputs: usize,
    test_main: &'a [u32],
}

impl<'a> Hidden<'a> {
    /// `combinations` of the outputs as columns: for each the outputs in it and their factors.
    pub fn new(
        sample: &Sample,
        integers: Integers<'a>,
        combinations: &[Vec<(usize, i64)>],
        rng: &mut ChaCha8Rng,
    ) -> Hidden<'a> {
        let mut order: Vec<usize> = (0..sample.len()).collect();
        order.shuffle(rng);
        let Integers { train, test, width, train_main, test_main, main_classes } = integers;
        let every: Vec<usize> = (0..test_main.len()).collect();
        Hidden {
            train: Words::new(train, width, combinations, &order),
            test: Words::new(test, width, combinations, &every),
            labels: Labels {
                main: order.iter().map(|&row| train_main[row]).collect(),
                value: order.iter().map(|&row| sample.labels[row]).collect(),
                mains: main_classes,
                values: sample.classes,
            },
            outputs: width,
            test_main,
        }
    }

    /// Every training row, or every test row, as stored in the columns.
    pub fn rows(&self, of_test: bool) -> impl Iterator<Item = Vec<i64>> + '_ {
        let words = if of_test { &self.test } else { &self.train };
        (0..words.len()).map(|row| words.columns.iter().map(|column| column[row]).collect())
    }

    /// Main classes of the training rows, or of the test rows.
    pub fn mains(&self, of_test: bool) -> &[u32] {
        if of_test { self.test_main } else { &self.labels.main }
    }

    /// The `keep` most informative readings on the first `rows` training rows, strongest first.
    pub fn strongest(&self, readings: Vec<Reading>, rows: usize, keep: usize) -> Vec<Reading> {
        let rows = self.labels.main.len().min(rows);
        let logarithms: Vec<f64> = (0..=rows).map(|n| if n == 0 { 0.0 } else { n as f64 * (n as f64).ln() }).collect();
        let told: Vec<f64> = readings
            .par_iter()
            .map(|reading| {
                self.labels.dependence(&reading.codes(&self.train, rows, false), reading.cells(), &logarithms)
            })
            .collect();
        let mut ranked: Vec<(f64, Reading)> = told.into_iter().zip(readings).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked.into_iter().take(keep).map(|(_, reading)| reading).collect()
    }

    /// Learns from these readings and scores the test rows.
    pub fn attack(&self, readings: &[Reading]) -> Scores {
        let tables = Tables::choose(readings, &self.train, &self.labels);
        tables.score(&self.test, self.test_main)
    }
}

#[cfg(test)]
mod tests;
