//! One attacker on its own: learns from labelled outputs, then predicts the attribute for other outputs.

use crate::attackers::AttackerConfig;
use crate::error::AuditError;
use crate::observations::{LEAST_ITEMS, Observations};
use crate::outputs::Outputs;
use crate::panel;
use crate::training::Training;
use host::Silent;

/// Outputs whose collateral attribute is to be predicted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Asked {
    /// Outputs, row-major, N·`width` finite numbers.
    pub outputs: Outputs,
    /// Outputs per item, S, as in training.
    pub width: usize,
    /// Main label of each item, which every attacker is given.
    pub main: Vec<u32>,
}

/// Log probabilities of the attribute's values for each item to predict, `[N, values]` row-major.
///
/// The attacker starts from scratch and learns from `train`; equal arguments give equal results. An attacker with one
/// model per main class learns from that class alone, so the items to predict do not change what it learns.
///
/// # Errors
/// Unsound observations, fewer than 10 training items of a main class, items to predict of another width or class, and
/// attackers `decensor-…`, which also need an undefended network.
pub fn attack(family: &AttackerConfig, train: &Observations, asked: &Asked, seed: u64) -> Result<Vec<f32>, AuditError> {
    check(family, train, asked)?;
    let values = train.collateral_classes.len();
    let test = Observations {
        outputs: asked.outputs.clone(),
        width: asked.width,
        main: asked.main.clone(),
        collateral: vec![0; asked.main.len()],
        main_classes: train.main_classes.clone(),
        collateral_classes: train.collateral_classes.clone(),
    };
    if test.is_empty() {
        return Ok(Vec::new());
    }
    // Every class gets at least one item, because attackers do not accept an empty table.
    let absent: Vec<usize> = (0..train.main_classes.len())
        .filter(|&class| !test.main.contains(&(class as u32)))
        .filter_map(|class| train.main.iter().position(|&main| main as usize == class))
        .collect();
    let asked = test.len();
    let test = extended(test, &train.subset(&absent));
    let training = Training::new(train, None)?;
    let families = std::slice::from_ref(family);
    let mut scores = panel::run(families, &training, &test, seed, &Silent).swap_remove(0).values;
    scores.truncate(asked * values);
    scores.chunks_exact_mut(values).for_each(normalise);
    Ok(scores)
}

fn check(family: &AttackerConfig, train: &Observations, asked: &Asked) -> Result<(), AuditError> {
    family.validate()?;
    if family.needs_undefended() {
        let remedy = "use `audit_with`, which takes the undefended network's outputs";
        return Err(AuditError::Option { option: "family", value: family.to_string(), remedy });
    }
    train.validate("train")?;
    if family.reads_integers() && (train.outputs.integers().is_none() || asked.outputs.integers().is_none()) {
        let remedy = "give outputs as integers, which it reads digit by digit";
        return Err(AuditError::Option { option: "family", value: family.to_string(), remedy });
    }
    for (class, name) in train.main_classes.iter().enumerate() {
        let items = train.main.iter().filter(|&&main| main as usize == class).count();
        if items < LEAST_ITEMS {
            return Err(AuditError::TooFew { class: name.clone(), items, least: LEAST_ITEMS });
        }
    }
    if asked.width != train.width {
        let (train, test) = (train.width.to_string(), asked.width.to_string());
        return Err(AuditError::Mismatch { field: "width", train, test });
    }
    let (split, items) = ("asked", asked.main.len());
    if Some(asked.outputs.len()) != items.checked_mul(asked.width) {
        let (actual, expected) = (asked.outputs.len(), items.saturating_mul(asked.width));
        return Err(AuditError::Length { split, field: "outputs", actual, expected, items });
    }
    let classes = train.main_classes.len();
    if let Some(row) = asked.main.iter().position(|&main| main as usize >= classes) {
        let (value, last) = (asked.main[row], classes.saturating_sub(1));
        return Err(AuditError::LabelRange { split, field: "main", row, value, classes, last });
    }
    match asked.outputs.unsound() {
        Some((at, value)) => {
            let (row, column) = (at / asked.width, at % asked.width);
            Err(AuditError::NotFinite { split, row, column, value })
        }
        None => Ok(()),
    }
}

fn extended(mut items: Observations, more: &Observations) -> Observations {
    items.outputs.extend(&more.outputs);
    items.main.extend(&more.main);
    items.collateral.extend(&more.collateral);
    items
}

/// Turns log scores into log probabilities.
fn normalise(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = row.iter().map(|score| (score - largest).exp()).sum();
    row.iter_mut().for_each(|score| *score -= largest + sum.ln());
}
