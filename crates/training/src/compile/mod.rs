//! From a float network to integers: rounding, fine-tuning with rounded weights, exact ranges.

mod activity;
mod columns;
mod defence;
mod error;
mod finetune;
mod latent;
mod options;
mod precision;
pub(crate) mod report;
mod rounding;
mod weights;

pub use defence::CompileDefence;
pub use error::CompileError;
pub use options::{CompileOptions, Precision};
pub use report::IDLE_BITS;
pub use report::{CompileReport, OutputRange};
pub use rounding::best_scale;

use dataset::Dataset;
use encoder::Encoder;
use host::Progress;
use model::{CompiledNetwork, Origin, Parameters, Parts, PublicHead, width_bits};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::network::{Network, percent, rounded};
use crate::train::{Targets, device, finish::moments};
use crate::{History, ItemSketch, accuracy, attacker};
use finetune::Tuning;
use latent::Latent;
use precision::needed_bits;

/// The least number of items to fine-tune and to measure on.
const LEAST_ITEMS: usize = 20;

/// The most items to measure on, and the most whose integer outputs give statistics, ranges and the head: using all of
/// a large set would take longer than fine-tuning.
const HELD_ITEMS: usize = 20_000;
const SAMPLE_ITEMS: usize = 100_000;

/// Compiles a network to integers.
///
/// `calibration` is labelled data like the training data, in any order. Nine tenths fine-tune; the other tenth (at most
/// 20,000 items) measures, which is not independent evidence if the network was trained on it. Weights are rounded,
/// fine-tuned through their rounding, and rounded for good. Then output statistics are taken from the integers of up to
/// 100,000 items, and the head is fitted to them.
///
/// # Errors
/// An option outside its range or one that the defence does not allow; too few items, or other classes than the
/// network's; items that the encoder does not take; weights or a loss that stop being finite; outputs too wide for the
/// discrete logarithm.
pub fn compile(
    network: &Network,
    calibration: &Dataset,
    options: &CompileOptions,
    progress: &dyn Progress,
) -> Result<(CompiledNetwork, CompileReport), CompileError> {
    options.check()?;
    let encoder = match options.precision.input {
        Some(bits) => network.encoder().with_bits(bits)?,
        None => network.encoder().clone(),
    };
    let (tuning, held) = split(network, calibration, options.seed)?;
    progress.begin(options.steps as u64);

    let sample: Vec<usize> = (0..tuning.len().min(SAMPLE_ITEMS)).collect();
    let sample = tuning.subset(&sample);
    let activity = activity::measure(network, &encoder, &tuning)?;
    let grid = encoder.grid();
    let mut private = network.private.clone();
    if let Some(keep) = options.columns {
        columns::keep_largest(&mut private, encoder.right(), &activity, keep);
    }
    let mut latent = Latent::new(&private, grid, options.precision, &activity);
    let mut layers = reading_normalised(network, &sample)?;
    let tune = Tuning {
        data: &tuning,
        encoder: &encoder,
        record: network.record(),
        options,
        noise: deviation(network, options),
        device: device(options.compute).autodiff(),
        progress,
    };
    let plain = Candidate::assemble(network, &encoder, &latent, &sample, layers.clone(), options)?.network;
    let accuracy_rounded = accuracy(&plain.with_widest_range(), &held)?;
    tune.tune(&mut latent, &mut layers)?;

    let mut candidate = Candidate::assemble(network, &encoder, &latent, &sample, layers, options)?;
    if let PublicHead::Net { centre, scale, layers } = candidate.network.head() {
        let (centre, scale, mut layers) = (centre.clone(), scale.clone(), layers.clone());
        tune.tune_head(&sample, &candidate.outputs, &centre, &scale, &mut layers)?;
        candidate.network = candidate.network.with_head(PublicHead::Net { centre, scale, layers })?;
    }
    let report = candidate.report(network, &held, accuracy_rounded, options)?;
    let report = CompileReport { seen: Some(ItemSketch::of(&[calibration])), ..report };
    let history = History { record: network.record().clone(), report };
    let compiled = candidate.network.with_origin(history.origin()?);
    Ok((compiled, history.report))
}

