//! Networks in floats and their training.

use std::path::PathBuf;
use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use rayon::prelude::*;
use training::{Affine, Checkpoint, CompileOptions, Defence, Fresh, NetworkParts, TrainError, TrainOptions};

use crate::compiled::CompiledNetwork;
use crate::data::Dataset;
use crate::encoder::{self, Encoder};
use crate::error::{exception, raise};
use crate::pool::detached;
use crate::{arrays, options, progress};

/// A trained network in floats: encoder, private part, public head, record.
#[pyclass(frozen, module = "halflight._native")]
pub struct Network {
    pub(crate) inner: Arc<training::Network>,
}

impl From<training::Network> for Network {
    fn from(inner: training::Network) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

/// A layer: weight `[out, in]`, bias `[out]`.
type Layer<'py> = (PyReadonlyArray2<'py, f32>, PyReadonlyArray1<'py, f32>);

fn affine((weight, bias): &Layer<'_>) -> Affine {
    Affine {
        inputs: weight.as_array().ncols(),
        weight: weight.as_array().iter().copied().collect(),
        bias: bias.as_array().to_vec(),
    }
}

#[pymethods]
impl Network {
    /// A network trained elsewhere; its accuracy is measured on `data`.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)]
    fn from_parts(
        py: Python<'_>,
        left: Layer<'_>,
        right: Option<Layer<'_>>,
        combine: Layer<'_>,
        head: Vec<Layer<'_>>,
        encoder: &Encoder,
        data: &Dataset,
        names: (String, Vec<String>, String),
    ) -> PyResult<Self> {
        let (main, collateral, source) = names;
        let parts = NetworkParts {
            left: affine(&left),
            right: right.as_ref().map(affine),
            combine: affine(&combine),
            head: head.iter().map(affine).collect(),
            encoder: (*encoder.inner).clone(),
            main,
            collateral,
            source,
        };
        detached(py, || training::Network::from_parts(parts, &data.inner))?.map(Self::from).map_err(raise)
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        detached(py, || training::Network::load(&path))?.map(Self::from).map_err(raise)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        detached(py, || self.inner.save(&path))?.map_err(raise)
    }

    #[getter]
    fn units(&self) -> usize {
        self.inner.units()
    }

    #[getter]
    fn width(&self) -> usize {
        self.inner.width()
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        self.inner.classes().to_vec()
    }

    #[getter]
    fn encoder(&self) -> Encoder {
        self.inner.encoder().clone().into()
    }

    #[getter]
    fn record(&self) -> PyResult<String> {
        serde_json::to_string(self.inner.record()).map_err(|error| exception("OptionError", "Json", &error.to_string()))
    }

    fn outputs<'py>(&self, py: Python<'py>, data: &Dataset) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let outputs = detached(py, || self.inner.outputs(&data.inner))?.map_err(raise)?;
        arrays::matrix(py, outputs, self.inner.width())
    }

    fn head<'py>(&self, py: Python<'py>, outputs: PyReadonlyArray2<'_, f32>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (rows, width) = outputs.as_array().dim();
        if width != self.inner.width() {
            let message = format!("`outputs` has {width} columns, and this network gives {}", self.inner.width());
            return Err(exception("EvaluateError", "Length", &message));
        }
        let values: Vec<f32> = outputs.as_array().iter().copied().collect();
        let probabilities = if rows == 0 { Vec::new() } else { detached(py, || self.inner.probabilities(&values))? };
        arrays::matrix(py, probabilities, self.inner.classes().len())
    }

    fn predict<'py>(&self, py: Python<'py>, data: &Dataset) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let predicted = detached(py, || self.inner.predict(&data.inner))?.map_err(raise)?;
        Ok(arrays::indices(py, &predicted))
    }

    fn accuracy(&self, py: Python<'_>, data: &Dataset) -> PyResult<f64> {
        detached(py, || self.inner.accuracy(&data.inner))?.map_err(raise)
    }
}

