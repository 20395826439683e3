//! `halflight authority project`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use model::CompiledNetwork;
use serde_json::json;
use service::hash::Hash;

use super::{Home, Share, caller};
use crate::console::Console;
use crate::passphrase::Secret;

/// Makes a project with its own public key and its own limits, and publishes it in `public/NAME/`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority project wards --folder authority --network compiled.safetensors"
)]
pub struct Project {
    /// Its name
    name: String,
    /// Registered network whose encoder its owners will use
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    #[command(flatten)]
    home: Home,
    #[command(flatten)]
    secret: Secret,
    #[command(flatten)]
    share: Share,
}

impl Project {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let (name, unlock) = (self.name.as_str(), self.secret.unlock(false)?);
        let public = self.home.public(name);
        let epoch = self.home.open(Some(unlock), async |issuer| {
            let epoch = issuer.create_project_with(name, Hash(network.hash()), self.share.source(), &caller()).await?;
            self.home.publish(issuer, name, epoch.public_key, network.encoder().clone()).await?;
            Ok(epoch)
        })?;
        let id = epoch.public_key;
        console
            .result(&json!({ "project": name, "public_key": id, "inputs": epoch.inputs, "published": public }), || {
                format!("project {name} with public key {id}; publish {}", public.display())
            })
    }
}
