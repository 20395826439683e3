//! What an attacker sees: the integer outputs of a compiled network, with labels.

use dataset::{Dataset, DatasetError};
use leakage::{Observations, Outputs, PairBound};
use model::CompiledNetwork;

use crate::ExperimentError;

/// Evaluates `network` in the clear on every item: the same integers as under encryption.
///
/// # Errors
/// The network does not take these items, or there is no such label.
pub fn observations(
    network: &CompiledNetwork,
    data: &Dataset,
    main: &str,
    collateral: &str,
) -> Result<Observations, ExperimentError> {
    Ok(labelled(&network.evaluate_all(data)?, network.outputs(), data, main, collateral)?)
}

/// Outputs `[N, width]` with the labels of their items.
///
/// # Errors
/// There is no such label.
pub fn labelled(
    outputs: &[i64],
    width: usize,
    data: &Dataset,
    main: &str,
    collateral: &str,
) -> Result<Observations, DatasetError> {
    with_labels(outputs.to_vec().into(), width, data, main, collateral)
}

/// The same for outputs of either kind.
pub(crate) fn with_labels(
    outputs: Outputs,
    width: usize,
    data: &Dataset,
    main: &str,
    collateral: &str,
) -> Result<Observations, DatasetError> {
    let (main, collateral) = (data.labels(main)?, data.labels(collateral)?);
    Ok(Observations {
        outputs,
        width,
        main: main.values.clone(),
        collateral: collateral.values.clone(),
        main_classes: main.classes.clone(),
        collateral_classes: collateral.classes.clone(),
    })
}

/// What the noise of `network` guarantees about the items of `data`, which an attacker sees as `seen`; `None` if owners
/// add none.
///
/// # Errors
/// The network does not take these items, or they are too few.
pub fn noise_bound(
    network: &CompiledNetwork,
    data: &Dataset,
    seen: &Observations,
    seed: u64,
) -> Result<Option<PairBound>, ExperimentError> {
    if network.encoder().noise().is_none() {
        return Ok(None);
    }
    let clean = Observations { outputs: network.evaluate_all_without_noise(data)?.into(), ..seen.clone() };
    Ok(Some(leakage::pair_bound(&clean, &noise_of(network), seed)?))
}

/// Deviation of the noise that owners add to every output of `network`; empty if they add none.
pub fn noise_of(network: &CompiledNetwork) -> Vec<f64> {
    let noise = network.encoder().noise();
    noise.map_or_else(Vec::new, |noise| noise.deviations.iter().copied().map(f64::from).collect())
}
