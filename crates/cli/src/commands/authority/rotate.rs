//! `halflight authority rotate`.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Home, MAIN, caller};
use crate::console::Console;
use crate::passphrase::Secret;

/// Gives a project a new public key: what owners encrypt from now on is closed to every key issued so far.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority rotate --folder authority --reason \"the key expires\"")]
pub struct Rotate {
    #[command(flatten)]
    home: Home,
    /// Project
    #[arg(long, default_value = MAIN, value_name = "NAME")]
    project: String,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    secret: Secret,
}

impl Rotate {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let project = self.project.as_str();
        let unlock = self.secret.unlock(false)?;
        let (epoch, published) = self.home.open(Some(unlock), async |issuer| {
            let epoch = issuer.rotate(project, &self.reason, &caller()).await?;
            let published = self.home.publish_key(issuer, project, epoch.public_key).await?;
            Ok((epoch, published))
        })?;
        let (number, id) = (epoch.epoch, epoch.public_key);
        console
            .result(&json!({ "project": project, "epoch": number, "public_key": id, "published": published }), || {
                format!("project {project} is at epoch {number}, public key {id}; publish {}", published.display())
            })
    }
}
