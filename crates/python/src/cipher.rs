//! The owner encrypts, the predictor evaluates.

use std::sync::Arc;

use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use qfe::Encoding;
use roles::{BatchError, Owner, OwnerError, table_bits};

use crate::compiled::CompiledNetwork;
use crate::data::Dataset;
use crate::error::{raise, raise_at};
use crate::keys::{FunctionalKey, Parameters};
use crate::pool::detached;
use crate::progress::Aside;
use crate::{arrays, progress, tables};

/// One encrypted item.
#[pyclass(frozen, module = "halflight._native")]
pub struct Ciphertext {
    inner: Arc<qfe::Ciphertext>,
}

impl From<qfe::Ciphertext> for Ciphertext {
    fn from(inner: qfe::Ciphertext) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

#[pymethods]
impl Ciphertext {
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        detached(py, || qfe::Ciphertext::from_bytes(bytes))?.map(Self::from).map_err(raise)
    }

    /// Many at once, with one check over the points of all.
    #[staticmethod]
    fn from_bytes_batch(py: Python<'_>, encoded: Vec<PyBackedBytes>) -> PyResult<Vec<Self>> {
        let read = detached(py, || {
            let encoded: Vec<&[u8]> = encoded.iter().map(|bytes| &**bytes).collect();
            qfe::Ciphertext::from_bytes_batch(&encoded)
        })?;
        let read = read.into_iter().enumerate();
        read.map(|(item, read)| read.map(Self::from).map_err(|error| raise_at(item, error))).collect()
    }

    #[pyo3(signature = (compressed = false))]
    fn to_bytes<'py>(&self, py: Python<'py>, compressed: bool) -> PyResult<Bound<'py, PyBytes>> {
        let encoding = if compressed { Encoding::Compressed } else { Encoding::Uncompressed };
        Ok(PyBytes::new(py, &detached(py, || self.inner.encode(encoding))?))
    }

    fn equals(&self, other: &Self) -> bool {
        self.inner == other.inner
    }

    #[getter]
    fn inputs(&self) -> (usize, usize) {
        self.inner.inputs()
    }

    #[getter]
    fn public_key(&self) -> String {
        self.inner.public_key_id().to_string()
    }
}

#[pyfunction]
pub fn encrypt(
    py: Python<'_>,
    parameters: &Parameters,
    data: &Dataset,
    items: PyReadonlyArray1<'_, i64>,
    constant_time: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<Vec<Ciphertext>> {
    let count = data.inner.len();
    let inside = |&item: &i64| {
        let inside = usize::try_from(item).ok().filter(|&item| item < count);
        inside.ok_or_else(|| PyIndexError::new_err(format!("item {item}: the data set holds {count} items")))
    };
    let items = items.as_array().iter().map(inside).collect::<PyResult<Vec<usize>>>()?;
    let (published, data) = (Arc::clone(&parameters.published), Arc::clone(&data.inner));
    let made = progress::run(py, callback, move |bar| {
        let images: Vec<&[u8]> = items.iter().map(|&item| data.image(item)).collect();
        if constant_time {
            return Owner::constant_time(&published).encrypt_all(&images, bar);
        }
        let kept = tables::Kept::of(&published);
        // The tables first, by all threads: work that waits for them must not be the work that builds them.
        kept.owner(&published, &Aside(bar)).encrypt_all(&images, bar)
    })?;
    let made = made.map_err(|BatchError { item, error }| match error {
        OwnerError::Encode(error) => raise_at(item, error),
        OwnerError::Encrypt(error) => raise_at(item, error),
        other => raise_at(item, other),
    })?;
    Ok(made.into_iter().map(Ciphertext::from).collect())
}

/// A functional key, prepared for many ciphertexts.
#[pyclass(frozen, module = "halflight._native")]
pub struct Predictor {
    inner: Arc<roles::Predictor>,
}

/// Why a predictor cannot be made.
enum Unfit {
    Table(qfe::LogTableError),
    Key(roles::KeyMismatch),
}

#[pymethods]
impl Predictor {
    #[new]
    fn new(py: Python<'_>, key: &FunctionalKey, network: &CompiledNetwork) -> PyResult<Self> {
        let (key, network) = (Arc::clone(&key.inner), Arc::clone(&network.inner));
        let made = progress::run(py, None, move |bar| {
            if key.map() != network.map() {
                return Err(Unfit::Key(roles::KeyMismatch::Function));
            }
            let table = tables::logarithms(table_bits([&*network]), bar).map_err(Unfit::Table)?;
            roles::Predictor::new((*network).clone(), &key, table).map_err(Unfit::Key)
        })?;
        match made {
            Ok(inner) => Ok(Self { inner: Arc::new(inner) }),
            Err(Unfit::Table(error)) => Err(raise(error)),
            Err(Unfit::Key(roles::KeyMismatch::Evaluate(error))) => Err(raise(error)),
            Err(Unfit::Key(error)) => Err(raise(error)),
        }
    }

    /// Outputs of every ciphertext, `[N, S]`.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        ciphertexts: Vec<Py<Ciphertext>>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let ciphertexts: Vec<_> = ciphertexts.iter().map(|ciphertext| Arc::clone(&ciphertext.get().inner)).collect();
        let predictor = Arc::clone(&self.inner);
        let outputs = progress::run(py, callback, move |bar| predictor.evaluate_all(&ciphertexts, bar))?;
        let outputs = outputs.map_err(|BatchError { item, error }| raise_at(item, error))?;
        arrays::matrix(py, outputs.concat(), self.inner.network().outputs())
    }
}
