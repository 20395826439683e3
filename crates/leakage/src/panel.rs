//! Runs attackers of many kinds over all main classes in parallel.

use crate::attackers::AttackerConfig;
use crate::attackers::Beside;
use crate::metrics::Scores;
use crate::observations::Observations;
use crate::slice::{Slice, WholeNumbers, with_label};
use crate::training::Training;
use host::Progress;
use rayon::prelude::*;
use std::ops::Range;

/// Families that share work, and the main class (`None`: all) that one attacker learns.
struct Job {
    families: Range<usize>,
    class: Option<u32>,
}

/// Number of steps that one call of [`run`] adds to the progress.
pub(crate) fn steps(families: &[AttackerConfig], classes: usize) -> u64 {
    jobs(families, classes).len() as u64
}

/// Trains every attacker on `train` and scores `test`, one [`Scores`] per attacker over all test items.
///
/// The result depends on the seed and the data only, not on the number of threads.
pub(crate) fn run(
    families: &[AttackerConfig],
    train: &Training,
    test: &Observations,
    seed: u64,
    progress: &dyn Progress,
) -> Vec<Scores> {
    let classes = test.main_classes.len();
    let values = test.collateral_classes.len();
    let slices: Vec<Slice> = (0..classes as u32).into_par_iter().map(|class| Slice::new(train, test, class)).collect();
    let numbers = match families.iter().any(AttackerConfig::reads_integers) {
        true => WholeNumbers::new(&slices, &train.seen, test),
        false => None,
    };
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
                    let (sample, rows) = slice.tables(values, families[0].columns());
                    AttackerConfig::attack(families, &sample, slice.beside(), rows, seed)
                }
                None => {
                    let (sample, rows) = with_label(&slices, values);
                    let beside = numbers.as_ref().map_or_else(Beside::default, WholeNumbers::beside);
                    AttackerConfig::attack(families, &sample, beside, &rows, seed)
                }
            };
            progress.advance(1);
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

fn jobs(families: &[AttackerConfig], classes: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut from = 0;
    for group in families.chunk_by(AttackerConfig::shares_work_with) {
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

/// A separate seed for every attacker (FNV-1a over seed, name and class).
fn mix(seed: u64, name: &str, class: Option<u32>) -> u64 {
    let class = class.map_or(u64::MAX, u64::from);
    let bytes = seed.to_le_bytes().into_iter();
    let bytes = bytes.chain(name.bytes()).chain(class.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
