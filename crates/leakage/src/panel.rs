//! Runs attackers of many families over all main classes in parallel.

use crate::attackers::{Sample, Standardiser, Uncensored, attack};
use crate::family::Family;
use crate::metrics::Scores;
use crate::observations::Observations;
use crate::training::Training;
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::ops::Range;

/// Families that share work, and the main class (`None`: all) that one attacker learns.
struct Job {
    families: Range<usize>,
    class: Option<u32>,
}

/// Number of steps that one call of [`run`] adds to its progress bar.
pub(crate) fn steps(families: &[Family], classes: usize) -> u64 {
    jobs(families, classes).len() as u64
}

/// Trains every family on `train` and scores `test`, one [`Scores`] per family over all test items.
///
/// The result depends on the seed and the data only, not on the number of threads.
pub(crate) fn run(
    families: &[Family],
    train: &Training,
    test: &Observations,
    seed: u64,
    progress: &ProgressBar,
) -> Vec<Scores> {
    let classes = test.main_classes.len();
    let values = test.collateral_classes.len();
    let slices: Vec<Slice> = (0..classes as u32).into_par_iter().map(|class| Slice::new(train, test, class)).collect();
    let mut jobs = jobs(families, classes);
    jobs.sort_by_key(|job| std::cmp::Reverse(families[job.families.start].cost()));
    let results: Vec<Vec<Scores>> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|job| {
            let families = &families[job.families.clone()];
            let name = families[0].to_string();
            let seed = mix(seed, &name, job.class);
            let scores = match job.class {
                Some(class) => {
                    let slice = &slices[class as usize];
                    attack(families, &slice.sample(values), slice.uncensored(), &slice.test_rows, seed)
                }
                None => {
                    let (sample, rows) = with_label(&slices, values);
                    attack(families, &sample, None, &rows, seed)
                }
            };
            progress.inc(1);
            scores
        })
        .collect();
    let mut out = vec![Scores { values: vec![0.0; test.len() * values], classes: values }; families.len()];
    for (job, results) in jobs.iter().zip(results) {
        let items = slices
            .iter()
            .filter(|slice| job.class.is_none_or(|class| class == slice.class))
            .flat_map(|slice| &slice.test_items);
        let items: Vec<usize> = items.copied().collect();
        for (family, scores) in job.families.clone().zip(results) {
            for (&item, row) in items.iter().zip(scores.rows()) {
                out[family].values[item * values..(item + 1) * values].copy_from_slice(row);
            }
        }
    }
    out
}

fn jobs(families: &[Family], classes: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut from = 0;
    for group in families.chunk_by(Family::shares_work_with) {
        let range = from..from + group.len();
        from = range.end;
        if group[0].is_pooled() {
            jobs.push(Job { families: range, class: None });
        } else {
            jobs.extend((0..classes as u32).map(|class| Job { families: range.clone(), class: Some(class) }));
        }
    }
    jobs
}

/// Items of one main class, standardised by its training items.
struct Slice {
    class: u32,
    width: usize,
    train_rows: Vec<f32>,
    labels: Vec<u32>,
    test_rows: Vec<f32>,
    test_items: Vec<usize>,
    /// Undefended outputs of the training items, if known.
    undefended: Vec<f32>,
    undefended_width: usize,
}

impl Slice {
    fn new(training: &Training, test: &Observations, class: u32) -> Slice {
        let train = &training.seen;
        let of = |labels: &[u32]| -> Vec<usize> {
            let items = labels.iter().enumerate().filter(|(_, l)| **l == class);
            items.map(|(i, _)| i).collect()
        };
        let (train_items, test_items) = (of(&train.main), of(&test.main));
        let standardiser = Standardiser::fit(&train.outputs, train.width, &train_items);
        Slice {
            class,
            width: train.width,
            train_rows: standardiser.apply(&train.outputs, &train_items),
            labels: train_items.iter().map(|&i| train.collateral[i]).collect(),
            test_rows: standardiser.apply(&test.outputs, &test_items),
            test_items,
            undefended: training.undefended_rows(&train_items),
            undefended_width: training.undefended_width,
        }
    }

    fn uncensored(&self) -> Option<Uncensored<'_>> {
        (self.undefended_width > 0).then_some(Uncensored { rows: &self.undefended, width: self.undefended_width })
    }

    fn sample(&self, values: usize) -> Sample<'_> {
        Sample {
            rows: self.train_rows.as_slice().into(),
            width: self.width,
            labels: self.labels.as_slice().into(),
            classes: values,
        }
    }
}

/// All classes in one table, the main label as extra columns of zeros and one 1.
fn with_label(slices: &[Slice], values: usize) -> (Sample<'static>, Vec<f32>) {
    let width = slices.first().map_or(0, |s| s.width);
    let extra = if slices.len() > 1 { slices.len() } else { 0 };
    let widen = |rows: fn(&Slice) -> &[f32]| -> Vec<f32> {
        let mut out = Vec::new();
        for (at, slice) in slices.iter().enumerate() {
            for row in rows(slice).chunks_exact(width) {
                out.extend_from_slice(row);
                out.extend((0..extra).map(|i| f32::from(u8::from(i == at))));
            }
        }
        out
    };
    let labels: Vec<u32> = slices.iter().flat_map(|s| &s.labels).copied().collect();
    let sample =
        Sample { rows: widen(|s| &s.train_rows).into(), width: width + extra, labels: labels.into(), classes: values };
    (sample, widen(|s| &s.test_rows))
}

/// A seed of its own for every attacker (FNV-1a over seed, name and class).
fn mix(seed: u64, name: &str, class: Option<u32>) -> u64 {
    let class = class.map_or(u64::MAX, u64::from);
    let bytes = seed.to_le_bytes().into_iter();
    let bytes = bytes.chain(name.bytes()).chain(class.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
