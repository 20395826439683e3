//! The owner's side: records in, ciphertexts out.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{LargeBinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use qfe::{Encoding, PublicKeyId};
use rand::Rng;
use rayon::prelude::*;
use roles::Owner;
use roles::clock;
use roles::envelope::{Destination, Envelope, MAX_CONTEXT};
use roles::hash::Hash;
use roles::signature::SigningKey;

use super::records::Rows;
use super::{ERROR, Kernel, Records};
use crate::BulkError;

/// Encrypts records under one public key.
pub struct Encryption {
    owner: Arc<Owner>,
    public_key: Hash,
    records: Records,
    options: EncryptionOptions,
}

impl std::fmt::Debug for Encryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { owner, records, .. } = self;
        f.debug_struct("Encryption").field("owner", owner).field("records", records).finish_non_exhaustive()
    }
}

/// How records are encrypted.
#[derive(Default)]
pub struct EncryptionOptions {
    /// The columns that pass through in the clear; none means all that are not consumed.
    pub keep: Option<Vec<String>>,
    /// Name of the column of ciphertexts; empty for [`CIPHERTEXT`](super::CIPHERTEXT).
    pub ciphertext: String,
    /// How points are written.
    pub encoding: Encoding,
    /// The envelope around each ciphertext; none leaves them bare.
    pub sealing: Option<Sealing>,
}

impl std::fmt::Debug for EncryptionOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { keep, ciphertext, encoding, .. } = self;
        let mut out = f.debug_struct("EncryptionOptions");
        out.field("keep", keep).field("ciphertext", ciphertext).field("encoding", encoding).finish_non_exhaustive()
    }
}

/// The content of the envelopes.
#[allow(missing_debug_implementations)] // holds a secret key
pub struct Sealing {
    /// The destination: which network, and whose.
    pub destination: Option<Destination>,
    /// The purpose.
    pub context: String,
    /// The key that signs them.
    pub signer: Option<SigningKey>,
}

impl Encryption {
    /// Encryption by an owner of the public key with this id.
    ///
    /// # Errors
    /// The records have other columns than the encoder was fitted on, or an envelope's texts are too long.
    pub fn new(
        owner: Arc<Owner>,
        public_key: PublicKeyId,
        records: Records,
        mut options: EncryptionOptions,
    ) -> Result<Self, BulkError> {
        records.check_encoder(owner.encoder())?;
        if options.ciphertext.is_empty() {
            options.ciphertext = super::CIPHERTEXT.into();
        }
        if let Some(sealing) = &options.sealing {
            let recipient = sealing.destination.iter().map(|to| to.recipient.len());
            if let Some(length) = recipient.chain([sealing.context.len()]).find(|&length| length > MAX_CONTEXT) {
                let problem =
                    format!("cannot be sealed: context or recipient has {length} bytes; at most {MAX_CONTEXT} fit");
                return Err(BulkError::column(&options.ciphertext, problem));
            }
        }
        Ok(Self { owner, public_key: Hash(*public_key.as_bytes()), records, options })
    }

    /// The kept columns, the ciphertexts, and in `error` why a row has none.
    ///
    /// # Errors
    /// A column is missing, of another type, or in conflict with an output column.
    pub fn encrypt(&self, batch: &RecordBatch) -> Result<RecordBatch, BulkError> {
        let schema = self.schema(batch.schema_ref())?;
        let rows = self.records.rows(batch)?;
        let one = |row| self.encrypt_row(&rows, row);
        let encrypted: Vec<_> = (0..batch.num_rows()).into_par_iter().with_max_len(1).map(one).collect();
        let bytes: usize = encrypted.iter().flatten().map(Vec::len).sum();
        let mut ciphertexts = LargeBinaryBuilder::with_capacity(encrypted.len(), bytes);
        let mut errors = StringBuilder::new();
        for result in encrypted {
            ciphertexts.append_option(result.as_ref().ok());
            errors.append_option(result.err());
        }
        let kept = schema.fields()[..schema.fields().len() - 2].iter();
        let kept = kept.map(|field| super::columns::column(batch, field.name()).cloned());
        let mut columns = kept.collect::<Result<Vec<ArrayRef>, BulkError>>()?;
        columns.push(Arc::new(ciphertexts.finish()));
        columns.push(Arc::new(errors.finish()));
        Ok(RecordBatch::try_new(schema, columns)?)
    }

    fn encrypt_row(&self, rows: &Rows, row: usize) -> Result<Vec<u8>, String> {
        let ciphertext = self.owner.encrypt(&rows.get(row)?).map_err(|error| error.to_string())?;
        let body = ciphertext.encode(self.options.encoding);
        let Some(Sealing { destination, context, signer }) = &self.options.sealing else { return Ok(body) };
        let mut nonce = [0; 16];
        host::fresh_rng().fill_bytes(&mut nonce);
        let envelope = Envelope {
            suite: qfe::SUITE,
            public_key: self.public_key,
            nonce,
            sent: clock::now(),
            destination: destination.clone(),
            context: context.clone(),
            body,
            signer: None,
        };
        envelope.seal(signer.as_ref()).map_err(|error| error.to_string())
    }
}

impl Kernel for Encryption {
    fn name(&self) -> &'static str {
        "encrypt"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef, BulkError> {
        self.records.check(input)?;
        let used = self.records.columns();
        let mut fields: Vec<FieldRef> = match &self.options.keep {
            None => input.fields().iter().filter(|field| !used.contains(&field.name().as_str())).cloned().collect(),
            Some(names) => {
                let find = |name: &String| {
                    let found = input.fields().iter().find(|field| field.name() == name).cloned();
                    found.ok_or_else(|| super::columns::missing(name, input.fields().iter().map(|field| field.name())))
                };
                names.iter().map(find).collect::<Result<_, BulkError>>()?
            }
        };
        let made = [(self.options.ciphertext.as_str(), DataType::LargeBinary), (ERROR, DataType::Utf8)];
        for (name, kind) in made {
            if fields.iter().any(|field| field.name() == name) {
                return Err(BulkError::column(
                    name,
                    "is an output column, and exists already: rename it, or do not keep it",
                ));
            }
            fields.push(Arc::new(Field::new(name, kind, true)));
        }
        let about = HashMap::from([("halflight.public_key".into(), self.public_key.to_string())]);
        Ok(Arc::new(Schema::new_with_metadata(fields, about)))
    }

    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, BulkError> {
        self.encrypt(batch)
    }

    fn stamp(&self) -> Vec<(&'static str, String)> {
        let mut stamp = vec![
            ("public_key", self.public_key.to_string()),
            ("columns", format!("{:?} to {}", self.records.columns(), self.options.ciphertext)),
            ("kept", format!("{:?}", self.options.keep)),
            ("points", format!("{:?}", self.options.encoding)),
        ];
        if let Some(Sealing { destination, context, signer }) = &self.options.sealing {
            let to = destination.as_ref().map(|to| format!("network {} at {:?}", to.network, to.recipient));
            let by = signer.as_ref().map(|key| key.verifying_key().to_string());
            stamp.push(("envelope", format!("{context:?}, {}, {}", to.unwrap_or_default(), by.unwrap_or_default())));
        }
        stamp
    }

    fn row_bytes(&self) -> usize {
        let (n, m) = self.owner.encoder().inputs();
        qfe::ciphertext_size(n, m)
    }
}
