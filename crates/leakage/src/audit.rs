//! The whole audit.

use crate::attackers::AttackerConfig;
use crate::balance;
use crate::cloud;
use crate::continuous;
use crate::distinguisher::distinguisher;
use crate::error::AuditError;
use crate::examine::{EveryRun, Found, examine, shuffle_labels};
use crate::growth;
use crate::members;
use crate::observations::{Observations, validate_pair};
use crate::options::AuditOptions;
use crate::panel;
use crate::precision::precision;
use crate::report::{AuditReport, Control, Controls, Items, Vote};
use crate::training::{Extras, Training};
use host::Progress;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Measures what the outputs reveal about the collateral attribute.
/// Fresh attackers learn from `train` and are scored on `test`. Neither split should have been used to train the
/// network's defence. Figures depend on the size of `train` (more items, stronger attackers), so quote both.
/// Deterministic from `options.seeds`, whatever the number of threads. Progress counts trained attackers.
///
/// # Errors
/// Unsound observations or options; the message names split, field and row.
pub fn audit(
    train: &Observations,
    test: &Observations,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<AuditReport, AuditError> {
    audit_with(train, test, &Extras::default(), options, progress)
}

/// As [`audit`], with undefended outputs for de-censoring attacks, and further controls.
///
/// # Errors
/// As [`audit`]; and attackers `decensor-…` without undefended outputs.
pub fn audit_with(
    train: &Observations,
    test: &Observations,
    extras: &Extras,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<AuditReport, AuditError> {
    options.validate(extras.undefended.is_some())?;
    validate_pair(train, test)?;
    for (_, train, test) in &extras.controls {
        validate_pair(train, test)?;
    }
    if let Some(members) = extras.members {
        validate_pair(train, members)?;
    }
    let options = &options.taking_part(are_integers(train, test))?;
    let training = Training::new(train, extras.undefended)?;
    let seed = options.seeds[0];
    let (training, test) = draw(&training, test, options, seed);
    validate_pair(&training.seen, &test)?;
    progress.begin(steps(&training, options, extras));

    let found = examine(&training, &test, options, progress)?;
    let shuffled = match options.shuffled_control {
        true => Some(shuffled(&training, &test, options, progress)?),
        false => None,
    };
    let mut others = Vec::with_capacity(extras.controls.len());
    for (name, train, test) in &extras.controls {
        others.push(control(name, train, test, options, progress)?);
    }
    let pooled = found.strongest_pooled.clone();
    let at = options.families.iter().position(|f| f.to_string() == pooled.family).unwrap_or(0);
    let mut growth = Vec::new();
    let mut code_length = None;
    if options.growth {
        let measured = growth::measure(&options.families[at], &training, &test, seed, progress);
        growth = measured.0;
        code_length = Some(measured.1);
    }
    let class = found.strongest_class.as_ref().map(|f| f.0.clone());
    let of = EveryRun { training: &training, options };
    let members = extras.members.and_then(|members| members::measure(members, &found, &of));
    let continuous = continuous::measure(&found.runs, &test, &of);
    let train = &training.seen;
    Ok(AuditReport {
        network: options.network.clone(),
        attribute: options.attribute.clone(),
        items: Items { train: train.len(), test: test.len() },
        outputs: train.width,
        main_classes: train.main_classes.clone(),
        collateral_classes: train.collateral_classes.clone(),
        seeds: options.seeds.clone(),
        strongest: found.strongest(),
        distinguisher: distinguisher(&pooled.family, &found.runs, at, train, &test),
        cloud: cloud::project(train, &test, class.as_ref()),
        strongest_pooled: pooled,
        strongest_class: class,
        highest_pooled: found.highest_pooled,
        highest_class: found.highest_class,
        strongest_balanced: found.strongest_balanced,
        highest_balanced: found.highest_balanced,
        main_label: Some(balance::main_label(train, &test)),
        continuous,
        members,
        warnings: Vec::new(),
        attackers: found.attackers,
        comparisons: options.comparisons,
        vote_left_out: left_out(options, &found.vote),
        vote: found.vote,
        growth,
        code_length,
        reconstruction: None,
        noise: None,
        precision: precision(train, &test, &options.noise),
        controls: Controls { shuffled, others },
    })
}

/// The requested numbers of items per subject that exceed the test items of some value.
fn left_out(options: &AuditOptions, votes: &[Vote]) -> Vec<usize> {
    options.vote.iter().copied().filter(|k| votes.iter().all(|vote| vote.k != *k)).collect()
}

/// Attackers to train, over all parts of the audit. The growth part is an estimate, because the strongest attacker is
/// not known yet.
fn steps(training: &Training, options: &AuditOptions, extras: &Extras) -> u64 {
    let classes = training.seen.main_classes.len();
    let panel = |classes| 2 * options.seeds.len() as u64 * panel::steps(&options.families, classes);
    let mut steps = panel(classes) * if options.shuffled_control { 2 } else { 1 };
    steps += extras.controls.iter().map(|(_, train, _)| panel(train.main_classes.len())).sum::<u64>();
    if options.growth {
        steps += growth::steps(&AttackerConfig::qda(), &training.seen);
    }
    steps
}

fn shuffled(
    training: &Training,
    test: &Observations,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<Control, AuditError> {
    let mut rng = ChaCha8Rng::seed_from_u64(options.seeds[0] ^ 0x5eed);
    let mut training = training.clone();
    shuffle_labels(&mut training.seen, &mut rng);
    let mut test = test.clone();
    shuffle_labels(&mut test, &mut rng);
    Ok(examine(&training, &test, options, progress)?.control("shuffled labels"))
}

/// Runs the panel of `options` on other observations of such items, for [`Controls::others`]: a random network, raw
/// inputs.
///
/// # Errors
/// As [`audit`].
pub fn control(
    name: &str,
    train: &Observations,
    test: &Observations,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<Control, AuditError> {
    let families = options.families.iter().filter(|f| !f.needs_undefended());
    let options = AuditOptions { families: families.cloned().collect(), ..options.clone() };
    let options = options.taking_part(are_integers(train, test))?;
    let (training, test) = draw(&Training::new(train, None)?, test, &options, options.seeds[0]);
    validate_pair(&training.seen, &test)?;
    let found: Found = examine(&training, &test, &options, progress)?;
    Ok(found.control(name))
}

fn are_integers(train: &Observations, test: &Observations) -> bool {
    train.outputs.integers().is_some() && test.outputs.integers().is_some()
}

/// Both splits in random order, cut to their limits.
fn draw(training: &Training, test: &Observations, options: &AuditOptions, seed: u64) -> (Training, Observations) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pick = |items: usize, limit: Option<usize>| {
        let mut items: Vec<usize> = (0..items).collect();
        items.shuffle(&mut rng);
        items.truncate(limit.unwrap_or(usize::MAX));
        items
    };
    let learned = pick(training.len(), options.train_limit);
    (training.subset(&learned), test.subset(&pick(test.len(), options.test_limit)))
}
