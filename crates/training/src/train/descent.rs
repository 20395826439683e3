//! Training by one loss for all weights: the main loss plus the penalty of the defence.

use super::batches::Batches;
use super::fresh::Renewal;
use super::objective::{Batch, Objective, noise};
use super::optimiser::{clip, warm_up_and_cosine};
use super::select;
use super::state::{Part, State};
use super::{Run, TrainError};
use crate::defences::loss::Noise;
use crate::features::Features;
use crate::float::parameters::Trained;

pub(crate) fn run(run: &Run, state: &mut State, mut features: Features) -> Result<(), TrainError> {
    let options = run.options;
    let penalty = options.defence.method().penalty();
    let mut batches = Batches::new(&run.targets, penalty, options.batch, options.seed)?;
    let paired = batches.strata.as_ref().is_some_and(|strata| strata.paired);
    let renewal = options.fresh.as_ref().map(|fresh| Renewal::new(run, fresh, paired)).transpose()?;
    match &renewal {
        Some(renewal) => renewal.catch_up(state.step, &mut features, run)?,
        // New drawings may light any column.
        None => features = features.lit(),
    }
    if let Some(met) = features.met() {
        state.private.parameters.forget_rows_but(met);
    }
    run.progress.begin(options.steps as u64);
    run.progress.advance(state.step as u64);
    while state.step < options.steps && !select::ended(options.selection.as_ref(), state) {
        let step = state.step;
        if let Some(renewal) = &renewal {
            renewal.advance(step, &mut features, run)?;
        }
        let items = batches.items(step);
        let labels = items.iter().map(|&item| run.targets.main[item as usize]).collect();
        let objective = Objective {
            device: &run.device,
            classes: run.targets.classes.len(),
            normalise: options.normalise,
            strata: batches.strata.as_ref(),
            penalty,
            owners: Noise { deviation: options.noise, draw: options.seed.rotate_left(32) ^ step as u64 },
            discriminant: None,
            tilted: state.tilt.weights(),
        };
        let done = step as f64 / options.steps as f64;
        let weight = penalty.map_or(0.0, |penalty| options.defence.weight() * penalty.ramp(done));
        let (private, head) = (&mut state.private, &mut state.head);
        let noise = noise(options.noise, items.len() * options.outputs, options.seed, step);
        let batch = Batch { features: &features, items: &items, labels, noise };
        let mut descent = objective.descend(&private.parameters, &head.parameters, batch, weight);
        if !descent.loss.is_finite() {
            return Err(TrainError::NotFinite { tensor: "loss".into(), step });
        }
        clip(&mut descent.gradients, options.clip);
        let rate = warm_up_and_cosine(options.rate, step, options.steps, options.warm_up) as f32;
        for (part, gradients) in [private, head].into_iter().zip(&descent.gradients) {
            part.optimiser.step(&mut part.parameters, gradients, rate);
        }
        check_finite(&[&state.private, &state.head], step)?;
        state.tilt.add(&descent.leaks);
        state.step += 1;
        run.progress.advance(1);
        if step.is_multiple_of(20) {
            let beside = penalty.map(|penalty| format!(", {} {:.1e}", penalty.name(), descent.penalty()));
            run.progress.note(&format!("loss {:.3}{}", descent.loss, beside.unwrap_or_default()));
        }
        if let Some(selection) = &options.selection {
            select::consider(run, state, selection, options.steps)?;
        }
        run.save_if_due(state)?;
    }
    Ok(())
}

/// Refuses weights that are not finite, naming the first such tensor.
pub(super) fn check_finite(parts: &[&Part], step: usize) -> Result<(), TrainError> {
    match parts.iter().find_map(|part| part.parameters.first_not_finite()) {
        Some(tensor) => Err(TrainError::NotFinite { tensor: tensor.into(), step }),
        None => Ok(()),
    }
}