/// The deviation of the noise under encryption.
fn deviation(network: &Network, options: &CompileOptions) -> f32 {
    options.noise.unwrap_or(network.record().options.noise)
}

/// An integer network that declares its exact or empirical range, and its outputs on the tuning data
/// before any noise.
struct Candidate {
    network: CompiledNetwork,
    outputs: Vec<i64>,
    empirical: Vec<(i64, i64)>,
}

impl Candidate {
    fn assemble(
        network: &Network,
        encoder: &Encoder,
        latent: &Latent,
        sample: &Dataset,
        layers: Parameters,
        options: &CompileOptions,
    ) -> Result<Self, CompileError> {
        let weights = latent.integers();
        let (encoder, weights) =
            if options.drop_dead { columns::drop_dead(encoder, weights)? } else { (encoder.clone(), weights) };
        let (map, squares) = weights.into_map()?;
        let width = map.outputs();
        let read = |centre, scale| PublicHead::Net { centre, scale, layers: layers.clone() };
        let mut compiled = CompiledNetwork::new(Parts {
            encoder,
            map,
            squares,
            head: read(vec![0.0; width], vec![1.0; width]),
            main: network.record().main.clone(),
            classes: network.classes().to_vec(),
            // The origin is added at the end, with the report.
            origin: Origin::Imported { file: String::new() },
        })?;

        let outputs = compiled.evaluate_all(sample)?;
        let floats: Vec<f32> = outputs.iter().map(|&value| value as f32).collect();
        let (centre, scale): (Vec<f64>, Vec<f64>) = (0..width).map(|j| moments(&floats, width, j)).unzip();
        let scale: Vec<f64> = scale.into_iter().map(|scale| scale.max(1.0)).collect();
        let share = deviation(network, options);
        let empirical = if share > 0.0 {
            compiled = compiled.with_noise(&noise_deviations(share.into(), &scale))?.with_widest_range();
            compiled.seen(&compiled.evaluate_all(sample)?)
        } else {
            compiled.seen(&outputs)
        };
        let compiled = compiled.with_head(read(centre, scale))?;
        let compiled = compiled.with_declared(options.range, &empirical, options.log_bits)?;
        Ok(Self { network: compiled, outputs, empirical })
    }

    fn report(
        &self,
        network: &Network,
        held: &Dataset,
        accuracy_rounded: f64,
        options: &CompileOptions,
    ) -> Result<CompileReport, CompileError> {
        let compiled = &self.network;
        let (n, m) = compiled.inputs();
        let mut sides = vec![(compiled.left(), n)];
        if !compiled.is_squares() {
            sides.push((compiled.right(), m));
        }
        let units = compiled.units() - compiled.encoder().noise_coordinates().len();
        let weights = || {
            let rows = sides.iter().flat_map(|(rows, columns)| rows.chunks_exact(*columns).take(units));
            rows.flat_map(|row| &row[1..])
        };
        let biases = sides.iter().flat_map(|(rows, columns)| rows.iter().step_by(*columns));
        let outputs = self.empirical.iter().enumerate().map(|(output, &empirical)| {
            let declared = compiled.bounds()[output];
            let bits = rounded(width_bits(declared.0.into(), declared.1.into()));
            let exact = compiled.exact_bounds()[output];
            OutputRange { exact, empirical, declared, bits, noise_bits: 0.0, idle_bits: 0.0 }
        });
        let mut outputs: Vec<OutputRange> = outputs.collect();
        // Outputs outside a declared range are counted as such, and the item still counts as right or wrong.
        let unlimited = compiled.clone().with_widest_range();
        let outputs_held = unlimited.evaluate_all(held)?;
        let outside =
            |row: &&[i64]| row.iter().zip(compiled.bounds()).any(|(value, (low, high))| value < low || value > high);
        let outside = outputs_held.chunks_exact(compiled.outputs()).filter(outside).count();
        let needed = needed_bits(&unlimited, held, &outputs_held, &self.empirical)?;
        let deviations = compiled.encoder().noise().map_or(&[][..], |noise| &noise.deviations);
        precision::account(&mut outputs, needed, deviations);
        let floats: Vec<f32> = outputs_held.iter().map(|&value| value as f32).collect();
        Ok(CompileReport {
            options: options.clone(),
            input_bits: compiled.encoder().grid().2.ilog2() + 1,
            accuracy_float: network.accuracy(held)?,
            accuracy_rounded,
            accuracy_integer: accuracy(&unlimited, held)?,
            outside: percent(outside, held.len()),
            neighbours_float: neighbours(network, held, &network.outputs(held)?)?,
            neighbours_integer: neighbours(network, held, &floats)?,
            items: held.len(),
            zeros: percent(weights().filter(|&&w| w == 0).count(), weights().count()),
            inputs: compiled.inputs(),
            largest_bias: biases.map(|&bias| i64::from(bias).abs()).max().unwrap_or(0),
            outputs,
            needed_bits: Some(needed),
            seen: None,
        })
    }
}

