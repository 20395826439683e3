//! Integer networks: compiling, importing, evaluation in the clear.

use std::path::PathBuf;
use std::sync::Arc;

use model::{BiasColumn, ImportOptions, Inputs, IntegerMatrix, Integers, Origin};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays;
use crate::data::Dataset;
use crate::encoder::Encoder;
use crate::error::{exception, raise};
use crate::pool::detached;

/// The integer network: the quadratic map that a functional key opens, and the public head that reads it.
#[pyclass(frozen, module = "halflight._native")]
pub struct CompiledNetwork {
    pub(crate) inner: Arc<model::CompiledNetwork>,
}

impl From<model::CompiledNetwork> for CompiledNetwork {
    fn from(inner: model::CompiledNetwork) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

#[pymethods]
impl CompiledNetwork {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        detached(py, || model::CompiledNetwork::load(&path))?.map(Self::from).map_err(raise)
    }

    /// Integers in memory; the biases are in the first column.
    #[staticmethod]
    #[pyo3(signature = (left, right, combine, encoder, low, classes, main))]
    #[allow(clippy::too_many_arguments)]
    fn from_integers(
        py: Python<'_>,
        left: PyReadonlyArray2<'_, i32>,
        right: Option<PyReadonlyArray2<'_, i32>>,
        combine: PyReadonlyArray2<'_, i32>,
        encoder: &Encoder,
        low: i64,
        classes: Option<Vec<String>>,
        main: String,
    ) -> PyResult<Self> {
        let inputs = Inputs::Encoder(Box::new((*encoder.inner).clone()));
        let options = ImportOptions { inputs, low, bias: BiasColumn::First, constant: 1, classes, main };
        let matrix = |given: &PyReadonlyArray2<'_, i32>| IntegerMatrix {
            shape: given.as_array().dim(),
            values: given.as_array().iter().copied().collect(),
        };
        let (left, right, combine) = (matrix(&left), right.as_ref().map(matrix), matrix(&combine));
        let integers = Integers { left, right, combine };
        detached(py, || model::CompiledNetwork::from_integers(integers, &options))?.map(Self::from).map_err(raise)
    }

    /// Reads an imported integer network; the biases are in the first column.
    #[staticmethod]
    #[pyo3(signature = (path, encoder, low, classes, main))]
    fn import_file(
        py: Python<'_>,
        path: PathBuf,
        encoder: &Encoder,
        low: i64,
        classes: Option<Vec<String>>,
        main: String,
    ) -> PyResult<Self> {
        let inputs = Inputs::Encoder(Box::new((*encoder.inner).clone()));
        let options = ImportOptions { inputs, low, bias: BiasColumn::First, constant: 1, classes, main };
        detached(py, || model::CompiledNetwork::import(&path, &options))?.map(Self::from).map_err(raise)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        detached(py, || self.inner.save(&path))?.map_err(raise)
    }

    #[getter]
    fn encoder(&self) -> Encoder {
        self.inner.encoder().clone().into()
    }

    #[getter]
    fn inputs(&self) -> (usize, usize) {
        self.inner.inputs()
    }

    #[getter]
    fn units(&self) -> usize {
        self.inner.units()
    }

    #[getter]
    fn width(&self) -> usize {
        self.inner.outputs()
    }

    #[getter]
    fn main(&self) -> &str {
        self.inner.main()
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        self.inner.classes().to_vec()
    }

    #[getter]
    fn is_squares(&self) -> bool {
        self.inner.is_squares()
    }

    #[getter]
    fn bounds(&self) -> Vec<(i64, i64)> {
        self.inner.bounds().to_vec()
    }

    #[getter]
    fn exact_bounds(&self) -> Vec<(i128, i128)> {
        self.inner.exact_bounds().to_vec()
    }

    #[getter]
    fn hash(&self) -> String {
        self.inner.hash().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The compilation report as JSON, or nothing for an imported network.
    #[getter]
    fn report(&self) -> Option<String> {
        match self.inner.origin() {
            Origin::Compiled { report, .. } => Some(report.get().to_owned()),
            Origin::Imported { .. } => None,
        }
    }

    fn matrices<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyArray2<i32>>, Bound<'py, PyArray2<i32>>, Bound<'py, PyArray2<i32>>)> {
        let (n, m) = self.inner.inputs();
        let matrix = |values: &[i32], columns| arrays::matrix(py, values.to_vec(), columns);
        Ok((
            matrix(self.inner.left(), n)?,
            matrix(self.inner.right(), m)?,
            matrix(self.inner.combine(), self.inner.units())?,
        ))
    }

    fn evaluate<'py>(&self, py: Python<'py>, data: &Dataset) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let outputs = detached(py, || self.inner.evaluate_all(&*data.inner))?.map_err(raise)?;
        arrays::matrix(py, outputs, self.inner.outputs())
    }

    fn evaluate_encoded<'py>(
        &self,
        py: Python<'py>,
        u: PyReadonlyArray1<'_, i64>,
        v: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let encoded = encoder::Encoded { u: u.as_array().to_vec(), v: v.as_array().to_vec() };
        Ok(PyArray1::from_vec(py, self.inner.evaluate(&encoded).map_err(raise)?))
    }

    fn head<'py>(&self, py: Python<'py>, outputs: PyReadonlyArray2<'_, i64>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (rows, width) = outputs.as_array().dim();
        if width != self.inner.outputs() {
            let message = format!("`outputs` has {width} columns, and this network gives {}", self.inner.outputs());
            return Err(exception("EvaluateError", "Length", &message));
        }
        let classes = self.inner.classes().len();
        if rows == 0 {
            return PyArray1::from_vec(py, Vec::new()).reshape([0, classes]);
        }
        let values: Vec<i64> = outputs.as_array().iter().copied().collect();
        let probabilities = detached(py, || self.inner.probabilities(&values))?.map_err(raise)?;
        arrays::matrix(py, probabilities, classes)
    }

    fn accuracy(&self, py: Python<'_>, data: &Dataset) -> PyResult<f64> {
        let labels = data.inner.labels(self.inner.main()).map_err(raise)?;
        detached(py, || self.inner.accuracy(&*data.inner, &labels.values))?.map_err(raise)
    }
}
