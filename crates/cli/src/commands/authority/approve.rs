//! `halflight authority approve`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use service::approval::{Approval, Subject};
use service::clock;
use service::hash::Hash;
use service::proposal::{Proposal, SignedProposal};
use service::signature::{SigningKey, VerifyingKey};

use super::network_hash;
use crate::console::Console;
use crate::files;
use crate::keys;

/// Maximum size of a decision, in bytes.
const LIMIT: u64 = 4 << 20;

/// Signs, as an approver of the policy, for one holder's key: this network, under this public key, with no more open
/// than in the authority's dry run, based on the audits that it lists, until a date. The figures are those that the
/// authority computed and signed, whoever passed them on. Read the summary on standard error before you pass the
/// printed line to `halflight authority issue --approval`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority issue --folder authority --network compiled.safetensors \\\n    \
    --holder predictor --dry-run --json > request.json   # a refusal that demands approvals is expected\n  \
    halflight authority approve --key anna.key --network compiled.safetensors --request request.json \\\n    \
    --authority ed25519:…"
)]
pub struct Approve {
    /// The approver's secret key, from `halflight keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Output of `halflight authority issue --dry-run --json`, or a server's answer to a dry run
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The authority's public key, which must have signed the figures; from the authority, not from the file
    #[arg(long, value_name = "KEY")]
    authority: VerifyingKey,
    /// Network to open; the request must be about it
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Public key under which to open it; the request must be about it
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// Who gets the key; the request must be about it
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
    /// Days until the approval ends; the policy limits them
    #[arg(long, default_value_t = 7, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    days: u16,
}

/// The part of a dry run that is approved.
#[derive(Deserialize)]
struct Asked {
    proposal: Option<SignedProposal>,
}

impl Approve {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let key = SigningKey::load(&self.key)?;
        let Asked { proposal } = serde_json::from_slice(&files::read(&self.request, LIMIT)?)
            .with_context(|| format!("{}: not the output of a dry run", self.request.display()))?;
        let proposal = proposal.with_context(|| {
            format!("{}: holds no figures signed by an authority: ask for a new dry run", self.request.display())
        })?;
        let proposal = proposal.open(&self.authority).with_context(|| self.request.display().to_string())?;
        let Proposal { project, subject, rank_before, bits_before, audits, date } = proposal;
        let network = network_hash(&self.network)?;
        if subject.network != network {
            bail!("the request is about network {}, {} is {network}", subject.network, self.network.display());
        }
        if let Some(path) = &self.public_key {
            let public_key = Hash(*keys::public_key(path)?.id().as_bytes());
            if subject.public_key != public_key {
                bail!("the request is about public key {}, {} is {public_key}", subject.public_key, path.display());
            }
        }
        if self.holder.as_ref().is_some_and(|holder| *holder != subject.holder) {
            bail!("the request is about holder '{}'", subject.holder.replace(char::is_control, "?"));
        }
        if subject.audits != Subject::audits_of(&audits.iter().map(|audit| audit.audit).collect()) {
            bail!("{}: the audits that it shows are not the ones it is based on", self.request.display());
        }
        let expires = clock::now() + i64::from(self.days) * 86_400;
        let approval = Approval::sign(&subject, expires, &key);
        let Subject { public_key, holder, rank, bits, .. } = &subject;
        console.step(&format!(
            "signing for '{}': rank {rank_before} before, {rank} after; {bits_before:.1} bits before, {bits:.1} after; under \
             public key {public_key} of project {project}, until {}",
            holder.replace(char::is_control, "?"),
            clock::utc(expires)
        ));
        console.step(&format!("as the authority computed it at {}", clock::utc(date)));
        for audit in &audits {
            console.step(&format!("on this audit: {}", serde_json::to_string(audit)?));
        }
        if audits.is_empty() {
            console.step("without an audit: the policy demands none");
        }
        let approver = key.verifying_key().to_string();
        console.result(
            &json!({
                "approval": approval, "approver": approver, "public_key": public_key, "network": network,
                "holder": holder, "rank": rank, "bits": bits, "audits": audits, "expires": expires,
            }),
            || approval.to_string(),
        )
    }
}
