//! Between files, networks and the encryption: what every role reads, with the file named in each error.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use dataset::Encoder;
use network::CompiledNetwork;
use qfe::{Ciphertext, Encryptor, Evaluator, FunctionalKey, LogTable, PublicKey, QuadraticMap};

use crate::console::Console;
use crate::files;

/// Largest key or ciphertext file: 65,535 inputs a side take less.
const KEY_LIMIT: u64 = 64 << 20;
const ENCODER_LIMIT: u64 = 16 << 20;

/// Name of the public key in the folder of published parameters.
pub const PUBLIC_KEY: &str = "public.key";
/// Name of the encoder in the folder of published parameters.
pub const ENCODER: &str = "encoder.json";

/// What the authority publishes: the public key, and the encoder of its inputs.
pub struct Parameters {
    /// Encrypts.
    pub key: PublicKey,
    /// Makes the integers that are encrypted.
    pub encoder: Encoder,
}

impl Parameters {
    /// Reads a folder that `halflight authority init` wrote.
    pub fn read(folder: &Path) -> Result<Self> {
        let key = public_key(&folder.join(PUBLIC_KEY))?;
        let path = folder.join(ENCODER);
        let encoder: Encoder = serde_json::from_slice(&files::read(&path, ENCODER_LIMIT)?)
            .with_context(|| format!("{}: not an encoder", path.display()))?;
        if encoder.inputs() != key.inputs() {
            bail!(
                "{}: makes {:?} inputs and {PUBLIC_KEY} encrypts {:?}; fetch both files from the authority again",
                path.display(),
                encoder.inputs(),
                key.inputs()
            );
        }
        Ok(Self { key, encoder })
    }
}

/// Reads a public key.
pub fn public_key(path: &Path) -> Result<PublicKey> {
    PublicKey::from_bytes(&files::read(path, KEY_LIMIT)?).with_context(|| path.display().to_string())
}

/// Reads a functional key.
pub fn functional_key(path: &Path) -> Result<FunctionalKey> {
    FunctionalKey::from_bytes(&files::read(path, KEY_LIMIT)?).with_context(|| path.display().to_string())
}

/// Reads a ciphertext.
pub fn ciphertext(path: &Path) -> Result<Ciphertext> {
    Ciphertext::from_bytes(&files::read(path, KEY_LIMIT)?).with_context(|| path.display().to_string())
}

/// The quadratic map of a compiled network, as a functional key opens it.
pub fn map_of(network: &CompiledNetwork) -> Result<QuadraticMap> {
    let (n, m) = network.inputs();
    QuadraticMap::new(
        n,
        m,
        network.units(),
        network.outputs(),
        network.left().to_vec(),
        network.right().to_vec(),
        network.combine().to_vec(),
    )
    .context("the network is no quadratic map of this size")
}

/// The evaluator of `network` by `key`, after checking that the key opens this network and no other.
pub fn evaluator(key: &FunctionalKey, network: &CompiledNetwork, table: Arc<LogTable>) -> Result<Evaluator> {
    if *key.map() != map_of(network)? {
        bail!("the functional key opens another function than this network: ask the authority for the network's key");
    }
    Ok(Evaluator::new(key, table, network.bounds())?)
}

/// The encryptor of a public key, its tables kept in `folder` if there is one.
pub fn encryptor(key: &PublicKey, folder: Option<&Path>, console: &Console) -> Result<Encryptor> {
    let bar = console.bar("tables of the public key");
    let encryptor = match folder {
        Some(folder) => Encryptor::open_or_build(key, made(folder)?, &bar)?.0,
        None => Encryptor::new(key, &bar),
    };
    bar.finish_and_clear();
    Ok(encryptor)
}

/// The size, in bits, of the discrete-log table that suits the widest output of `networks`.
pub fn table_bits<'a>(networks: impl IntoIterator<Item = &'a CompiledNetwork>) -> u32 {
    let bounds = networks.into_iter().flat_map(|network| network.bounds());
    let widest = bounds.map(|&(low, high)| i128::from(high) - i128::from(low)).max().unwrap_or(0);
    // With 2^b baby steps a search takes range / 2^(b + 2) giant steps; 22 (67 MB) is worth it from 2^32 on.
    match 128 - widest.leading_zeros() {
        0..=24 => 16,
        25..=30 => 20,
        _ => 22,
    }
}

/// A discrete-log table that suits the widest output of `networks`, kept in `folder` if there is one.
pub fn log_table<'a>(
    networks: impl IntoIterator<Item = &'a CompiledNetwork>,
    folder: Option<&Path>,
    console: &Console,
) -> Result<Arc<LogTable>> {
    let bits = table_bits(networks);
    let bar = console.bar("discrete-log table");
    let table = match folder {
        Some(folder) => LogTable::open_or_build(bits, made(folder)?, &bar)?.0,
        None => LogTable::build(bits, &bar)?,
    };
    bar.finish_and_clear();
    Ok(Arc::new(table))
}

/// A folder that is there from now on.
fn made(folder: &Path) -> Result<&Path> {
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    Ok(folder)
}
