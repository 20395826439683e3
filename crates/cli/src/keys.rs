//! The files that every role reads, with the file named in each error.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use model::CompiledNetwork;
use qfe::{Ciphertext, Encryptor, FunctionalKey, LogTable, PublicKey};
use roles::{Owner, Predictor, Published, table_bits};

use crate::console::Console;
use crate::files;

/// Largest key or ciphertext file: 65,535 inputs a side take less.
const KEY_LIMIT: u64 = 64 << 20;

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

/// The predictor of `network` with `key`, its discrete-log table kept in `tables` if there is a folder.
pub fn predictor(
    network: CompiledNetwork,
    key: &FunctionalKey,
    tables: Option<&Path>,
    console: &Console,
) -> Result<Predictor> {
    let table = log_table([&network], tables, console)?;
    Ok(Predictor::new(network, key, table)?)
}

/// An owner, the tables of the public key kept in `folder` if there is one.
pub fn owner(published: &Published, folder: Option<&Path>, console: &Console) -> Result<Owner> {
    let bar = console.bar("tables of the public key");
    Ok(match folder {
        Some(folder) => Owner::with_tables(published, made(folder)?, &bar)?,
        None => Owner::new(published, &bar),
    })
}

/// The encryptor of a public key, for masks.
pub fn encryptor(key: &PublicKey, console: &Console) -> Encryptor {
    Encryptor::new(key, &console.bar("tables of the public key"))
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

/// A folder that exists on return; a new one is closed to others, as tables must be.
fn made(folder: &Path) -> Result<&Path> {
    if !folder.exists() {
        host::files::make_secret_folder(folder)?;
    }
    Ok(folder)
}
