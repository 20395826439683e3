//! Audits and single attackers.

use std::sync::Arc;

use experiments::audit::{Audited, Beside, Subject};
use experiments::{Certifier, ExperimentError};
use leakage::certificate::CertificateOptions;
use leakage::{Attribute, AuditOptions, Family, Observations};
use numpy::{PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::compiled::CompiledNetwork;
use crate::data::Dataset;
use crate::error::{Mirrored, exception, raise};
use crate::{arrays, options, progress};

/// The findings of an audit.
#[pyclass(frozen, module = "halflight._native")]
pub struct AuditReport {
    inner: Audited,
}

#[pymethods]
impl AuditReport {
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        Ok(Self { inner: options::parse(text)? })
    }

    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string_pretty(&self.inner).map_err(|error| exception("OptionError", "Json", &error.to_string()))
    }

    fn html(&self, title: &str) -> String {
        self.inner.page(title).html()
    }
}

/// Outputs as attackers get them: integers to the last bit, or floats.
#[derive(FromPyObject)]
pub enum Outputs<'py> {
    Integers(PyReadonlyArray2<'py, i64>),
    Floats(PyReadonlyArray2<'py, f32>),
}

impl Outputs<'_> {
    /// The values, and how many an item has.
    fn read(&self) -> (leakage::Outputs, usize) {
        match self {
            Self::Integers(array) => {
                let array = array.as_array();
                (array.iter().copied().collect::<Vec<i64>>().into(), array.dim().1)
            }
            Self::Floats(array) => {
                let array = array.as_array();
                (array.iter().copied().collect::<Vec<f32>>().into(), array.dim().1)
            }
        }
    }
}

/// Outputs with labels: outputs, main label, collateral attribute.
type Split<'py> = (Outputs<'py>, PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, i64>);

fn observations(split: &Split<'_>, classes: &(Vec<String>, Vec<String>)) -> PyResult<Observations> {
    let (outputs, main, collateral) = split;
    let (outputs, width) = outputs.read();
    Ok(Observations {
        outputs,
        width,
        main: arrays::labels("main", main)?,
        collateral: arrays::labels("collateral", collateral)?,
        main_classes: classes.0.clone(),
        collateral_classes: classes.1.clone(),
    })
}

/// A further attribute: its name, its values' names, and the values of both splits.
type Other<'py> = (String, Vec<String>, PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, i64>);

/// Train and test, where they are data sets.
type Items<'py> = (PyRef<'py, Dataset>, PyRef<'py, Dataset>);

#[pyfunction]
#[pyo3(signature = (train, test, classes, names, others, items, network, undefended, members, beside, families, seeds, limits, vote, control, growth, noise, callback))]
#[allow(clippy::too_many_arguments)]
pub fn audit(
    py: Python<'_>,
    train: Split<'_>,
    test: Split<'_>,
    classes: (Vec<String>, Vec<String>),
    names: (String, String),
    others: Vec<Other<'_>>,
    items: Option<Items<'_>>,
    network: Option<PyRef<'_, CompiledNetwork>>,
    undefended: Option<(Outputs<'_>, Outputs<'_>)>,
    members: Option<Split<'_>>,
    beside: (bool, bool, bool, bool),
    families: Vec<String>,
    seeds: Vec<u64>,
    limits: (Option<usize>, Option<usize>),
    vote: Vec<usize>,
    control: bool,
    growth: bool,
    noise: Vec<f64>,
    callback: Option<Py<PyAny>>,
) -> PyResult<AuditReport> {
    let (train, test) = (observations(&train, &classes)?, observations(&test, &classes)?);
    let others = others.into_iter().map(attribute).collect::<PyResult<Vec<_>>>()?;
    let members = members.map(|members| observations(&members, &classes)).transpose()?;
    let undefended = undefended.map(|(first, second)| (shown(&train, &first), shown(&test, &second)));
    let items = items.map(|(first, second)| [Arc::clone(&first.inner), Arc::clone(&second.inner)]);
    let network = network.map(|network| Arc::clone(&network.inner));
    let (reconstruction, controls, certify, repeated) = beside;
    let options = AuditOptions {
        network: names.0,
        attribute: names.1,
        families: read_families(&families)?,
        seeds,
        train_limit: limits.0,
        test_limit: limits.1,
        vote,
        shuffled_control: control,
        growth,
        noise,
        ..AuditOptions::default()
    };
    let audited = progress::run(py, callback, move |bar| {
        let data = items.as_ref().map(|[train, test]| [&**train, &**test]);
        // Found wrong before attackers start, not after.
        let certificate = match (certify, data, &network) {
            (true, Some([train, test]), Some(network)) => {
                bar.note("certifying");
                let certifier = Certifier::new(vec![&**network])?;
                let items = certifier.unseen(train, test, &options.attribute, repeated)?;
                Some(certifier.certify(&items, &CertificateOptions::default(), None)?.certificate)
            }
            _ => None,
        };
        let subject = Subject {
            seen: [&train, &test],
            data,
            names: ["train", "test"],
            network: network.as_deref(),
            undefended: undefended.as_ref().map(|(train, test)| [train, test]),
            members: members.as_ref(),
            others: &others,
        };
        let beside = Beside { reconstruction, controls };
        Ok::<_, ExperimentError>(Audited { certificate, ..experiments::audit::audit(&subject, beside, &options, bar)? })
    })?;
    audited.map(|inner| AuditReport { inner }).map_err(refused)
}

