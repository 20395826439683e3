//! Certificates of compiled networks.

use std::sync::Arc;

use experiments::{Certifier, Source};
use leakage::certificate::{CertificateOptions, Prior};
use pyo3::prelude::*;

use crate::compiled::CompiledNetwork;
use crate::data::Dataset;
use crate::error::{exception, raise};
use crate::progress;

/// Bounds every attacker on items that the networks never saw; the certificate as JSON.
#[pyfunction]
#[pyo3(signature = (networks, data, drawn, collateral, confidence, points, votes, sampled_prior, growth, seed, overall, repeated, callback))]
#[allow(clippy::too_many_arguments)]
pub fn certify(
    py: Python<'_>,
    networks: Vec<PyRef<'_, CompiledNetwork>>,
    data: Option<PyRef<'_, Dataset>>,
    drawn: usize,
    collateral: String,
    confidence: f64,
    points: usize,
    votes: Vec<u32>,
    sampled_prior: bool,
    growth: Option<u32>,
    seed: u64,
    overall: bool,
    repeated: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<String> {
    let networks: Vec<_> = networks.iter().map(|network| Arc::clone(&network.inner)).collect();
    let data = data.map(|data| Arc::clone(&data.inner));
    let options =
        CertificateOptions { confidence, points, votes, seed, prior: sampled_prior.then_some(Prior::Sampled) };
    let certified = progress::run(py, callback, move |bar| {
        let certifier = Certifier::new(networks.iter().map(Arc::as_ref).collect())?;
        let certifier = if overall { certifier.overall() } else { certifier };
        let items = match &data {
            Some(data) => {
                let source = Source::Data { sets: &[data.as_ref()], repeated };
                certifier.items(source, &collateral, bar)?
            }
            None => certifier.items(Source::Drawn { count: drawn, seed }, &collateral, bar)?,
        };
        certifier.certify(&items, &options, growth)
    })?;
    let certified = certified.map_err(raise)?;
    serde_json::to_string(&certified).map_err(|error| exception("CertificateError", "Json", &error.to_string()))
}
