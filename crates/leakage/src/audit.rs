//! The audit from end to end.

use crate::cloud;
use crate::distinguisher::distinguisher;
use crate::error::AuditError;
use crate::evaluate::{Run, attackers, highest, strongest, views};
use crate::family::Family;
use crate::observations::{Observations, validate_pair};
use crate::options::AuditOptions;
use crate::panel;
use crate::report::{Attacker, AuditReport, Control, Controls, Finding, Items, Scope, Vote};
use crate::vote::vote;
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Measures what the outputs give away about the collateral attribute.
///
/// Fresh attackers learn from `train` and are scored on `test`; neither split should have been
/// used to train the network's defence, and figures depend on the size of `train` (more items,
/// stronger attackers), so quote both. Deterministic from `options.seeds`, whatever the number of
/// threads. The progress bar gets its length here and one step per trained attacker.
pub fn audit(
    train: &Observations,
    test: &Observations,
    options: &AuditOptions,
    progress: &ProgressBar,
) -> Result<AuditReport, AuditError> {
    options.validate()?;
    validate_pair(train, test)?;
    let first = options.seeds[0];
    let (train, test) = draw(train, test, options, first);
    validate_pair(&train, &test)?;
    let passes = if options.shuffled_control { 2 } else { 1 };
    let steps = 2 * panel::steps(&options.families, train.main_classes.len());
    progress.set_length(passes * options.seeds.len() as u64 * steps);
    let found = examine(&train, &test, options, progress)?;
    let mut shuffled = None;
    if options.shuffled_control {
        let mut rng = ChaCha8Rng::seed_from_u64(first ^ 0x5eed);
        let [train, test] = [&train, &test].map(|data| shuffle_labels(data, &mut rng));
        let found = examine(&train, &test, options, progress)?;
        shuffled = Some(found.control("shuffled labels"));
    }
    progress.finish_and_clear();
    let pooled = found.strongest_pooled.clone();
    let family = position(&options.families, &pooled.family);
    let class = found.strongest_class.as_ref().map(|f| f.0.clone());
    let strongest = match &found.strongest_class {
        Some((class, floor)) if *floor > found.pooled_floor => class.clone(),
        _ => pooled.clone(),
    };
    Ok(AuditReport {
        network: options.network.clone(),
        attribute: options.attribute.clone(),
        items: Items { train: train.len(), test: test.len() },
        outputs: train.width,
        main_classes: train.main_classes.clone(),
        collateral_classes: train.collateral_classes.clone(),
        seeds: options.seeds.clone(),
        strongest,
        distinguisher: distinguisher(&pooled.family, &found.runs, family, &test),
        cloud: cloud::project(&train, &test, class.as_ref()),
        strongest_pooled: pooled,
        strongest_class: class,
        highest_pooled: found.highest_pooled,
        highest_class: found.highest_class,
        attackers: found.attackers,
        vote: found.vote,
        controls: Controls { shuffled, others: Vec::new() },
    })
}

/// The findings of the panel on one pair of splits.
struct Found {
    runs: Vec<Run>,
    attackers: Vec<Attacker>,
    strongest_pooled: Finding,
    pooled_floor: f64,
    strongest_class: Option<(Finding, f64)>,
    highest_pooled: Finding,
    highest_class: Option<Finding>,
    vote: Vec<Vote>,
}

impl Found {
    fn control(self, name: &str) -> Control {
        Control {
            name: name.to_owned(),
            strongest_pooled: self.strongest_pooled,
            strongest_class: self.strongest_class.map(|f| f.0),
            highest_pooled: self.highest_pooled,
            highest_class: self.highest_class,
            vote: self.vote,
        }
    }
}

fn examine(
    train: &Observations,
    test: &Observations,
    options: &AuditOptions,
    progress: &ProgressBar,
) -> Result<Found, AuditError> {
    let names: Vec<String> = options.families.iter().map(Family::to_string).collect();
    let runs: Vec<Run> = (options.seeds.iter())
        .map(|&seed| {
            let (fit, held) = hold_out(train, options.held_out, seed);
            let held_scores = panel::run(&options.families, &fit, &held, seed, progress);
            let test_scores = panel::run(&options.families, train, test, seed, progress);
            Run { held, held_scores, test_scores }
        })
        .collect();
    let views = views(train, test);
    let attackers = attackers(&names, &views, &runs, train, test);
    let held = &runs[0].held;
    let no_family =
        || AuditError::Option { option: "families", value: "empty".to_owned(), remedy: "name at least one family" };
    let (strongest_pooled, pooled_floor) = strongest(&attackers, Scope::Pooled, held).ok_or_else(no_family)?;
    let highest_pooled = highest(&attackers, Scope::Pooled, test).ok_or_else(no_family)?;
    Ok(Found {
        strongest_pooled,
        pooled_floor,
        strongest_class: strongest(&attackers, Scope::Class, held),
        highest_pooled,
        highest_class: highest(&attackers, Scope::Class, test),
        vote: vote(&names, &runs, &test.collateral, &options.vote, options.seeds[0]),
        attackers,
        runs,
    })
}

/// Both splits in random order, cut to their limits.
fn draw(train: &Observations, test: &Observations, options: &AuditOptions, seed: u64) -> (Observations, Observations) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut cut = |data: &Observations, limit: Option<usize>| {
        let mut items: Vec<usize> = (0..data.len()).collect();
        items.shuffle(&mut rng);
        items.truncate(limit.unwrap_or(usize::MAX));
        data.subset(&items)
    };
    (cut(train, options.train_limit), cut(test, options.test_limit))
}

/// A share of every cell (main class, value) for choosing, the rest for learning.
fn hold_out(train: &Observations, share: f64, seed: u64) -> (Observations, Observations) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x4e1d);
    let values = train.collateral_classes.len();
    let mut cells = vec![Vec::new(); train.main_classes.len() * values];
    for i in 0..train.len() {
        cells[train.main[i] as usize * values + train.collateral[i] as usize].push(i);
    }
    let (mut fit, mut held) = (Vec::new(), Vec::new());
    for cell in &mut cells {
        cell.shuffle(&mut rng);
        // A cell of one item is learned from.
        let count = (cell.len() as f64 * share).round() as usize;
        let count = count.min(cell.len().saturating_sub(1));
        held.extend_from_slice(&cell[..count]);
        fit.extend_from_slice(&cell[count..]);
    }
    fit.shuffle(&mut rng);
    (train.subset(&fit), train.subset(&held))
}

/// The same outputs with the attribute's values permuted within every main class.
fn shuffle_labels(data: &Observations, rng: &mut ChaCha8Rng) -> Observations {
    let mut shuffled = data.clone();
    for class in 0..data.main_classes.len() as u32 {
        let items: Vec<usize> = (0..data.len()).filter(|&i| data.main[i] == class).collect();
        let mut order = items.clone();
        order.shuffle(rng);
        for (&to, &from) in items.iter().zip(&order) {
            shuffled.collateral[to] = data.collateral[from];
        }
    }
    shuffled
}

fn position(families: &[Family], name: &str) -> usize {
    let mut names = families.iter().map(Family::to_string);
    names.position(|n| n == name).unwrap_or(0)
}
