//! A small model with its keys, and record batches for it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, LargeBinaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, LargeBinaryArray, RecordBatch, StringArray};
use bulk::{Encryption, EncryptionOptions, Model, Records, Scoring, ScoringOptions};
use encoder::Encoder;
use host::Silent;
use model::{CompiledNetwork, ImportOptions, Inputs, IntegerMatrix, Integers};
use roles::{Authority, ModelFolder, Owner};
use tempfile::TempDir;

/// An authority, and the folder of its one model.
pub struct World {
    pub folder: TempDir,
    pub network: CompiledNetwork,
    pub authority: Authority,
}

/// Pixels x, y: x·y + x and y.
pub fn network() -> CompiledNetwork {
    let matrix =
        |values: &[i32], columns| IntegerMatrix { shape: (values.len() / columns, columns), values: values.to_vec() };
    let integers = Integers {
        left: matrix(&[0, 1, 0, 1, 0, 0], 3),
        right: Some(matrix(&[1, 0, 1, 0, 0, 1], 3)),
        combine: matrix(&[1, 0, 0, 1], 2),
    };
    let encoder = Encoder::pixels(1, 2, 8).unwrap();
    let options = ImportOptions { inputs: Inputs::Encoder(Box::new(encoder)), ..ImportOptions::default() };
    CompiledNetwork::from_integers(integers, &options).unwrap()
}

impl World {
    pub fn new() -> Self {
        let network = network();
        let authority = Authority::setup(network.encoder().clone()).unwrap();
        let world = Self { folder: tempfile::tempdir().unwrap(), network, authority };
        world.files(None).write(&world.model_folder()).unwrap();
        world
    }

    pub fn files(&self, grant: Option<Vec<u8>>) -> ModelFolder {
        ModelFolder {
            network: self.network.clone(),
            key: self.authority.issue(&self.network).unwrap(),
            public_key: Some(self.authority.published().key().clone()),
            grant,
            audit: None,
            page: None,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn model_folder(&self) -> PathBuf {
        self.path("model")
    }

    pub fn model(&self) -> Arc<Model> {
        Model::open(&self.model_folder(), None, &Silent).unwrap()
    }

    pub fn scoring(&self, options: ScoringOptions) -> Scoring {
        Scoring::new(self.model(), options)
    }

    pub fn encryption(&self, options: EncryptionOptions) -> Encryption {
        let published = self.authority.published();
        let owner = Owner::new(published, &Silent);
        Encryption::new(Arc::new(owner), published.key().id(), Records::Items("item".into()), options).unwrap()
    }

    /// One ciphertext of two pixels.
    pub fn ciphertext(&self, item: [u8; 2]) -> Vec<u8> {
        Owner::new(self.authority.published(), &Silent).encrypt(&item).unwrap().to_bytes()
    }

    /// The outputs in the clear.
    pub fn clear(&self, item: [u8; 2]) -> Vec<i64> {
        self.network.evaluate(&self.network.encoder().encode(&item).unwrap()).unwrap()
    }
}

/// Records with an `id`, an `item` and a `who`.
pub fn records(items: &[Option<Vec<u8>>]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..items.len() as i64));
    let bytes: ArrayRef = Arc::new(LargeBinaryArray::from_iter(items.iter().map(Option::as_deref)));
    let who = (0..items.len()).map(|row| format!("p{}", row % 3));
    let who: ArrayRef = Arc::new(StringArray::from_iter_values(who));
    RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("item", bytes, true), ("who", who, false)]).unwrap()
}

/// Two pixels of a row.
pub fn item(row: usize) -> [u8; 2] {
    [(row * 7 % 251) as u8, (row * 13 % 241) as u8]
}

/// A batch of ciphertexts as they are.
pub fn ciphertexts(bytes: &[Option<Vec<u8>>]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..bytes.len() as i64));
    let mut column = LargeBinaryBuilder::new();
    bytes.iter().for_each(|bytes| column.append_option(bytes.as_deref()));
    let column: ArrayRef = Arc::new(column.finish());
    RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("ciphertext", column, true)]).unwrap()
}

/// The same in a column of fixed width.
pub fn fixed(bytes: &[Vec<u8>]) -> ArrayRef {
    let mut column = FixedSizeBinaryBuilder::new(bytes[0].len() as i32);
    bytes.iter().for_each(|bytes| column.append_value(bytes).unwrap());
    Arc::new(column.finish())
}

/// What a row says: output, label and probabilities, or the reason.
pub type Row = Result<(Vec<i64>, String, Vec<f32>), String>;

pub fn rows(scored: &RecordBatch) -> Vec<Row> {
    let column = |name: &str| scored.column_by_name(name).unwrap();
    let (output, probabilities) = (column("output").as_fixed_size_list(), column("probabilities").as_fixed_size_list());
    let (label, error) = (column("label").as_string::<i32>(), column("error").as_string::<i32>());
    (0..scored.num_rows())
        .map(|row| {
            if error.is_valid(row) {
                assert!(output.is_null(row) && label.is_null(row) && probabilities.is_null(row), "row {row}");
                return Err(error.value(row).to_owned());
            }
            let values = output.value(row).as_primitive::<Int64Type>().values().to_vec();
            let chances = probabilities.value(row).as_primitive::<Float32Type>().values().to_vec();
            Ok((values, label.value(row).to_owned(), chances))
        })
        .collect()
}

pub fn write(path: &Path, batch: &RecordBatch) {
    bulk::write_batches(path, &batch.schema(), &[], [Ok(batch.clone())].into_iter()).unwrap();
}
