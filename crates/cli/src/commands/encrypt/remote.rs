//! Sends items to a predictor: fetches and pins its parameters, encodes, encrypts, seals, sends, counts.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use serde_json::json;
use service::hash::Hash;
use service::owner::{Connection, ConnectionOptions, Limits, OwnerClient, OwnerOptions, Reading};
use service::signature::{SigningKey, VerifyingKey};

use crate::console::{self, Console};
use crate::files;

/// Environment variable that may hold the bearer token.
const TOKEN: &str = "HALFLIGHT_TOKEN";

/// A predictor, and how far it is trusted.
#[derive(Args)]
#[command(next_help_heading = "With a predictor")]
pub struct Remote {
    /// Predictor to send to; its predictions are printed, and no ciphertext is written
    #[arg(
        long,
        requires = "model",
        conflicts_with_all =
            ["parameters", "out", "force", "compressed", "constant_time", "tables", "masks", "parquet", "records"]
    )]
    pub url: Option<String>,
    /// The model's name at the predictor
    #[arg(long, value_name = "NAME", requires = "url")]
    model: Option<String>,
    /// Hash of the model's public parameters, from the authority; once accepted, it is remembered
    #[arg(long, value_name = "HASH", requires = "url")]
    pin: Option<Hash>,
    /// The authority's public key, instead of a pin: parameters signed by it are accepted
    #[arg(long, value_name = "KEY", requires = "url", conflicts_with = "pin")]
    authority: Option<VerifyingKey>,
    /// The authority's project that the model belongs to [default: that of the parameters accepted first]
    #[arg(long, value_name = "NAME", requires = "authority")]
    project: Option<String>,
    /// The predictor's name in its `model.toml` [default: host and port of the address]
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub recipient: String,
    /// Folder of pins, public keys and the count of sent items [default: $HALFLIGHT_CLIENT, else ~/.halflight]
    #[arg(long, value_name = "FOLDER", requires = "url")]
    client: Option<PathBuf>,
    /// Purpose of the items, as agreed with the predictor
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub context: String,
    /// Subject of the items: sent items are counted per subject; without it, all together
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, requires = "url")]
    subject: String,
    /// Secret key that signs the envelopes, from `halflight keygen`
    #[arg(long, value_name = "FILE")]
    pub sign: Option<PathBuf>,
    /// File with the bearer token; otherwise the environment variable HALFLIGHT_TOKEN, otherwise none
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// Certificate authorities of the server, in PEM, instead of the public ones
    #[arg(long, value_name = "FILE", requires = "url")]
    server_authorities: Option<PathBuf>,
    /// TLS client certificate to show, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
    /// Auditor whose signed audit counts; without it, any valid one, for warnings only
    #[arg(long, value_name = "KEY", requires = "url")]
    auditor: Option<VerifyingKey>,
    /// Warn once this many items of one subject have been sent
    #[arg(long, value_name = "ITEMS", default_value_t = 20)]
    warn_items: u64,
    /// Never send more than this many items of one subject
    #[arg(long, value_name = "ITEMS", default_value_t = 140)]
    most_items: u64,
    /// Stop before an attacker reaches this accuracy on one subject, in percent, according to the signed audit
    #[arg(long, value_name = "PERCENT", requires = "auditor")]
    most_accuracy: Option<f64>,
}

