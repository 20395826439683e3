//! The owner encrypts, the predictor evaluates.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use host::Silent;
use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use qfe::{Encoding, Evaluator, LogTable};

use crate::compiled::CompiledNetwork;
use crate::data::Dataset;
use crate::error::{exception, raise};
use crate::keys::{FunctionalKey, Parameters};
use crate::{arrays, progress};

/// One encrypted item.
#[pyclass(frozen, module = "halflight._native")]
pub struct Ciphertext {
    inner: Arc<qfe::Ciphertext>,
}

#[pymethods]
impl Ciphertext {
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        let ciphertext = py.detach(|| qfe::Ciphertext::from_bytes(bytes)).map_err(raise)?;
        Ok(Self { inner: Arc::new(ciphertext) })
    }

    #[pyo3(signature = (compressed = false))]
    fn to_bytes<'py>(&self, py: Python<'py>, compressed: bool) -> Bound<'py, PyBytes> {
        let encoding = if compressed { Encoding::Compressed } else { Encoding::Uncompressed };
        PyBytes::new(py, &py.detach(|| self.inner.encode(encoding)))
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

/// Why a batch stopped.
enum Stopped {
    Encode(encoder::EncodeError),
    Encrypt(qfe::EncryptError),
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
    let Parameters { key, encoder, tables } = parameters;
    let (key, encoder, tables, data) = (key.clone(), encoder.clone(), tables.clone(), data.inner.clone());
    let made = progress::run(py, callback, move |bar| {
        let encoded = items.iter().map(|&item| encoder.encode(data.image(item)));
        let encoded = encoded.collect::<Result<Vec<_>, _>>().map_err(Stopped::Encode)?;
        bar.begin(encoded.len() as u64);
        let mut made = Vec::with_capacity(encoded.len());
        for item in encoded {
            let ciphertext = match constant_time {
                true => qfe::encrypt_constant_time(&key, &item.u, &item.v, &mut rand::rng()),
                false => tables.of(&key, &Silent).encrypt(&item.u, &item.v, &mut rand::rng()),
            };
            made.push(ciphertext.map_err(Stopped::Encrypt)?);
            bar.advance(1);
        }
        Ok(made)
    })?;
    match made {
        Ok(made) => Ok(made.into_iter().map(|inner| Ciphertext { inner: Arc::new(inner) }).collect()),
        Err(Stopped::Encode(error)) => Err(raise(error)),
        Err(Stopped::Encrypt(error)) => Err(raise(error)),
    }
}

/// A functional key made ready for many ciphertexts.
#[pyclass(frozen, module = "halflight._native")]
pub struct Predictor {
    evaluator: Arc<Evaluator>,
}

#[pymethods]
impl Predictor {
    #[new]
    fn new(py: Python<'_>, key: &FunctionalKey, network: &CompiledNetwork) -> PyResult<Self> {
        if key.inner.map() != network.inner.map() {
            let message = "the functional key opens another function than this network: ask the authority for the \
                           network's own key";
            return Err(exception("KeyMismatch", "Function", message));
        }
        let (key, network) = (key.inner.clone(), network.inner.clone());
        let evaluator = progress::run(py, None, move |_| {
            let bounds = network.bounds();
            log_table(bounds).map(|table| Evaluator::new(&key, table, bounds))
        })?;
        let evaluator = evaluator.map_err(raise)?.map_err(raise)?;
        Ok(Self { evaluator: Arc::new(evaluator) })
    }

    /// Outputs of every ciphertext, `[N, S]`.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        ciphertexts: Vec<Py<Ciphertext>>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let ciphertexts: Vec<_> = ciphertexts.iter().map(|ciphertext| ciphertext.get().inner.clone()).collect();
        let evaluator = self.evaluator.clone();
        let outputs = progress::run(py, callback, move |bar| {
            bar.begin(ciphertexts.len() as u64);
            let mut outputs = Vec::with_capacity(ciphertexts.len() * evaluator.outputs());
            for ciphertext in &ciphertexts {
                outputs.extend(evaluator.evaluate(ciphertext)?);
                bar.advance(1);
            }
            Ok(outputs)
        })?;
        arrays::matrix(py, outputs.map_err(raise::<qfe::EvaluateError>)?, self.evaluator.outputs())
    }
}

/// Tables depend on the curve only: one of each size serves the whole process.
static TABLES: Mutex<BTreeMap<u32, Arc<LogTable>>> = Mutex::new(BTreeMap::new());

/// A discrete-log table that suits the widest output.
fn log_table(bounds: &[(i64, i64)]) -> Result<Arc<LogTable>, qfe::LogTableError> {
    let widest = bounds.iter().map(|&(low, high)| i128::from(high) - i128::from(low)).max().unwrap_or(0);
    // With 2^b baby steps a search takes range / 2^(b + 2) giant steps; 22 (67 MB) is worth it from 2^32 on.
    let bits = match 128 - widest.leading_zeros() {
        0..=24 => 16,
        25..=30 => 20,
        _ => 22,
    };
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(table) = tables.get(&bits) {
        return Ok(table.clone());
    }
    let table = Arc::new(LogTable::build(bits, &Silent)?);
    tables.insert(bits, table.clone());
    Ok(table)
}
