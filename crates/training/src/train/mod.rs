//! Training: the private part and the public head together, with or without a defence.

pub(crate) mod adversarial;
pub(crate) mod batches;
mod cells;
mod check;
mod checkpoint;
pub(crate) mod descent;
mod error;
pub(crate) mod finish;
mod fresh;
pub(crate) mod objective;
pub(crate) mod optimiser;
mod require;
pub(crate) mod sampler;
mod select;
pub(crate) mod state;
pub(crate) mod tilt;

pub(crate) use cells::Targets;
pub use error::TrainError;
pub(crate) use require::require;

use burn::tensor::Device;
use dataset::Dataset;
use encoder::Encoder;
use host::Progress;
use sha2::{Digest, Sha256};

use crate::features::Features;
use crate::float::private::UnitKind;
use crate::{Compute, Network, TrainOptions};
use quadratic::QuadraticMap;
use state::State;

/// Trains a network on `train`; `validation` is used for selection and for the accuracies of the record.
///
/// Progress counts steps. With [`TrainOptions::checkpoint`], a stopped run resumes at its last checkpoint and ends with
/// the same network as without the stop.
///
/// # Errors
/// An option outside its range; label columns that are missing or have other classes in `validation`; too few items;
/// images that cannot be encoded or drawn; more inputs than a key can open; a checkpoint of another run, or one that
/// cannot be read or written; weights or a loss that stop being finite.
pub fn train(
    train: &Dataset,
    validation: &Dataset,
    options: &TrainOptions,
    progress: &dyn Progress,
) -> Result<Network, TrainError> {
    check::options(options)?;
    check::data(train, validation, options)?;
    let encoder = Encoder::fit(train, &options.encoder)?;
    if options.kind == UnitKind::Squares && encoder.inputs().0 != encoder.inputs().1 {
        let remedy = "leave `right` out of the encoder, since squares read both sides alike".to_string();
        return Err(TrainError::Option { field: "kind", value: "squares".into(), remedy });
    }
    // Noise under encryption adds one unit and one coordinate per output.
    let ((n, m), outputs) = (encoder.inputs(), options.outputs);
    QuadraticMap::check_dimensions(n, m + outputs, options.units + outputs, outputs)?;
    let run = Run {
        train,
        validation,
        options,
        targets: Targets::read(train, &options.main, &options.collateral)?,
        encoder,
        device: device(options.compute).autodiff(),
        fingerprint: fingerprint(train, validation, options),
        progress,
    };
    let features = Features::new(train, &run.encoder)?;
    let mut state = State::start(&run);
    run.resume(&mut state)?;
    options.defence.method().train(&run, &mut state, features)?;
    run.save(&state)?;
    finish::finish(&run, state)
}

/// Everything of a run that does not change while it runs.
pub(crate) struct Run<'a> {
    pub train: &'a Dataset,
    pub validation: &'a Dataset,
    pub options: &'a TrainOptions,
    pub targets: Targets,
    pub encoder: Encoder,
    pub device: Device,
    /// Identifies options and data, so that a checkpoint of another run is not taken for one of this run.
    pub fingerprint: String,
    pub progress: &'a dyn Progress,
}

pub(crate) fn device(compute: Compute) -> Device {
    match compute {
        Compute::Cpu => Device::flex(),
        #[cfg(feature = "cuda")]
        Compute::Cuda(index) => Device::cuda(index),
        #[cfg(feature = "wgpu")]
        Compute::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
    }
}

fn fingerprint(train: &Dataset, validation: &Dataset, options: &TrainOptions) -> String {
    // Where and how often the state is written does not change the run.
    let options = TrainOptions { checkpoint: None, ..options.clone() };
    let mut hash = Sha256::new();
    hash.update(format!("{options:?}"));
    hash.update(data_hash(train));
    hash.update(data_hash(validation));
    hex(&hash.finalize())
}

/// SHA-256 of images and labels, in hexadecimal: what [`crate::TrainingRecord`] says of its training data.
pub fn data_hash(data: &Dataset) -> String {
    let mut hash = Sha256::new();
    for side in [data.len(), data.height(), data.width()] {
        hash.update((side as u64).to_le_bytes());
    }
    hash.update(data.images());
    for column in data.columns() {
        hash.update((column.name.len() as u64).to_le_bytes());
        hash.update(&column.name);
        for value in &column.values {
            hash.update(value.to_le_bytes());
        }
    }
    hex(&hash.finalize())
}

/// Every tenth block of items goes to validation; a block holds whole groups of paired items of 2 to 6 fonts, where there
/// are enough items for such blocks.
pub fn hold_out(data: &Dataset) -> (Dataset, Dataset) {
    let block = [60, 12, 2].into_iter().find(|block| data.len() >= 10 * block).unwrap_or(1);
    let (validation, train): (Vec<usize>, Vec<usize>) = (0..data.len()).partition(|item| item / block % 10 == 9);
    (data.subset(&train), data.subset(&validation))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