impl Remote {
    /// The first option given that concerns envelopes.
    pub fn envelope(&self) -> Option<&'static str> {
        let given = [
            ("--recipient", !self.recipient.is_empty()),
            ("--context", !self.context.is_empty()),
            ("--sign", self.sign.is_some()),
        ];
        given.into_iter().find_map(|(name, given)| given.then_some(name))
    }

    /// Sends items of a data set and prints the predictions.
    pub fn predict(&self, url: &str, data: &Dataset, items: Range<usize>, console: &Console) -> Result<()> {
        let connection = Connection::new(ConnectionOptions {
            url: url.to_owned(),
            token: self.token()?,
            authorities: self.server_authorities.clone(),
            certificate: self.certificate.clone().zip(self.certificate_key.clone()),
        })?;
        let sender = self.sign.as_deref().map(SigningKey::load).transpose()?;
        let options = OwnerOptions {
            model: self.model.clone().unwrap_or_default(),
            pin: self.pin,
            authority: self.authority.clone(),
            project: self.project.clone(),
            recipient: self.recipient.clone(),
            context: self.context.clone(),
            subject: self.subject.clone(),
            limits: Limits {
                warn_items: Some(self.warn_items),
                most_items: Some(self.most_items),
                most_accuracy: self.most_accuracy,
            },
            auditor: self.auditor.clone(),
        };
        let bar = console.bar("tables of the public key");
        let owner = OwnerClient::connect(connection, options, &self.folder()?, sender, &bar)?;
        bar.finish_and_clear();
        data.check_encoder(&owner.parameters().encoder)?;
        let images: Vec<&[u8]> = items.clone().map(|item| data.image(item)).collect();
        let (answers, reading) = owner.predict(&images)?;
        if reading.warn {
            console.warn(&warning(&reading));
        }
        let results: Vec<_> = items
            .clone()
            .zip(&answers)
            .map(|(item, answer)| {
                json!({
                    "item": item, "output": answer.output, "label": answer.label, "probabilities": answer.probabilities,
                })
            })
            .collect();
        let (pin, public_key) = (owner.parameters().pin(), owner.parameters().public_key);
        console.result(
            &json!({ "results": results, "pin": pin, "public_key": public_key, "odometer": reading }),
            || {
                let rows = items.zip(&answers).map(|(item, answer)| {
                    let probability = answer.probabilities.iter().copied().fold(0.0, f32::max);
                    let percent = format!("{:.1} %", 100.0 * probability);
                    [item.to_string(), format!("{:?}", answer.output), answer.label.clone(), percent]
                });
                let table = console::table(["item", "output(x)", "label", "probability"], rows);
                format!("{table}\n\nparameters {pin}\n{}", count(&reading))
            },
        )
    }

    fn token(&self) -> Result<Option<String>> {
        let Some(path) = &self.token_file else { return Ok(std::env::var(TOKEN).ok()) };
        let text = String::from_utf8(files::read(path, 4096)?).with_context(|| path.display().to_string())?;
        Ok(Some(text.trim().to_owned()))
    }

    fn folder(&self) -> Result<PathBuf> {
        client_folder(self.client.as_deref())
    }
}

/// The owner's own folder: the one given, else `$HALFLIGHT_CLIENT`, else `~/.halflight`.
pub fn client_folder(named: Option<&Path>) -> Result<PathBuf> {
    let named = named.map(Path::to_owned).or_else(|| std::env::var_os("HALFLIGHT_CLIENT").map(PathBuf::from));
    match named.or_else(|| std::env::home_dir().map(|home| home.join(".halflight"))) {
        Some(folder) => Ok(folder),
        None => bail!("nowhere to keep the count of sent items: set HALFLIGHT_CLIENT to a folder"),
    }
}

/// The folder of the mask stores' counters, made if missing.
pub fn mask_counters() -> Result<PathBuf> {
    let folder = client_folder(None)?.join("masks");
    std::fs::create_dir_all(&folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    Ok(folder)
}

fn count(reading: &Reading) -> String {
    let known = match (&reading.accuracy, &reading.attribute) {
        (Some(accuracy), Some(attribute)) => {
            format!(": by the audit, an attacker identifies '{attribute}' from so many with {accuracy:.1} % accuracy")
        }
        _ => String::new(),
    };
    format!("{} items sent under this public key{known}", reading.items)
}

fn warning(reading: &Reading) -> String {
    format!("{}; what many items reveal adds up", count(reading))
}