fn attribute((name, classes, train, test): Other<'_>) -> PyResult<Attribute> {
    let (train, test) = (arrays::labels(&name, &train)?, arrays::labels(&name, &test)?);
    Ok(Attribute { name, classes, train, test })
}

/// The items of `seen` with other outputs.
fn shown(seen: &Observations, outputs: &Outputs<'_>) -> Observations {
    let (outputs, width) = outputs.read();
    Observations { outputs, width, ..seen.clone() }
}

fn refused(error: ExperimentError) -> PyErr {
    match error {
        ExperimentError::Audit(error) => raise(error),
        ExperimentError::Dataset(error) => raise(error),
        ExperimentError::Schema(error) => raise(error),
        ExperimentError::Encode(error) => raise(error),
        ExperimentError::Evaluate(error) => raise(error),
        ExperimentError::Model(error) => raise(error),
        error @ (ExperimentError::NeedsItems { .. } | ExperimentError::NeedsNetwork) => {
            exception(leakage::AuditError::CLASS, "Needs", &error.to_string())
        }
        other => raise(other),
    }
}

/// Log probabilities `[rows, values]` of one fresh attacker for test rows.
#[pyfunction]
pub fn attack<'py>(
    py: Python<'py>,
    family: &str,
    train: Split<'_>,
    classes: (Vec<String>, Vec<String>),
    outputs: Outputs<'_>,
    main: PyReadonlyArray1<'_, i64>,
    seed: u64,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let values = classes.1.len();
    let train = observations(&train, &classes)?;
    let family: Family = family.parse().map_err(raise::<leakage::AuditError>)?;
    let (outputs, width) = outputs.read();
    let asked = leakage::Asked { outputs, width, main: arrays::labels("main", &main)? };
    let scores = progress::run(py, None, move |_| leakage::attack(&family, &train, &asked, seed))?;
    arrays::matrix(py, scores.map_err(raise)?, values)
}

/// Names of the families of a panel.
#[pyfunction]
pub fn families(panel: &str) -> PyResult<Vec<String>> {
    let families = match panel {
        "quick" => Family::quick(),
        "full" => Family::full(),
        other => return Err(exception("OptionError", "Panel", &format!("panel `{other}`: choose quick or full"))),
    };
    Ok(families.iter().map(Family::to_string).collect())
}

/// Names of the attackers that use an undefended network.
#[pyfunction]
pub fn decensoring() -> Vec<String> {
    experiments::audit::decensoring().iter().map(Family::to_string).collect()
}

/// A panel's own families keep their hyper-parameters; other names are read.
fn read_families(names: &[String]) -> PyResult<Vec<Family>> {
    names.iter().map(|name| name.parse().map_err(raise::<leakage::AuditError>)).collect()
}
