//! What an attacker is given: the integer outputs of a compiled network, with labels.

use anyhow::Result;
use dataset::Dataset;
use leakage::Observations;
use model::CompiledNetwork;

/// Evaluates `network` in clear on every item: the same integers as under encryption.
pub fn observations(network: &CompiledNetwork, data: &Dataset, main: &str, collateral: &str) -> Result<Observations> {
    labelled(&network.evaluate_all(data)?, network.outputs(), data, main, collateral)
}

/// Outputs `[N, width]` with the labels of their items.
pub fn labelled(outputs: &[i64], width: usize, data: &Dataset, main: &str, collateral: &str) -> Result<Observations> {
    let (main, collateral) = (data.labels(main)?, data.labels(collateral)?);
    Ok(Observations {
        outputs: outputs.iter().map(|&output| output as f32).collect(),
        width,
        main: main.values.clone(),
        collateral: collateral.values.clone(),
        main_classes: main.classes.clone(),
        collateral_classes: collateral.classes.clone(),
    })
}
