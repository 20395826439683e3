//! One panel on one pair of splits: run, evaluate, choose.

use crate::attackers::AttackerConfig;
use crate::balance::{self, Answers};
use crate::error::AuditError;
use crate::evaluate::{Rows, Run, attackers, highest, strongest, views};
use crate::observations::Observations;
use crate::options::AuditOptions;
use crate::panel;
use crate::report::{AttackerScore, Control, Finding, Scope, Vote};
use crate::training::Training;
use crate::vote::vote;
use host::Progress;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What all runs of a panel have in common.
pub(crate) struct EveryRun<'a> {
    pub training: &'a Training,
    pub options: &'a AuditOptions,
}

/// The findings of the panel.
pub(crate) struct Found {
    pub runs: Vec<Run>,
    pub attackers: Vec<AttackerScore>,
    pub strongest_pooled: Finding,
    /// Lower bound of its advantage on held-out items, as for the class.
    pooled_floor: f64,
    pub strongest_class: Option<(Finding, f64)>,
    pub highest_pooled: Finding,
    pub highest_class: Option<Finding>,
    pub strongest_balanced: Option<Finding>,
    pub highest_balanced: Option<Finding>,
    /// Of every family on the test items.
    pub answers: Vec<Answers>,
    pub vote: Vec<Vote>,
}

impl Found {
    /// The scope that is farther above chance on held-out items.
    pub fn strongest(&self) -> Finding {
        match &self.strongest_class {
            Some((class, floor)) if *floor > self.pooled_floor => class.clone(),
            _ => self.strongest_pooled.clone(),
        }
    }

    pub fn control(self, name: &str) -> Control {
        Control {
            name: name.to_owned(),
            strongest_pooled: self.strongest_pooled,
            strongest_class: self.strongest_class.map(|f| f.0),
            highest_pooled: self.highest_pooled,
            highest_class: self.highest_class,
            strongest_balanced: self.strongest_balanced,
            highest_balanced: self.highest_balanced,
            vote: self.vote,
        }
    }
}

/// Trains every family twice per seed: on a part of the training items, to choose and calibrate on the rest, and on all
/// of them, to be scored on the test items.
pub(crate) fn examine(
    training: &Training,
    test: &Observations,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<Found, AuditError> {
    let names: Vec<String> = options.families.iter().map(AttackerConfig::to_string).collect();
    let runs: Vec<Run> = (options.seeds.iter())
        .map(|&seed| {
            let (fit, held) = hold_out(training, options.held_out, seed);
            let held_scores = panel::run(&options.families, &fit, &held, seed, progress);
            let test_scores = panel::run(&options.families, training, test, seed, progress);
            Run { held, held_scores, test_scores }
        })
        .collect();
    let views = views(&training.seen, test);
    let Rows { rows: attackers, answers } = attackers(&names, &views, &runs, &training.seen, test);
    let (held, comparisons) = (&runs[0].held, options.comparisons);
    let no_family =
        || AuditError::Option { option: "families", value: "empty".to_owned(), remedy: "name at least one family" };
    let (strongest_pooled, pooled_floor) =
        strongest(&attackers, Scope::Pooled, (held, test), comparisons).ok_or_else(no_family)?;
    let highest_pooled = highest(&attackers, Scope::Pooled, test, comparisons).ok_or_else(no_family)?;
    Ok(Found {
        strongest_pooled,
        pooled_floor,
        strongest_class: strongest(&attackers, Scope::Class, (held, test), comparisons),
        highest_pooled,
        highest_class: highest(&attackers, Scope::Class, test, comparisons),
        strongest_balanced: balance::strongest(&attackers),
        highest_balanced: balance::highest(&attackers, &answers, comparisons),
        answers,
        vote: vote(&names, &runs, &training.seen, test, &options.vote, options.seeds[0]),
        attackers,
        runs,
    })
}

/// Splits every cell (main class, value) into a part for choosing and a part for learning.
pub(crate) fn hold_out(training: &Training, share: f64, seed: u64) -> (Training, Observations) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x4e1d);
    let train = &training.seen;
    let values = train.collateral_classes.len();
    let mut cells = vec![Vec::new(); train.main_classes.len() * values];
    for i in 0..train.len() {
        cells[train.main[i] as usize * values + train.collateral[i] as usize].push(i);
    }
    let (mut fit, mut held) = (Vec::new(), Vec::new());
    for cell in &mut cells {
        cell.shuffle(&mut rng);
        // A cell with one item is used for learning.
        let count = (cell.len() as f64 * share).round() as usize;
        let count = count.min(cell.len().saturating_sub(1));
        held.extend_from_slice(&cell[..count]);
        fit.extend_from_slice(&cell[count..]);
    }
    fit.shuffle(&mut rng);
    (training.subset(&fit), train.subset(&held))
}

/// Permutes the attribute's values within every main class.
pub(crate) fn shuffle_labels(data: &mut Observations, rng: &mut ChaCha8Rng) {
    for class in 0..data.main_classes.len() as u32 {
        let items: Vec<usize> = (0..data.len()).filter(|&i| data.main[i] == class).collect();
        let mut values: Vec<u32> = items.iter().map(|&i| data.collateral[i]).collect();
        values.shuffle(rng);
        items.iter().zip(values).for_each(|(&i, value)| data.collateral[i] = value);
    }
}
