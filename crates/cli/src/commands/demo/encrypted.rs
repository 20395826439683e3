//! Owners encrypt once; every network evaluates the same ciphertexts with its own functional key.

use anyhow::{Result, bail};
use qfe::Ciphertext;
use roles::{Authority, Predictor};

use super::clock::Clock;
use super::outcome::Scene;
use super::splits::Splits;
use super::trained::Trained;
use crate::console::Console;
use crate::keys;

/// Sets up one public key for all of `networks` (which share an encoder), issues a key for each, encrypts the first
/// `count` test items, evaluates, and compares every output with the integer network in the clear.
pub fn scenes(
    networks: &[Trained],
    splits: &Splits,
    count: usize,
    console: &Console,
    clock: &mut Clock,
) -> Result<Vec<Scene>> {
    let data = &splits.test;
    let Some(first) = networks.first() else { return Ok(Vec::new()) };
    let encoder = first.network.encoder();
    if networks.iter().any(|trained| trained.network.encoder() != encoder) {
        bail!("the networks of one data set have different encoders, so they cannot share a public key");
    }
    let on = splits.name;
    let authority = clock.step(&format!("setup, {on}"), console, || {
        let authority = Authority::setup(encoder.clone())?;
        let bytes = authority.published().key().to_bytes().len();
        Ok((authority, bytes))
    })?;
    let owner = clock.step(&format!("encryption tables, {on}"), console, || {
        Ok((keys::owner(authority.published(), None, console)?, 0))
    })?;
    let encoded =
        (0..count.min(data.len())).map(|item| encoder.encode(data.image(item))).collect::<Result<Vec<_>, _>>()?;
    // As the predictor gets them: bytes, read back with every check.
    let files = clock.step(&format!("encrypt {} images, {on}", encoded.len()), console, || {
        let files = encoded.iter().map(|item| Ok(owner.encrypt_encoded(item)?.to_bytes()));
        let files = files.collect::<Result<Vec<_>>>()?;
        let bytes = files.iter().map(Vec::len).sum();
        Ok((files, bytes))
    })?;
    let ciphertexts = clock.step(&format!("read {} ciphertexts, {on}", files.len()), console, || {
        Ok((files.iter().map(|bytes| Ciphertext::from_bytes(bytes)).collect::<Result<Vec<_>, _>>()?, 0))
    })?;
    let table = clock.step(&format!("discrete-log table, {on}"), console, || {
        let table = keys::log_table(networks.iter().map(|trained| &trained.network), None, console)?;
        let bytes = table.bytes();
        Ok((table, bytes))
    })?;

    let mut scenes = Vec::new();
    for trained in networks {
        let (name, network) = (trained.name, &trained.network);
        let key = clock.step(&format!("issue {name}"), console, || {
            let key = authority.issue(network)?;
            let bytes = key.to_bytes().len();
            Ok((key, bytes))
        })?;
        let predictor = Predictor::new(network.clone(), &key, table.clone())?;
        let outputs = clock.step(&format!("evaluate {} ciphertexts, {name}", files.len()), console, || {
            let outputs = ciphertexts.iter().map(|ciphertext| predictor.evaluate(ciphertext));
            Ok((outputs.collect::<Result<Vec<_>, _>>()?, 0))
        })?;
        let truth = data.labels(splits.main)?;
        let mut scene = Scene { images: outputs.len(), mismatches: 0, right: 0 };
        for (item, output) in outputs.iter().enumerate() {
            scene.mismatches += usize::from(*output != network.evaluate(&encoded[item])?);
            let probabilities = network.probabilities(output)?;
            let best = model::largest(&probabilities);
            scene.right += usize::from(best == truth.values[item] as usize);
        }
        scenes.push(scene);
    }
    Ok(scenes)
}
