//! `halflight authority rotate`.

use anyhow::Result;
use clap::Args;
use roles::{PUBLIC_KEY, Published};
use serde_json::json;

use super::{Home, MAIN, Share, caller};
use crate::console::Console;
use crate::passphrase::Secret;

/// Gives a project a new public key: keys issued so far cannot open what owners encrypt from now on.
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
    #[command(flatten)]
    share: Share,
}

impl Rotate {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let project = self.project.as_str();
        let unlock = self.secret.unlock(false)?;
        let public = self.home.public(project);
        let epoch = self.home.open(Some(unlock), async |issuer| {
            let known = issuer.state().await?.projects.contains_key(project);
            let before = match Published::read(&public) {
                // Without its encoder, owners cannot use the new key.
                Err(error) if known => return Err(error.into()),
                before => before,
            };
            let epoch = issuer.rotate_to(project, self.share.source(), &self.reason, &caller()).await?;
            self.home.publish(issuer, project, epoch.public_key, before?.encoder().clone()).await?;
            Ok(epoch)
        })?;
        let published = public.join(PUBLIC_KEY);
        let (number, id) = (epoch.epoch, epoch.public_key);
        console
            .result(&json!({ "project": project, "epoch": number, "public_key": id, "published": published }), || {
                format!("project {project} is at epoch {number}, public key {id}; publish {}", published.display())
            })
    }
}
