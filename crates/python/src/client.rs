//! The owner's client of a predictor: pins, encrypts, seals, counts, sends.

use std::path::PathBuf;
use std::sync::Arc;

use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use serde::Deserialize;
use service::hash::Hash;
use service::owner::{Connection, ConnectionOptions, Limits, OwnerClient, OwnerClientError, OwnerOptions};
use service::signature::{SigningKey, VerifyingKey};

use crate::data::Dataset;
use crate::error::{Mirrored, exception, raise};
use crate::progress::Aside;
use crate::{arrays, options, progress};

/// The options that Python passes as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    url: String,
    model: String,
    folder: PathBuf,
    pin: Option<String>,
    authority: Option<String>,
    project: Option<String>,
    recipient: String,
    context: String,
    subject: String,
    sign: Option<PathBuf>,
    token: Option<String>,
    server_authorities: Option<PathBuf>,
    certificate: Option<(PathBuf, PathBuf)>,
    auditor: Option<String>,
    warn_items: Option<u64>,
    most_items: Option<u64>,
    most_accuracy: Option<f64>,
}

/// A connection to one model of one predictor.
#[pyclass(frozen, module = "halflight._native")]
pub struct Client {
    inner: Arc<OwnerClient>,
}

/// Outputs, probabilities, labels, and the count as JSON.
type Answers<'py> = (Bound<'py, PyArray2<i64>>, Bound<'py, PyArray2<f32>>, Vec<String>, String);

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(field: &str, text: Option<String>) -> PyResult<Option<T>> {
    let parsed = text.map(|text| text.trim().parse()).transpose();
    parsed.map_err(|error| exception("OptionError", "Option", &format!("`{field}`: {error}")))
}

#[pymethods]
impl Client {
    #[staticmethod]
    fn connect(py: Python<'_>, given: &str, callback: Option<Py<PyAny>>) -> PyResult<Self> {
        let given: Given = options::parse(given)?;
        let pin: Option<Hash> = read("pin", given.pin)?;
        let authority: Option<VerifyingKey> = read("authority", given.authority)?;
        let auditor: Option<VerifyingKey> = read("auditor", given.auditor)?;
        let connection = ConnectionOptions {
            url: given.url,
            token: given.token,
            authorities: given.server_authorities,
            certificate: given.certificate,
        };
        let limits =
            Limits { warn_items: given.warn_items, most_items: given.most_items, most_accuracy: given.most_accuracy };
        let chosen = OwnerOptions {
            model: given.model,
            pin,
            authority,
            project: given.project,
            recipient: given.recipient,
            context: given.context,
            subject: given.subject,
            limits,
            auditor,
        };
        let (folder, sign) = (given.folder, given.sign);
        let connected = progress::run(py, callback, move |bar| -> Result<_, String> {
            let sender = sign.as_deref().map(SigningKey::load).transpose();
            let sender = sender.map_err(|error| error.to_string())?;
            let connection = Connection::new(connection).map_err(|error| error.to_string())?;
            Ok(OwnerClient::connect(connection, chosen, &folder, sender, &Aside(bar)))
        })?;
        let connected = connected.map_err(|message| exception(OwnerClientError::CLASS, "Connection", &message))?;
        Ok(Self { inner: Arc::new(connected.map_err(raise)?) })
    }

    #[getter]
    fn pin(&self) -> String {
        self.inner.parameters().pin().to_string()
    }

    #[getter]
    fn public_key(&self) -> String {
        self.inner.parameters().public_key.to_string()
    }

    /// Sends items of a data set.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        data: &Dataset,
        items: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Answers<'py>> {
        data.inner.check_encoder(&self.inner.parameters().encoder).map_err(raise)?;
        let count = data.inner.len();
        let inside = |&item: &i64| {
            let inside = usize::try_from(item).ok().filter(|&item| item < count);
            inside.ok_or_else(|| PyIndexError::new_err(format!("item {item}: the data set holds {count} items")))
        };
        let items = items.as_array().iter().map(inside).collect::<PyResult<Vec<usize>>>()?;
        let (client, data) = (Arc::clone(&self.inner), Arc::clone(&data.inner));
        let found = progress::run(py, None, move |_| {
            let images: Vec<&[u8]> = items.iter().map(|&item| data.image(item)).collect();
            client.predict(&images)
        })?;
        let (answers, reading) = found.map_err(raise)?;
        let reading =
            serde_json::to_string(&reading).map_err(|error| exception("OptionError", "Json", &error.to_string()))?;
        let (width, classes) =
            answers.first().map_or((0, 0), |answer| (answer.output.len(), answer.probabilities.len()));
        let outputs = answers.iter().flat_map(|answer| answer.output.iter().copied()).collect();
        let probabilities = answers.iter().flat_map(|answer| answer.probabilities.iter().copied()).collect();
        let labels = answers.into_iter().map(|answer| answer.label).collect();
        Ok((arrays::matrix(py, outputs, width)?, arrays::matrix(py, probabilities, classes)?, labels, reading))
    }
}
