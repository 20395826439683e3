//! `halflight keygen`: keys and tokens for people.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use service::signature::SigningKey;
use service::transport::Scope;

use super::card::signature::ModelKey;
use super::token;
use crate::console::Console;
use crate::files;

/// Writes a new secret key, readable by its owner only, and prints its public key.
///
/// Auditors, approvers and senders sign with such keys; policies and `model.toml` list their public keys.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight keygen --out lab.key\n  \
    halflight keygen --identity --out authority.identity\n  \
    halflight keygen --pkcs11 'pkcs11:token=safe;object=authority?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/halflight/pin' --out authority.identity\n  \
    halflight keygen --model-key --out publisher.pem\n  \
    halflight keygen --token ward-3 --scopes infer --days 90 --out ward-3.token >> tokens.toml")]
pub struct Keygen {
    /// File for the secret key; an existing one is never replaced
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// An age identity, which unlocks master keys instead of a passphrase; not a signing key
    #[arg(long)]
    identity: bool,
    /// An identity whose key stays in a PKCS#11 token, by its address (RFC 7512): the key of this name, or if there is
    /// none, a new one that never leaves the token. The file says where the key is. The PIN is in the file that
    /// pin-source names, or in the environment variable HALFLIGHT_PIN
    #[arg(long, value_name = "URI", conflicts_with_all = ["identity", "model_key", "token"])]
    pkcs11: Option<String>,
    /// A key that signs published networks (P-256, PKCS#8 in PEM), instead of a signing key; its public key is written
    /// next to it, as NAME.pub.pem
    #[arg(long, conflicts_with = "identity")]
    model_key: bool,
    /// A bearer token for this name, instead of a signing key; prints its entry for a server's --tokens file
    #[arg(long, value_name = "NAME", requires = "scopes", conflicts_with_all = ["identity", "model_key"])]
    token: Option<String>,
    /// What the token allows: infer, metrics, admin, register, issue, ledger, ceremony
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', requires = "token")]
    scopes: Vec<Scope>,
    /// Days until the token expires
    #[arg(long, default_value_t = token::DAYS, requires = "token", conflicts_with = "no_expiry")]
    days: u32,
    /// A token that does not expire
    #[arg(long, requires = "token")]
    no_expiry: bool,
}

impl Keygen {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        if let Some(name) = self.token {
            let (scopes, out, days, no_expiry) = (self.scopes, self.out, self.days, self.no_expiry);
            return token::New { name, scopes, out, days, no_expiry }.run(console);
        }
        files::check_writable(&self.out, false)?;
        if self.model_key {
            let beside = self.out.with_extension("pub.pem");
            files::check_writable(&beside, false)?;
            let (secret, public) = ModelKey::generate()?;
            files::write_secret(&self.out, secret.as_bytes())?;
            files::write(&beside, public.as_bytes())?;
            return console.result(&json!({ "file": self.out, "public": public, "public_file": beside }), || {
                format!("{}: its public key", beside.display())
            });
        }
        if let Some(uri) = &self.pkcs11 {
            let (public, drawn) = roles::keyfile::save_token_identity(&self.out, uri)?;
            let machine = json!({ "file": self.out, "public": public, "drawn": drawn });
            return console.result(&machine, || public.clone());
        }
        let public = if self.identity {
            roles::keyfile::save_new_identity(&self.out)?
        } else {
            let key = SigningKey::generate()?;
            key.save_new(&self.out)?;
            key.verifying_key().to_string()
        };
        console.result(&json!({ "file": self.out, "public": public }), || public.clone())
    }
}