/// The accuracy of a k-nearest-neighbours attacker on outputs, if there is a collateral attribute.
fn neighbours(network: &Network, data: &Dataset, outputs: &[f32]) -> Result<Option<f64>, CompileError> {
    let record = network.record();
    if record.collateral.is_empty() {
        return Ok(None);
    }
    let targets = Targets::read(data, &record.main, &record.collateral)?;
    let (main, collateral) = (&targets.main, &targets.collateral);
    Ok(Some(attacker::neighbours(outputs, network.width(), main, collateral, targets.values)))
}

/// The deviations that are the fraction `share` of each output's own, in whole units.
fn noise_deviations(share: f64, scale: &[f64]) -> Vec<u32> {
    // A cast saturates; the encoder refuses values that are too large.
    scale.iter().map(|scale| (share * scale).round().max(1.0) as u32).collect()
}

/// Nine tenths to fine-tune on and one to measure on, at random, because data may be ordered by label. Paired items
/// stay together.
fn split(network: &Network, data: &Dataset, seed: u64) -> Result<(Dataset, Dataset), CompileError> {
    if data.len() < LEAST_ITEMS {
        return Err(CompileError::Items { found: data.len(), needed: LEAST_ITEMS });
    }
    let record = network.record();
    let classes = data.labels(&record.main)?.classes.len();
    if classes != network.classes().len() {
        let (found, expected) = (classes, network.classes().len());
        return Err(CompileError::Classes { label: record.main.clone(), found, expected });
    }
    let targets = Targets::read(data, &record.main, &record.collateral)?;
    let group = if targets.are_paired() { targets.values } else { 1 };
    let mut groups: Vec<usize> = (0..data.len() / group).collect();
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let held = (groups.len() / 10).clamp(1, (HELD_ITEMS / group).max(1));
    let (held, tuning) = groups.split_at(held);
    let items = |groups: &[usize]| -> Vec<usize> {
        groups.iter().flat_map(|&number| number * group..(number + 1) * group).collect()
    };
    Ok((data.subset(&items(tuning)), data.subset(&items(held))))
}

/// The head's layers, for outputs of mean 0 and variance 1.
fn reading_normalised(network: &Network, data: &Dataset) -> Result<Parameters, CompileError> {
    let outputs = network.outputs(data)?;
    let width = network.width();
    let mut layers = network.head.clone();
    let columns = layers.0[0].shape[1];
    for output in 0..width {
        let (mean, deviation) = moments(&outputs, width, output);
        for column in 0..columns {
            let weight = layers.0[0].values[output * columns + column];
            layers.0[1].values[column] += mean as f32 * weight;
            layers.0[0].values[output * columns + column] = weight * deviation as f32;
        }
    }
    Ok(layers)
}
