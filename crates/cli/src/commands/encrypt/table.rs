//! Encrypting to Parquet files, from a data set or from Parquet files of records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bulk::{Encryption, EncryptionOptions, Inputs, Records, Sealing};
use clap::Args;
use dataset::schema::RecordReader;
use dataset::{Dataset, Schema};
use roles::Published;
use roles::envelope::Destination;
use roles::hash::Hash;
use roles::signature::SigningKey;

use super::Encrypt;
use crate::commands::matching;
use crate::commands::score::{Logged, print};
use crate::console::Console;

/// Bytes of ciphertexts in one file, about: files of equal bytes are what engines divide best.
const FILE: usize = 256 << 20;

/// Parquet files in and out.
#[derive(Args)]
#[command(next_help_heading = "To Parquet")]
pub struct Table {
    /// Folder for Parquet files of ciphertexts, made if missing; files that are there already are taken as done
    #[arg(long, value_name = "FOLDER", conflicts_with = "out")]
    pub parquet: Option<PathBuf>,
    /// Instead of a data set, records in Parquet files: a file, a folder, or a pattern in quotes
    #[arg(long, value_name = "FILES", requires = "parquet", conflicts_with = "data")]
    records: Option<String>,
    /// Column of the records with whole items: binary, or lists of numbers from 0 to 255
    #[arg(long, value_name = "COLUMN", default_value = "item", conflicts_with = "schema")]
    column: String,
    /// The records are a table, to be read by the schema of this data set, or one that `dataset schema` wrote
    #[arg(long, value_name = "FILE", requires = "records")]
    schema: Option<PathBuf>,
    /// Columns of the records that go beside the ciphertexts, unencrypted
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS", requires = "records")]
    keep: Vec<String>,
    /// Rows of a file, from a data set [default: 256 MB of ciphertexts]
    #[arg(long, value_name = "NUMBER", requires = "parquet", conflicts_with = "records")]
    rows: Option<usize>,
    /// Put each ciphertext in an envelope for the model of this network; see also --recipient, --context and --sign
    #[arg(long, value_name = "HASH", requires = "parquet")]
    network: Option<Hash>,
    #[command(flatten)]
    logged: Logged,
}

impl Encrypt {
    /// Runs the verb with `--parquet`.
    pub(super) fn to_parquet(&self, out: &Path, console: &Console) -> Result<()> {
        let Some(parameters) = &self.parameters else { bail!("--parameters says what to encrypt for") };
        let published = Published::read(parameters)?;
        let table = &self.table;
        let data = self.data.as_ref().map(|path| Dataset::load(path).map(|data| (path, data))).transpose()?;
        let (records, inputs, keep) = match (&data, &table.records) {
            (Some((path, data)), _) => {
                matching::encoder((path, data), published.encoder())?;
                let items = self.items(path, data, 0..data.len())?;
                let width = data.height() * data.width();
                let bytes = &data.images()[items.start * width..items.end * width];
                let (n, m) = published.encoder().inputs();
                let rows = table.rows.unwrap_or(FILE / qfe::ciphertext_size(n, m));
                let inputs = Inputs::items(bytes, width, items.start as u64, rows);
                (Records::Items("item".into()), inputs, vec!["id".to_owned()])
            }
            (None, Some(files)) => {
                let records = match &table.schema {
                    Some(schema) => Records::Table(Box::new(RecordReader::new(Schema::load(schema)?))),
                    None => Records::Items(table.column.clone()),
                };
                (records, Inputs::find(files)?, table.keep.clone())
            }
            (None, None) => bail!("--data or --records names what to encrypt"),
        };
        let options = EncryptionOptions {
            keep: Some(keep),
            encoding: self.encoding(),
            sealing: self.sealing()?,
            ..EncryptionOptions::default()
        };
        let id = published.key().id();
        let encryption = Encryption::new(Arc::new(self.owner(&published, console)?), id, records, options)?;
        let bar = console.rate("encrypting");
        let report = table.logged.job(inputs, out, self.force).run(&encryption, &bar)?;
        bar.finish_and_clear();
        print(&report, console)
    }

    /// The envelopes that are asked for.
    fn sealing(&self) -> Result<Option<Sealing>> {
        let remote = &self.remote;
        let Some(network) = self.table.network else {
            return match remote.envelope() {
                Some(option) => {
                    bail!("{option} is for envelopes: give --network, the hash of the model's network, too")
                }
                None => Ok(None),
            };
        };
        let signer = remote.sign.as_deref().map(SigningKey::load).transpose().context("--sign")?;
        let destination = Some(Destination { network, recipient: remote.recipient.clone() });
        Ok(Some(Sealing { destination, context: remote.context.clone(), signer }))
    }
}
