//! `halflight encrypt`: the owner.

mod remote;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::{Dataset, Encoded};
use qfe::keyfile::Unlock;
use qfe::{Ciphertext, Encryptor, MaskStore, PublicKey};
use serde_json::json;

use crate::console::{self, Console};
use crate::files;
use crate::keys::{self, Parameters};
use crate::passphrase::Passphrase;
use remote::Remote;
pub use remote::mask_counters;

/// Encodes and encrypts items of a data set: one ciphertext file each, or, with a URL, sent for predictions at once.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight encrypt --parameters authority/public --data test.safetensors \\\n    \
    --items 0..20 --out ciphertexts\n  \
    halflight encrypt --url https://predictor:8481 --model digits --pin HASH --data test.safetensors --items 7")]
pub struct Encrypt {
    /// Folder of published parameters: public key and encoder
    #[arg(long, value_name = "FOLDER", required_unless_present = "url")]
    parameters: Option<PathBuf>,
    /// Data set with the owner's items
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Items to encrypt: `7`, or `0..20` for the first twenty
    #[arg(long, default_value = "0..1", value_parser = parse_items)]
    items: Items,
    /// Folder for the ciphertexts, made if missing; item 7 becomes `7.ct`
    #[arg(long, short, value_name = "FOLDER", required_unless_present = "url")]
    out: Option<PathBuf>,
    /// Replace ciphertexts that exist
    #[arg(long)]
    force: bool,
    /// Compressed points: half the size, slower to read
    #[arg(long)]
    compressed: bool,
    /// Touch the same memory in the same time whatever the input: slower, for hosts that others can observe
    #[arg(long)]
    constant_time: bool,
    /// Folder that keeps the tables of the public key between runs
    #[arg(long, value_name = "FOLDER", conflicts_with = "constant_time")]
    tables: Option<PathBuf>,
    /// Use up masks that `halflight masks` drew ahead
    #[arg(long, value_name = "FOLDER", conflicts_with = "constant_time")]
    masks: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    remote: Remote,
}

/// A range of items.
#[derive(Clone)]
pub struct Items(pub std::ops::Range<usize>);

/// `7`, or `0..20`.
pub fn parse_items(text: &str) -> Result<Items, String> {
    let number = |part: &str| part.parse::<usize>().map_err(|_| format!("`{text}`: write `7` or `0..20`"));
    let range = match text.split_once("..") {
        Some((start, end)) => number(start)?..number(end)?,
        None => number(text)?..number(text)?.saturating_add(1),
    };
    if range.is_empty() { Err(format!("`{text}` holds no item: write `7` or `0..20`")) } else { Ok(Items(range)) }
}

impl Encrypt {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let data = Dataset::load(&self.data)?;
        let Items(items) = self.items.clone();
        if items.end > data.len() {
            bail!("--items {}..{}: {} holds items 0..{}", items.start, items.end, self.data.display(), data.len());
        }
        if let Some(url) = &self.remote.url {
            return self.remote.predict(url, &data, items, console);
        }
        let (Some(folder), Some(out)) = (&self.parameters, &self.out) else {
            bail!("--parameters and --out, or --url and --model, say what to encrypt for");
        };
        let parameters = Parameters::read(folder)?;
        // Everything that can be refused is refused before the first file is written.
        let encoded = items
            .clone()
            .map(|item| parameters.encoder.encode(data.image(item)))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("{}: does not fit the encoder", self.data.display()))?;
        fs::create_dir_all(out).with_context(|| format!("{}: cannot be made", out.display()))?;
        let paths: Vec<PathBuf> = items.map(|item| out.join(format!("{item}.ct"))).collect();
        paths.iter().try_for_each(|path| files::check_writable(path, self.force))?;

        let cipher = self.cipher(&parameters.key, console)?;
        let bar = console.bar("encrypting");
        bar.set_length(paths.len() as u64);
        let encoding = if self.compressed { qfe::Encoding::Compressed } else { qfe::Encoding::Uncompressed };
        let mut size = 0;
        for (path, item) in paths.iter().zip(&encoded) {
            let bytes = cipher.encrypt(item)?.encode(encoding);
            size = bytes.len();
            files::write(path, &bytes)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        let id = parameters.key.id().to_string();
        console.result(&json!({ "files": paths, "bytes_each": size, "public_key": id }), || {
            format!("{} ciphertexts of {} in {}", paths.len(), console::bytes(size), out.display())
        })
    }
}

/// The three ways to encrypt.
enum Cipher<'a> {
    ConstantTime(&'a PublicKey),
    Fast(Encryptor),
    Masked(Encryptor, MaskStore, Unlock),
}

impl Encrypt {
    fn cipher<'a>(&self, key: &'a PublicKey, console: &Console) -> Result<Cipher<'a>> {
        if self.constant_time {
            return Ok(Cipher::ConstantTime(key));
        }
        let encryptor = keys::encryptor(key, self.tables.as_deref(), console)?;
        Ok(match &self.masks {
            None => Cipher::Fast(encryptor),
            Some(folder) => {
                let unlock = Unlock::passphrase(self.passphrase.get(false)?.to_string());
                Cipher::Masked(encryptor, MaskStore::open(folder, &remote::mask_counters()?)?, unlock)
            }
        })
    }
}

impl Cipher<'_> {
    fn encrypt(&self, item: &Encoded) -> Result<Ciphertext> {
        Ok(match self {
            Self::ConstantTime(key) => qfe::encrypt_constant_time(key, &item.u, &item.v, &mut rand::rng())?,
            Self::Fast(encryptor) => encryptor.encrypt(&item.u, &item.v, &mut rand::rng())?,
            Self::Masked(encryptor, store, unlock) => {
                encryptor.encrypt_with_mask(&item.u, &item.v, store.take(encryptor, unlock)?)?
            }
        })
    }
}
