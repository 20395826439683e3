//! `halflight encrypt`: the owner.

mod parquet;
mod remote;
mod table;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use host::Progress;
use roles::keyfile::Unlock;
use roles::{MaskStore, Owner, Published};
use serde_json::json;

use super::matching;
use crate::console::{self, Console};
use crate::files;
use crate::keys;
use crate::passphrase::Passphrase;
use remote::Remote;
pub use remote::mask_counters;
use table::Table;

/// Encodes and encrypts items of a data set: into one ciphertext file each, into Parquet files of many, or, with a URL,
/// sent to a predictor at once.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight encrypt --parameters authority/public --data test.safetensors \\\n    \
    --items 0..20 --out ciphertexts\n  \
    halflight encrypt --url https://predictor:8481 --model digits --pin HASH --data test.safetensors --items 7\n  \
    halflight encrypt --parameters authority/public --records 'people/*.parquet' --schema train.safetensors \\\n    \
    --keep id --parquet encrypted")]
pub struct Encrypt {
    /// Folder of published parameters: public key and encoder
    #[arg(long, value_name = "FOLDER", required_unless_present = "url")]
    parameters: Option<PathBuf>,
    /// Data set with the owner's items
    #[arg(long, value_name = "FILE", required_unless_present = "records")]
    data: Option<PathBuf>,
    /// Items to encrypt: `7`, or `0..20` for the first twenty [default: 0..1; with --parquet all]
    #[arg(long, value_parser = parse_items, conflicts_with = "records")]
    items: Option<Items>,
    /// Folder for the ciphertexts, made if missing; item 7 becomes `7.ct`
    #[arg(long, short, value_name = "FOLDER", required_unless_present_any = ["url", "parquet"])]
    out: Option<PathBuf>,
    /// Replace ciphertexts that exist
    #[arg(long)]
    force: bool,
    /// Compressed points: half the size, slower to read
    #[arg(long)]
    compressed: bool,
    /// Use the same memory accesses and the same time whatever the input: slower, for hosts that others can observe
    #[arg(long)]
    constant_time: bool,
    /// Folder that keeps the tables of the public key between runs
    #[arg(long, value_name = "FOLDER", conflicts_with = "constant_time")]
    tables: Option<PathBuf>,
    /// Use masks that `halflight masks` drew in advance
    #[arg(long, value_name = "FOLDER", conflicts_with = "constant_time")]
    masks: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    table: Table,
    #[command(flatten)]
    remote: Remote,
}

/// A range of items.
#[derive(Clone)]
pub struct Items(pub Range<usize>);

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
        let sealed = self.remote.envelope();
        if let Some(option) = sealed.filter(|_| self.remote.url.is_none() && self.table.parquet.is_none()) {
            bail!("{option} is for ciphertexts that are sent or stored in envelopes: give --url or --parquet too");
        }
        if let Some(folder) = &self.table.parquet {
            return self.to_parquet(folder, console);
        }
        let Some(path) = &self.data else { bail!("--data is missing: name the data set") };
        let data = Dataset::load(path)?;
        let items = self.items(path, &data, 0..1)?;
        if let Some(url) = &self.remote.url {
            return self.remote.predict(url, &data, items, console);
        }
        let (Some(folder), Some(out)) = (&self.parameters, &self.out) else {
            bail!("give --parameters and --out, or --url and --model, to say what to encrypt for");
        };
        let published = Published::read(folder)?;
        matching::encoder((path, &data), published.encoder())?;
        // Everything that can be refused is refused before the first file is written.
        let encoded = items
            .clone()
            .map(|item| published.encoder().encode(data.image(item)))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("{}: does not fit the encoder", path.display()))?;
        fs::create_dir_all(out).with_context(|| format!("{}: cannot be made", out.display()))?;
        let paths: Vec<PathBuf> = items.map(|item| out.join(format!("{item}.ct"))).collect();
        paths.iter().try_for_each(|path| files::check_writable(path, self.force))?;

        let owner = self.owner(&published, console)?;
        let bar = console.bar("encrypting");
        bar.begin(paths.len() as u64);
        let encoding = self.encoding();
        let mut size = 0;
        for (path, item) in paths.iter().zip(&encoded) {
            let bytes = owner.encrypt_encoded(item)?.encode(encoding);
            size = bytes.len();
            files::write(path, &bytes)?;
            bar.advance(1);
        }
        bar.finish_and_clear();
        let id = published.key().id().to_string();
        console.result(&json!({ "files": paths, "bytes_each": size, "public_key": id }), || {
            format!("{} ciphertexts of {} in {}", paths.len(), console::bytes(size), out.display())
        })
    }

    /// The selected items, all of which the data set has.
    fn items(&self, path: &Path, data: &Dataset, otherwise: Range<usize>) -> Result<Range<usize>> {
        let items = self.items.clone().map_or(otherwise, |Items(items)| items);
        if items.end > data.len() {
            bail!("--items {}..{}: {} holds items 0..{}", items.start, items.end, path.display(), data.len());
        }
        Ok(items)
    }

    fn encoding(&self) -> qfe::Encoding {
        if self.compressed { qfe::Encoding::Compressed } else { qfe::Encoding::Uncompressed }
    }

    /// One of the three ways to encrypt.
    fn owner(&self, published: &Published, console: &Console) -> Result<Owner> {
        if self.constant_time {
            return Ok(Owner::constant_time(published));
        }
        let owner = keys::owner(published, self.tables.as_deref(), console)?;
        Ok(match &self.masks {
            None => owner,
            Some(folder) => {
                let unlock = Unlock::passphrase(self.passphrase.get(false)?.to_string());
                owner.with_masks(MaskStore::open(folder, &remote::mask_counters()?)?, unlock)
            }
        })
    }
}
