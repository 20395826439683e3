//! Records and ciphertexts by the batch, for engines that have their own frames.

use std::path::PathBuf;
use std::sync::Arc;

use bulk::{BulkError, EncryptionOptions, Model, Records, ScoringOptions};
use dataset::schema::{self, RecordReader};
use host::Silent;
use pyo3::prelude::*;
use qfe::Encoding;

use crate::arrow::{self, Capsules};
use crate::error::raise;
use crate::keys::Parameters;
use crate::pool::detached;
use crate::tables::Kept;

/// One run of a model over batches.
#[pyclass(frozen, module = "halflight._native")]
pub struct Scoring {
    inner: Arc<bulk::Scoring>,
}

#[pymethods]
impl Scoring {
    /// The model's key, plan and table are made once per process.
    #[new]
    fn new(
        py: Python<'_>,
        model: PathBuf,
        ciphertext: String,
        subject: Option<String>,
        most_items: Option<u64>,
        prefix: String,
        tables: Option<PathBuf>,
    ) -> PyResult<Self> {
        let model = detached(py, || Model::open(&model, tables.as_deref(), &Silent))?.map_err(raise)?;
        let options = ScoringOptions { ciphertext, subject, most_items, prefix };
        Ok(Self { inner: Arc::new(bulk::Scoring::new(model, options)) })
    }

    /// The capsules of the result for this batch.
    fn score<'py>(&self, py: Python<'py>, batch: &Bound<'py, PyAny>) -> PyResult<Capsules<'py>> {
        let batch = arrow::read(batch)?;
        arrow::write(py, detached(py, || self.inner.score(&batch))?.map_err(raise)?)
    }

    /// Hash of the network.
    #[getter]
    fn network(&self) -> String {
        self.inner.model().admission().network().to_string()
    }
}

/// Encryption of records under one public key.
#[pyclass(frozen, module = "halflight._native")]
pub struct Encryption {
    inner: Arc<bulk::Encryption>,
}

#[pymethods]
impl Encryption {
    #[new]
    fn new(
        py: Python<'_>,
        parameters: &Parameters,
        column: String,
        schema: Option<PathBuf>,
        keep: Option<Vec<String>>,
        compressed: bool,
    ) -> PyResult<Self> {
        let records = match schema {
            None => Records::Items(column),
            Some(path) => Records::Table(Box::new(RecordReader::new(schema::load(&path).map_err(raise)?))),
        };
        let encoding = if compressed { Encoding::Compressed } else { Encoding::Uncompressed };
        let options = EncryptionOptions { keep, encoding, ..EncryptionOptions::default() };
        let published = Arc::clone(&parameters.published);
        let made = detached(py, || -> Result<bulk::Encryption, BulkError> {
            let owner = Arc::clone(Kept::of(&published).owner(&published, &Silent));
            bulk::Encryption::new(owner, published.key().id(), records, options)
        })?;
        Ok(Self { inner: Arc::new(made.map_err(raise)?) })
    }

    /// The capsules of the result for this batch.
    fn encrypt<'py>(&self, py: Python<'py>, batch: &Bound<'py, PyAny>) -> PyResult<Capsules<'py>> {
        let batch = arrow::read(batch)?;
        arrow::write(py, detached(py, || self.inner.encrypt(&batch))?.map_err(raise)?)
    }
}
