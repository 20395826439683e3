//! Audits and single attackers.

use leakage::{AuditOptions, Family, Observations};
use numpy::{PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use report::Page;

use crate::error::{exception, raise};
use crate::{arrays, options, progress};

/// What an audit found.
#[pyclass(frozen, module = "halflight._native")]
pub struct AuditReport {
    inner: leakage::AuditReport,
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
        Page::new(title).report(&self.inner).html()
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

#[pyfunction]
#[pyo3(signature = (train, test, classes, names, families, seeds, limits, vote, control, growth, noise, callback))]
#[allow(clippy::too_many_arguments)]
pub fn audit(
    py: Python<'_>,
    train: Split<'_>,
    test: Split<'_>,
    classes: (Vec<String>, Vec<String>),
    names: (String, String),
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
    progress::run(py, callback, move |bar| leakage::audit(&train, &test, &options, bar))?
        .map(|inner| AuditReport { inner })
        .map_err(raise)
}

/// Log probabilities `[rows, values]` that one fresh attacker gives to test rows.
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

/// A panel's own families keep their hyper-parameters; other names are read.
fn read_families(names: &[String]) -> PyResult<Vec<Family>> {
    names.iter().map(|name| name.parse().map_err(raise::<leakage::AuditError>)).collect()
}
