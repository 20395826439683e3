//! What other functions of the same items reveal.

use dataset::Dataset;
use encoder::{EncodeError, Encoder};
use host::Progress;
use leakage::{AttackerConfig, AuditOptions, Control, Observations};
use model::CompiledNetwork;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::ExperimentError;

/// Items that attackers of raw inputs learn from and are scored on: with hundreds of columns they take long.
const RAW_ITEMS: (usize, usize) = (10_000, 5_000);

/// A network of the same shape with weights in random places, and the raw inputs.
pub(super) fn attack(
    network: &CompiledNetwork,
    data: [&Dataset; 2],
    seen: [&Observations; 2],
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<[Control; 2], ExperimentError> {
    let seed = options.seeds.first().copied().unwrap_or_default();
    let options = AuditOptions {
        seeds: vec![seed],
        train_limit: options.train_limit,
        families: AttackerConfig::quick(),
        ..AuditOptions::default()
    };
    let random = network.shuffled(seed)?;
    let outputs = |side: usize| {
        let outputs = random.evaluate_all(data[side])?.into();
        Ok::<_, ExperimentError>(Observations { outputs, width: random.outputs(), ..seen[side].clone() })
    };
    let untrained = leakage::control("random network", &outputs(0)?, &outputs(1)?, &options, progress)?;

    let families = [AttackerConfig::logistic(), AttackerConfig::neighbours(15), AttackerConfig::forest(5)];
    let options = AuditOptions { families: families.to_vec(), ..options };
    // At random: data may be ordered by label.
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut raw = |side: usize, most: usize| {
        let count = data[side].len();
        let items = index::sample(&mut rng, count, count.min(most)).into_vec();
        inputs(network.encoder(), data[side], &seen[side].subset(&items), &items)
    };
    let (train, test) = (raw(0, RAW_ITEMS.0)?, raw(1, RAW_ITEMS.1)?);
    Ok([untrained, leakage::control("raw inputs", &train, &test, &options, progress)?])
}

/// The left vectors of some items, without the constant, with the labels in `seen`.
fn inputs(
    encoder: &Encoder,
    data: &Dataset,
    seen: &Observations,
    items: &[usize],
) -> Result<Observations, EncodeError> {
    let encode = |&item: &usize| Ok(encoder.encode(data.image(item))?.u.split_off(1));
    let rows = items.par_iter().map(encode).collect::<Result<Vec<Vec<i64>>, EncodeError>>()?;
    Ok(Observations { outputs: rows.concat().into(), width: encoder.inputs().0 - 1, ..seen.clone() })
}
