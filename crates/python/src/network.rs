//! Networks in floats and their training.

use std::path::PathBuf;
use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use training::{Checkpoint, Fresh, TrainOptions};

use crate::data::Dataset;
use crate::encoder::{self, Encoder};
use crate::error::{exception, raise};
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

#[pymethods]
impl Network {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| training::Network::load(&path)).map(Self::from).map_err(raise)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.inner.save(&path)).map_err(raise)
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
        let outputs = py.detach(|| self.inner.outputs(&data.inner)).map_err(raise)?;
        arrays::matrix(py, outputs, self.inner.width())
    }

    fn head<'py>(&self, py: Python<'py>, outputs: PyReadonlyArray2<'_, f32>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (rows, width) = outputs.as_array().dim();
        if width != self.inner.width() {
            let message = format!("`outputs` has {width} columns, and this network gives {}", self.inner.width());
            return Err(exception("EvaluateError", "Length", &message));
        }
        let values: Vec<f32> = outputs.as_array().iter().copied().collect();
        let probabilities = if rows == 0 { Vec::new() } else { py.detach(|| self.inner.probabilities(&values)) };
        arrays::matrix(py, probabilities, self.inner.classes().len())
    }

    fn predict<'py>(&self, py: Python<'py>, data: &Dataset) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let predicted = py.detach(|| self.inner.predict(&data.inner)).map_err(raise)?;
        Ok(arrays::indices(py, &predicted))
    }

    fn accuracy(&self, py: Python<'_>, data: &Dataset) -> PyResult<f64> {
        py.detach(|| self.inner.accuracy(&data.inner)).map_err(raise)
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
    let defence = options::defence(defence)?;
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
    base.defence = options::over_defence(&base.defence, defence_options)?;
    let mut chosen = options::overlay(&base, given)?;
    chosen.encoder = encoder::read_options(encoder, &data.inner)?;
    chosen.checkpoint = checkpoint.map(|path| Checkpoint { path, every: 200 });
    if fresh {
        let about = data.inner.about().get("specification").ok_or_else(|| {
            exception(
                "OptionError",
                "Fresh",
                "fresh: these data were not drawn by `draw`, so that no more can be drawn",
            )
        })?;
        chosen.fresh = Some(Fresh { specification: options::parse(about)?, ..Fresh::default() });
    }
    let (data, validation) = (data.inner.clone(), validation.inner.clone());
    progress::run(py, callback, move |bar| training::train(&data, &validation, &chosen, bar))?
        .map(Network::from)
        .map_err(raise)
}

/// Name and text of every defence.
#[pyfunction]
pub fn defences() -> Vec<(&'static str, &'static str)> {
    training::Defence::kinds().collect()
}
