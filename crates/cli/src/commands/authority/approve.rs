//! `halflight authority approve`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use service::approval::{Approval, Subject};
use service::hash::Hash;
use service::signature::SigningKey;

use super::network_hash;
use crate::console::Console;
use crate::keys;

/// Signs, as an approver of the policy, for one key: this network, under this public key, for this holder. Prints one
/// line to give to `halflight authority issue --approval`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority approve --key anna.key --network compiled.safetensors \\\n    \
    --public-key authority/public/public.key --holder predictor"
)]
pub struct Approve {
    /// The approver's secret key, from `halflight keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Network that is to be opened
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Public key under which it is to be opened
    #[arg(long, value_name = "FILE")]
    public_key: PathBuf,
    /// Who is to get the key
    #[arg(long, default_value = "predictor", value_name = "NAME")]
    holder: String,
}

impl Approve {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let key = SigningKey::load(&self.key)?;
        let network = network_hash(&self.network)?;
        let public_key = Hash(*keys::public_key(&self.public_key)?.id().as_bytes());
        let approval = Approval::sign(Subject { public_key, network, holder: &self.holder }, &key);
        let approver = key.verifying_key().to_string();
        console.result(
            &json!({
                "approval": approval, "approver": approver, "public_key": public_key, "network": network,
                "holder": self.holder,
            }),
            || approval.to_string(),
        )
    }
}
