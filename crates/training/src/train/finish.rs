//! From the weights at the end of a run to a network: final statistics, folded, and the record.

use std::collections::BTreeMap;

use dataset::Dataset;
use encoder::EncoderOptions;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

use super::cells::Targets;
use super::state::State;
use super::{Run, TrainError, data_hash};
use crate::network::{Network, TrainingRecord, percent};
use crate::{Compute, ItemSketch, TrainOptions, attacker};
use model::Parameters;

/// Items on which the output statistics are estimated; more would not make them better.
const STATISTICS_ITEMS: usize = 60_000;

/// The network of the selected state, or of the last one.
pub(super) fn finish(run: &Run, state: State) -> Result<Network, TrainError> {
    match state.best {
        Some(best) => fold(run, best.private, best.head, best.step),
        None => fold(run, state.private.parameters, state.head.parameters, state.step),
    }
}

/// Gives every output variance 1 and lets the head read the outputs unchanged: `D_j ← D_j / σ_j`, and in the head's
/// first layer `b ← b − Σ_j (μ_j / σ_j)·W_j` where training normalised its outputs, `W_j ← σ_j·W_j` where it did not.
/// `μ`, `σ` are those of the training data. Where batches were stratified, each cell (main class, collateral value) has
/// the same weight, because the head was trained that way.
pub(super) fn fold(run: &Run, private: Parameters, head: Parameters, steps: usize) -> Result<Network, TrainError> {
    let record = TrainingRecord {
        main: run.options.main.clone(),
        collateral: run.options.collateral.clone(),
        options: TrainOptions {
            encoder: EncoderOptions::default(),
            checkpoint: None,
            compute: Compute::Cpu,
            ..run.options.clone()
        },
        data: run.train.about().clone(),
        items: run.train.len(),
        data_hash: data_hash(run.train),
        seen: Some(ItemSketch::of(&[run.train, run.validation])),
        steps,
        accuracy: 0.0,
        neighbours: None,
        chance: None,
        version: env!("CARGO_PKG_VERSION").into(),
    };
    let classes = run.targets.classes.clone();
    let (kind, encoder) = (run.options.kind, run.encoder.clone());
    let mut network = Network { kind, encoder, classes, private, head, record };

    let mut rng = ChaCha8Rng::seed_from_u64(run.options.seed);
    let sample = index::sample(&mut rng, run.train.len(), run.train.len().min(STATISTICS_ITEMS)).into_vec();
    let outputs = network.outputs(&run.train.subset(&sample))?;
    let width = network.width();
    let weights = weights(run, &sample);
    let statistics: Vec<(f64, f64)> =
        (0..width).map(|output| weighted_moments(&outputs, width, output, &weights)).collect();
    for (mean, deviation) in &statistics {
        if !mean.is_finite() || !deviation.is_finite() || *deviation == 0.0 {
            return Err(TrainError::NotFinite { tensor: "outputs".into(), step: steps });
        }
    }
    let last = network.private.0.len() - 1;
    for row in network.private.0[last].values.chunks_exact_mut(width) {
        row.iter_mut().zip(&statistics).for_each(|(weight, (_, deviation))| *weight /= *deviation as f32);
    }
    // The first layer reads the outputs.
    let (weights, rest) = network.head.0.split_at_mut(1);
    let (weight, bias) = (&mut weights[0], &mut rest[0]);
    let columns = weight.shape[1];
    for (row, (mean, deviation)) in weight.values.chunks_exact_mut(columns).zip(&statistics) {
        if run.options.normalise {
            let shift = (mean / deviation) as f32;
            bias.values.iter_mut().zip(row.iter()).for_each(|(bias, weight)| *bias -= shift * weight);
        } else {
            row.iter_mut().for_each(|weight| *weight *= *deviation as f32);
        }
    }
    measure(run.validation, &mut network)?;
    Ok(network)
}

/// The weight of each item of the sample in the statistics; they sum to 1.
fn weights(run: &Run, sample: &[usize]) -> Vec<f64> {
    let Targets { main, collateral, .. } = &run.targets;
    let stratified = run.options.defence.method().penalty().is_some();
    let cell = |&item: &usize| if stratified { (main[item], collateral[item]) } else { (0, 0) };
    let mut counts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    sample.iter().for_each(|item| *counts.entry(cell(item)).or_default() += 1);
    sample.iter().map(|item| 1.0 / (counts.len() * counts[&cell(item)]) as f64).collect()
}

/// Accuracies on the validation data, for the record.
fn measure(validation: &Dataset, network: &mut Network) -> Result<(), TrainError> {
    network.record.accuracy = network.accuracy(validation)?;
    if network.record.collateral.is_empty() {
        return Ok(());
    }
    let targets = Targets::read(validation, &network.record.main, &network.record.collateral)?;
    let outputs = network.outputs(validation)?;
    let (main, collateral) = (&targets.main, &targets.collateral);
    let commonest = (0..targets.values).map(|value| collateral.iter().filter(|&&v| v as usize == value).count()).max();
    network.record.chance = commonest.map(|count| percent(count, collateral.len()));
    network.record.neighbours = Some(attacker::neighbours(&outputs, network.width(), main, collateral, targets.values));
    Ok(())
}

/// Mean and standard deviation of one column.
pub(crate) fn moments(values: &[f32], width: usize, column: usize) -> (f64, f64) {
    let count = values.len() / width;
    weighted_moments(values, width, column, &vec![1.0 / count as f64; count])
}

/// The same, of rows with weights that add up to 1.
fn weighted_moments(values: &[f32], width: usize, column: usize, weights: &[f64]) -> (f64, f64) {
    let column = || values.iter().skip(column).step_by(width).map(|&value| f64::from(value)).zip(weights);
    let mean = column().map(|(value, weight)| weight * value).sum::<f64>();
    let variance = column().map(|(value, weight)| weight * (value - mean).powi(2)).sum::<f64>();
    (mean, variance.sqrt())
}
