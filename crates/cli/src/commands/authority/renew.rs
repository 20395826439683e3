//! `halflight authority renew`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use service::hash::Hash;

use super::{Home, caller};
use crate::console::Console;
use crate::passphrase::Secret;

/// Takes this authority's renewed share of a key, publishes the new commitments, and erases the old share. A running
/// server switches to the new share.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority renew --folder north --identity north.identity --share north-2"
)]
pub struct Renew {
    /// Folder with the new share, from `halflight authority ceremony join`
    #[arg(long, value_name = "FOLDER")]
    share: PathBuf,
    #[command(flatten)]
    home: Home,
    #[command(flatten)]
    secret: Secret,
}

impl Renew {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let id = Hash(*roles::SharedKey::read(&self.share)?.public().id().as_bytes());
        let unlock = self.secret.unlock(false)?;
        let part = self.home.open(Some(unlock), async |issuer| {
            let projects = issuer.state().await?.projects.clone();
            let Some(project) = projects.values().find(|project| project.current().public_key == id) else {
                bail!("{}: public key {id} is not the current one of any project here", self.share.display());
            };
            let part = issuer.take_share(&self.share, &caller()).await?;
            self.home.publish_commitments(issuer, &project.name, id).await?;
            Ok(part)
        })?;
        console.result(&json!({ "public_key": id, "part": part }), || {
            format!("public key {id}: {part}; erase {} when the others have theirs", self.share.display())
        })
    }
}
