//! `halflight authority issue`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use model::CompiledNetwork;
use qfe::{FunctionalKey, PublicKey};
use roles::ModelFolder;
use serde_json::json;
use service::approval::Approval;
use service::authority::KeyRequest;

use super::collect::{Order, Servers};
use super::decision::text;
use super::{Home, MAIN, caller, network_hash};
use crate::console::Console;
use crate::files;
use crate::passphrase::Secret;

/// Issues the key that opens one network on every ciphertext of a public key, if the policy allows it. The ledger
/// records the issue, or the refusal with every reason, before anything is written.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight authority issue --folder authority --network compiled.safetensors --dry-run\n  \
    halflight authority issue --folder authority --network compiled.safetensors --out functional.key\n  \
    halflight authority issue --folder authority --network compiled.safetensors --model models/digits\n  \
    halflight authority issue --servers north=https://north:8480,south=https://south:8480,west=https://west:8480 \\\n    \
    --token-file north.token,south.token,west.token --parameters parameters --network compiled.safetensors --out functional.key"
)]
pub struct Issue {
    /// The authority's folder
    #[arg(long, value_name = "FOLDER", required_unless_present = "servers")]
    folder: Option<PathBuf>,
    /// Ledger elsewhere: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// Registered network to open
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Project whose public key is opened
    #[arg(long, default_value = MAIN, value_name = "NAME")]
    project: String,
    /// Who gets the key
    #[arg(long, default_value = "predictor", value_name = "NAME")]
    holder: String,
    /// Output of `halflight authority approve`, if the policy demands it; may be given several times
    #[arg(long = "approval", value_name = "APPROVAL")]
    approvals: Vec<Approval>,
    /// File for the key
    #[arg(long, short, value_name = "FILE", required_unless_present_any = ["model", "dry_run"])]
    out: Option<PathBuf>,
    /// Folder for everything that `halflight serve predictor` needs: network, key, public key, grant, newest audit
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Only print what the key would add, and whether the policy (or that of each server) allows it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    secret: Secret,
    #[command(flatten)]
    servers: Servers,
}

impl Issue {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let Some(folder) = self.folder.clone() else { return self.collect(console) };
        let home = Home { folder, ledger: self.ledger.clone() };
        let by = caller();
        let request = KeyRequest {
            project: &self.project,
            network: network_hash(&self.network)?,
            holder: &self.holder,
            approvals: &self.approvals,
            by: &by,
        };
        if self.dry_run {
            let (decision, proposal) = home.open(None, async |issuer| Ok(issuer.consider(&request).await?))?;
            let machine = json!({ "dry_run": true, "decision": decision, "proposal": proposal });
            console.result(&machine, || text(&decision))?;
            if !decision.refusals.is_empty() {
                bail!("the policy refuses this key");
            }
            return Ok(());
        }
        self.check()?;
        let unlock = self.secret.unlock(false)?;
        let issued = home.open(Some(unlock), async |issuer| {
            let issued = issuer.issue(&request).await?;
            if let Some(path) = &self.out {
                files::write_secret(path, &issued.key)?;
            }
            if let Some(folder) = &self.model {
                let audit = issuer.newest_audit(request.network).await?;
                let public = issuer.public_key(issued.parameters.public_key).await?;
                let files = ModelFolder {
                    network: CompiledNetwork::load(&self.network)?,
                    key: FunctionalKey::from_bytes(&issued.key)?,
                    public_key: Some(PublicKey::from_bytes(&public)?),
                    grant: Some(issued.grant.to_bytes()),
                    audit,
                    page: None,
                };
                files.write(folder)?;
            }
            Ok(issued)
        })?;
        let grant = &issued.grant.grant;
        console.result(
            &json!({
                "file": self.out, "model": self.model, "public_key": grant.public_key, "network": grant.network,
                "outputs": issued.parameters.outputs, "bytes": issued.key.len(), "pin": issued.parameters.pin(),
                "decision": issued.decision, "grant": issued.grant, "authority": issued.grant.authority,
            }),
            || {
                let (outputs, network, public) = (issued.parameters.outputs, grant.network, grant.public_key);
                let places = self.out.iter().chain(&self.model).map(|path| path.display().to_string());
                format!(
                    "{}: opens {outputs} outputs of network {network}\non every ciphertext of public key {public}\n{}\n\
                     pin for owners: {}, or the authority's key: {}\nledger entry {}",
                    places.collect::<Vec<_>>().join(" and "),
                    text(&issued.decision),
                    issued.parameters.pin(),
                    issued.grant.authority,
                    issued.grant.sequence
                )
            },
        )
    }
}

impl Issue {
    /// Refuses outputs that could not be written.
    fn check(&self) -> Result<()> {
        self.out.iter().try_for_each(|path| files::check_writable(path, self.force))?;
        match &self.model {
            Some(folder) => files::check_folder(folder, &ModelFolder::FILES, self.force),
            None => Ok(()),
        }
    }

    /// The key from the parts of several authorities.
    fn collect(&self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let (project, holder, approvals) = (&self.project, &self.holder, &self.approvals);
        let (out, model) = (self.out.as_ref(), self.model.as_ref());
        let order = Order { network: &network, project, holder, approvals, out, model };
        if self.dry_run {
            return self.servers.consider(&order, console);
        }
        self.check()?;
        self.servers.issue(&order, console)
    }
}
