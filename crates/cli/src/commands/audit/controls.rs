//! What other functions of the same items give away.

use anyhow::Result;
use dataset::Dataset;
use encoder::Encoder;
use host::Progress;
use leakage::{AttackerConfig, AuditOptions, Control, Observations};
use model::CompiledNetwork;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Audit;

/// Items that attackers of raw inputs learn from and are scored on: hundreds of columns take long.
const RAW_ITEMS: (usize, usize) = (10_000, 5_000);

/// A network of the same shape with weights in random places, and the raw inputs.
pub fn attack(
    audit: &Audit,
    network: &CompiledNetwork,
    train: &Dataset,
    test: &Dataset,
    bar: &dyn Progress,
) -> Result<[Control; 2]> {
    let seed = audit.options().seeds[0];
    let options = AuditOptions {
        seeds: vec![seed],
        train_limit: audit.attack_size,
        families: AttackerConfig::quick(),
        ..AuditOptions::default()
    };
    let random = network.shuffled(seed)?;
    let seen = |data| experiments::observations(&random, data, &audit.main, &audit.collateral);
    let untrained = leakage::control("random network", &seen(train)?, &seen(test)?, &options, bar)?;

    let families = [AttackerConfig::logistic(), AttackerConfig::neighbours(15), AttackerConfig::forest(5)];
    let options = AuditOptions { families: families.to_vec(), ..options };
    // Any of them: data may be in order of their labels.
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut raw = |data: &Dataset, most: usize| {
        let items = index::sample(&mut rng, data.len(), data.len().min(most)).into_vec();
        inputs(network.encoder(), &data.subset(&items), audit)
    };
    let (train, test) = (raw(train, RAW_ITEMS.0)?, raw(test, RAW_ITEMS.1)?);
    Ok([untrained, leakage::control("raw inputs", &train, &test, &options, bar)?])
}

/// The left vectors themselves, without the constant.
fn inputs(encoder: &Encoder, data: &Dataset, audit: &Audit) -> Result<Observations> {
    let encode = |item| Ok(encoder.encode(data.image(item))?.u.split_off(1));
    let rows = (0..data.len()).into_par_iter().map(encode).collect::<Result<Vec<Vec<i64>>>>()?;
    Ok(experiments::labelled(&rows.concat(), encoder.inputs().0 - 1, data, &audit.main, &audit.collateral)?)
}
