//! The folder of one model, as `halflight serve predictor` wants it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use service::grant::GrantFile;

use crate::files;
use crate::keys::PUBLIC_KEY;

/// Names of its files; the functional key comes last, so that no predictor sees it without its grant.
pub const FILES: [&str; 5] = ["network.safetensors", "audit.json", PUBLIC_KEY, "grant.json", "functional.key"];

/// What belongs together.
pub struct Model<'a> {
    /// The compiled network.
    pub network: Vec<u8>,
    /// The signed audit, where there is one.
    pub audit: Option<Vec<u8>>,
    /// The public key.
    pub public: Vec<u8>,
    /// What the authority said.
    pub grant: &'a GrantFile,
    /// Opens the network.
    pub key: &'a [u8],
}

/// Writes a model into a folder, made if missing; files of another model that are there are replaced.
pub fn write(folder: &Path, model: &Model) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    let [network, audit, public, grant, key] = FILES.map(|name| folder.join(name));
    files::write(&network, &model.network)?;
    match &model.audit {
        Some(bytes) => files::write(&audit, bytes)?,
        None if audit.exists() => fs::remove_file(&audit).with_context(|| audit.display().to_string())?,
        None => {}
    }
    files::write(&public, &model.public)?;
    files::write(&grant, &model.grant.to_bytes())?;
    files::write_secret(&key, model.key)
}
