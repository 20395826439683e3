//! `halflight card`: what others want to know about a network before they use it, in the forms that their tools read.

mod bom;
mod facts;
mod hex;
mod markdown;
pub mod signature;

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use model::CompiledNetwork;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::console::Console;
use crate::files;
use facts::Facts;
use hex::hex;
use signature::ModelKey;

/// Names of the files in the folder.
const NETWORK: &str = "network.safetensors";
const CARD: &str = "README.md";
const BOM: &str = "bom.cdx.json";
const AUDIT: &str = "audit.json";
const CERTIFICATE: &str = "certificate.json";
const SIGNATURE: &str = "model.sig";
/// Maximum size of an audit or a certificate, in bytes.
const MOST: u64 = 16 << 20;

/// Writes a folder that can be published: the compiled network, a model card (README.md, as Hugging Face reads it), a
/// bill of materials (bom.cdx.json, CycloneDX 1.6) and the files they are based on. All figures come from the network's
/// training record, the audit and the certificate; unknown ones are left out. With --sign it also writes model.sig,
/// which `model_signing verify key` of OpenSSF checks.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    halflight card compiled.safetensors --audit report.signed.json --certificate certificate.json --out published\n  \
    halflight keygen --model-key --out publisher.pem\n  \
    halflight card compiled.safetensors --name digits --sign publisher.pem --out published\n  \
    model_signing verify key published --signature published/model.sig --public_key publisher.pub.pem")]
pub struct Card {
    /// Compiled network
    network: PathBuf,
    /// Folder to write
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    /// Replace files in the folder
    #[arg(long)]
    force: bool,
    /// Name of the network [default: that of its file]
    #[arg(long)]
    name: Option<String>,
    /// Report of `halflight audit`, signed or not
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Output of `halflight certify --json`, if the audit has no certificate
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// SPDX name of the network's licence, such as Apache-2.0
    #[arg(long, value_name = "SPDX")]
    licence: Option<String>,
    /// Key that signs the folder, from `halflight keygen --model-key`
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
}

impl Card {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let names = [NETWORK, CARD, BOM, AUDIT, CERTIFICATE, SIGNATURE];
        files::check_folder(&self.out, &names, self.force)?;
        let network = CompiledNetwork::load(&self.network)?;
        let bytes = files::read(&self.network, MOST.max(64 << 20))?;
        let audit = self.audit.as_deref().map(|path| files::read(path, MOST)).transpose()?;
        let certificate = self.certificate.as_deref().map(|path| files::read(path, MOST)).transpose()?;
        let key = self.sign.as_deref().map(ModelKey::load).transpose()?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => self.network.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        };
        ensure!(
            !name.is_empty() && name.len() <= 96 && !name.contains(char::is_control),
            "--name is '{name}'; give a name of 1 to 96 characters"
        );
        if let Some(licence) = &self.licence {
            let spdx = licence.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'+'));
            ensure!(spdx && !licence.is_empty(), "--licence is '{licence}'; give one SPDX name, such as Apache-2.0");
        }
        let file_hash = hex(&Sha256::digest(&bytes));
        let mut facts = Facts::of(&name, &network, file_hash, self.licence.clone())?;
        if let (Some(path), Some(bytes)) = (&self.audit, &audit) {
            facts.add_audit(bytes).with_context(|| path.display().to_string())?;
        }
        if let (Some(path), Some(bytes)) = (&self.certificate, &certificate) {
            facts.add_certificate(bytes).with_context(|| path.display().to_string())?;
        }
        std::fs::create_dir_all(&self.out).with_context(|| self.out.display().to_string())?;
        let mut content: Vec<(&str, Vec<u8>)> = vec![
            (NETWORK, bytes),
            (CARD, markdown::card(&facts).into_bytes()),
            (BOM, bom::text(&facts, service::clock::now()).into_bytes()),
        ];
        content.extend(audit.map(|bytes| (AUDIT, bytes)));
        content.extend(certificate.map(|bytes| (CERTIFICATE, bytes)));
        if let Some(key) = &key {
            // The signature covers everything in the folder.
            if let Some(stray) = strays(&self.out, &content)?.first() {
                bail!(
                    "{}: holds {stray}, which is not part of the signed files; name an empty folder",
                    self.out.display()
                );
            }
            let bundle = key.bundle(&folder_name(&self.out), &content, SIGNATURE)?;
            content.push((SIGNATURE, bundle));
        }
        for (name, bytes) in &content {
            files::write(&self.out.join(name), bytes)?;
        }
        let written: Vec<&str> = content.iter().map(|(name, _)| *name).collect();
        console.result(&json!({ "folder": self.out, "files": written, "network": facts.hash }), || {
            format!("{}: {}", self.out.display(), written.join(", "))
        })
    }
}

/// Files in the folder that this verb does not write.
fn strays(folder: &std::path::Path, content: &[(&str, Vec<u8>)]) -> Result<Vec<String>> {
    let mut strays = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != SIGNATURE && content.iter().all(|(known, _)| *known != name) {
            strays.push(name);
        }
    }
    strays.sort();
    Ok(strays)
}

/// The model's name for a verifier: the last part of its path.
fn folder_name(folder: &std::path::Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}
