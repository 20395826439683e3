//! `halflight authority init`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use model::CompiledNetwork;
use roles::ShareHolder;
use serde_json::json;
use service::authority::{LEDGER, POLICY};
use service::hash::Hash;
use service::opened::opened;
use service::policy::{Policy, starting_policy};

use super::{Home, MAIN, NETWORK_LIMIT, Share, caller};
use crate::console::Console;
use crate::files;
use crate::passphrase::Secret;

/// Creates `policy.toml` (change it as needed), the ledger, `keys/` (keep it secret), and `public/` (publish it: public
/// key and encoder) for the project `main`. The policy allows the network and nothing else.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight authority init --network compiled.safetensors --folder authority\n  \
    halflight authority init --network compiled.safetensors --folder north --identity north.identity --share north-share")]
pub struct Init {
    /// Compiled network that may be opened, and whose encoder owners will use
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Initial policy, instead of one that allows only this network
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    home: Home,
    #[command(flatten)]
    secret: Secret,
    #[command(flatten)]
    share: Share,
}

impl Init {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let bytes = files::read(&self.network, NETWORK_LIMIT)?;
        let folder = &self.home.folder;
        for name in [POLICY, LEDGER, "keys", "public"] {
            let path = folder.join(name);
            if path.exists() {
                bail!("{}: exists, and an authority is never replaced; choose another folder", path.display());
            }
        }
        let policy = match &self.policy {
            None => starting_policy(Hash(network.hash()), &opened(&[&network])?),
            Some(path) => {
                Policy::load(path)?;
                fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?
            }
        };
        let unlock = self.secret.unlock(true)?;
        if let Some(share) = &self.share.share {
            // Checked before anything is created.
            let inputs = ShareHolder::load(share, &unlock)?.key().public().inputs();
            if inputs != network.inputs() {
                bail!(
                    "{}: a share of a key for {inputs:?} inputs, but the network takes {:?}",
                    share.display(),
                    network.inputs()
                );
            }
        }
        let public = self.home.public(MAIN);
        fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
        files::write(&folder.join(POLICY), policy.as_bytes())?;

        if self.share.share.is_none() {
            console.step("drawing keys");
        }
        let (epoch, part, key, ledger, witness) = self.home.open(Some(unlock), async |issuer| {
            let hash = issuer.register(bytes, &caller()).await?;
            let epoch = issuer.create_project_with(MAIN, hash, self.share.source(), &caller()).await?;
            self.home.publish(issuer, MAIN, epoch.public_key, network.encoder().clone()).await?;
            let part = issuer.state().await?.shares.get(&epoch.public_key).copied();
            Ok((epoch, part, issuer.key(), issuer.ledger().signers().key(), issuer.witness_key()?))
        })?;
        let (id, (n, m)) = (epoch.public_key, epoch.inputs);
        let policy = folder.join(POLICY);
        console.result(
            &json!({
                "project": MAIN, "public_key": id, "inputs": [n, m], "policy": policy, "published": public,
                "authority": key, "ledger_key": ledger, "witness_key": witness, "part": part,
            }),
            || {
                let (policy, public) = (policy.display(), public.display());
                let held = part.map_or(String::new(), |part| format!("; here is {part}"));
                format!(
                    "public key {id}, {n} + {m} inputs{held}\npolicy {policy}: read it\npublish {public}, keep the rest\n\
                     owners and predictors check with {key}, witnesses with {ledger}\n\
                     heads of other ledgers are cosigned with {witness}"
                )
            },
        )
    }
}