#[pyfunction]
#[pyo3(signature = (data, validation, preset, defence, defence_options, given, encoder, fresh, checkpoint, callback))]
#[allow(clippy::too_many_arguments)]
pub fn train(
    py: Python<'_>,
    data: &Dataset,
    validation: &Dataset,
    preset: &str,
    defence: &str,
    defence_options: &str,
    given: &str,
    encoder: &str,
    fresh: bool,
    checkpoint: Option<PathBuf>,
    callback: Option<Py<PyAny>>,
) -> PyResult<Network> {
    let defence = named(defence)?;
    let mut base = match preset {
        "quick" => TrainOptions::quick(defence),
        "thorough" => TrainOptions::thorough(defence),
        "paper" => TrainOptions::paper(defence),
        other => {
            return Err(exception(
                "OptionError",
                "Preset",
                &format!("preset `{other}`: choose quick, thorough or paper"),
            ));
        }
    };
    base.defence = over(&base.defence, defence_options)?;
    let mut chosen = options::overlay(&base, given)?;
    chosen.encoder = encoder::read_options(encoder, &data.inner)?;
    chosen.checkpoint = checkpoint.map(|path| Checkpoint { path, every: 200 });
    if fresh {
        let about = data.inner.about().get("specification").ok_or_else(|| {
            exception("OptionError", "Fresh", "fresh: these data were not drawn by `draw`, so no more can be drawn")
        })?;
        chosen.fresh = Some(Fresh { specification: options::parse(about)?, ..Fresh::default() });
    }
    let (data, validation) = (data.inner.clone(), validation.inner.clone());
    progress::run(py, callback, move |bar| training::train(&data, &validation, &chosen, bar))?
        .map(Network::from)
        .map_err(raise)
}

/// The defence of this name.
fn named(name: &str) -> PyResult<Defence> {
    name.parse().map_err(|error: TrainError| exception("OptionError", "Defence", &error.to_string()))
}

/// `preset` with the given options instead of its own, where it has options.
fn over(preset: &Defence, given: &str) -> PyResult<Defence> {
    let given = preset.with_options(&options::parse(given)?);
    given.map_err(|error| exception("OptionError", "Defence", &error.to_string()))
}

#[pyfunction]
pub fn compile(
    py: Python<'_>,
    network: &Network,
    data: &Dataset,
    preset: &str,
    given: &str,
    callback: Option<Py<PyAny>>,
) -> PyResult<CompiledNetwork> {
    let base = match preset {
        "quick" => CompileOptions::quick(),
        "thorough" => CompileOptions::thorough(),
        other => {
            return Err(exception("OptionError", "Preset", &format!("preset `{other}`: choose quick or thorough")));
        }
    };
    let chosen = options::overlay(&base, given)?;
    let (network, data) = (network.inner.clone(), data.inner.clone());
    progress::run(py, callback, move |bar| training::compile(&network, &data, &chosen, bar))?
        .map(|(compiled, _)| compiled.into())
        .map_err(raise)
}

/// Name and description of every defence.
#[pyfunction]
pub fn defences() -> Vec<(&'static str, &'static str)> {
    training::Defence::kinds().collect()
}

/// For each row the scale that loses least when it is rounded to `bits`, signs included.
#[pyfunction]
pub fn best_scales<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'_, f64>,
    importance: PyReadonlyArray1<'_, f64>,
    bits: u32,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let largest = match bits {
        2..=16 => (1 << (bits - 1)) - 1,
        _ => {
            let message = format!("precision is {bits}: choose from 2 to 16 bits");
            return Err(exception("ImportFailed", "Precision", &message));
        }
    };
    let (rows, importance) = (rows.as_array(), importance.as_array());
    if rows.ncols() != importance.len() {
        let message = format!("rows have {} columns and there are {} weights", rows.ncols(), importance.len());
        return Err(exception("ImportFailed", "Length", &message));
    }
    let rows: Vec<Vec<f64>> = rows.rows().into_iter().map(|row| row.to_vec()).collect();
    // Only proportions matter: scale into the range of 32 bits.
    let reach = |values: &[f64]| values.iter().fold(0.0_f64, |reach, value| reach.max(value.abs()));
    let share = |values: &[f64], whole: f64| values.iter().map(|value| (value / whole) as f32).collect::<Vec<f32>>();
    let importance = importance.to_vec();
    let most = reach(&importance);
    let importance = share(&importance, if most > 0.0 { most } else { 1.0 });
    let scales = detached(py, || {
        let scale = |row: &Vec<f64>| match reach(row) {
            reach if reach > 0.0 && reach.is_finite() => {
                reach * f64::from(training::best_scale(&share(row, reach), &importance, largest))
            }
            _ => 1.0,
        };
        rows.par_iter().map(scale).collect::<Vec<f64>>()
    })?;
    Ok(PyArray1::from_vec(py, scales))
}
