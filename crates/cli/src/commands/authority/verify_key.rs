//! `halflight authority verify-key`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use model::CompiledNetwork;
use roles::PUBLIC_KEY;
use serde_json::json;

use crate::console::Console;
use crate::keys;

/// Checks, without any secret, that a functional key opens its function under the public key, exactly.
///
/// Anybody can do this; a predictor should before it serves. A wrong key passes with probability at most 2^-128.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority verify-key function.key --parameters authority/public \\\n    \
    --network compiled.safetensors"
)]
pub struct VerifyKey {
    /// Functional key
    key: PathBuf,
    /// Folder of the authority's public key and encoder
    #[arg(long, value_name = "FOLDER")]
    parameters: PathBuf,
    /// Compiled network that the key should open
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
}

impl VerifyKey {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let key = keys::functional_key(&self.key)?;
        let public = keys::public_key(&self.parameters.join(PUBLIC_KEY))?;
        if let Some(path) = &self.network
            && CompiledNetwork::load(path)?.map() != key.map()
        {
            bail!("{}: opens another function than {}: ask for its key", self.key.display(), path.display());
        }
        public.verify(&key).with_context(|| self.key.display().to_string())?;
        let (id, outputs) = (public.id().to_string(), key.map().outputs());
        console.result(&json!({ "key": self.key, "public_key": id, "outputs": outputs, "valid": true }), || {
            format!("{}: all {outputs} outputs are right under public key {id}", self.key.display())
        })
    }
}
