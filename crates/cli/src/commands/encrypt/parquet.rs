//! Encrypting to Parquet files, from a data set or from Parquet files of records.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bulk::{Encryption, EncryptionOptions, Inputs, Records, Sealing};
use dataset::Dataset;
use dataset::schema::{self, RecordReader};
use roles::Published;
use roles::envelope::Destination;
use roles::signature::SigningKey;

use super::Encrypt;
use crate::commands::matching;
use crate::commands::score::print;
use crate::console::Console;

/// Approximate bytes of ciphertexts in one file: engines divide files of equal size best.
const FILE: usize = 256 << 20;

impl Encrypt {
    /// Runs the verb with `--parquet`.
    pub(super) fn to_parquet(&self, out: &Path, console: &Console) -> Result<()> {
        let Some(parameters) = &self.parameters else { bail!("--parameters is missing: give what to encrypt for") };
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
                let size = qfe::ciphertext_size(n, m) / if self.compressed { 2 } else { 1 };
                let rows = table.rows.unwrap_or(FILE / size);
                let inputs = Inputs::items(bytes, width, items.start as u64, rows);
                (Records::Items("item".into()), inputs, vec!["id".to_owned()])
            }
            (None, Some(files)) => {
                let records = match &table.schema {
                    Some(schema) => Records::Table(Box::new(RecordReader::new(schema::load(schema)?))),
                    None => Records::Items(table.column.clone()),
                };
                (records, Inputs::find(files)?, table.keep.clone())
            }
            (None, None) => bail!("give --data or --records to say what to encrypt"),
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

    /// The requested envelopes.
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
