//! Encoders: from an image to the small integers that an owner encrypts.

use std::sync::Arc;

use encoder::{EncoderOptions, Normalise, Transform};
use numpy::PyArray2;
use pyo3::prelude::*;
use rayon::prelude::*;
use serde::Deserialize;

use crate::data::Dataset;
use crate::error::raise;
use crate::pool::detached;
use crate::{arrays, options};

/// The public rule that turns an image into integers.
#[pyclass(frozen, module = "halflight._native")]
pub struct Encoder {
    pub(crate) inner: Arc<encoder::Encoder>,
}

impl From<encoder::Encoder> for Encoder {
    fn from(inner: encoder::Encoder) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

/// [`EncoderOptions`] from Python.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    bits: u32,
    pooling: usize,
    low: Option<f32>,
    high: Option<f32>,
    /// Take `low` and `high` from the data.
    fitted_range: bool,
    drop_dead: bool,
    right: Option<usize>,
    per_column: bool,
    dct: Option<(usize, usize)>,
    pca: Option<usize>,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            bits: 4,
            pooling: 1,
            low: None,
            high: None,
            fitted_range: false,
            drop_dead: true,
            right: None,
            per_column: false,
            dct: None,
            pca: None,
        }
    }
}

/// Options from JSON; `data` is used for a fitted range.
pub fn read_options(text: &str, data: &dataset::Dataset) -> PyResult<EncoderOptions> {
    let given: Given = options::parse(text)?;
    let standard = EncoderOptions::default();
    let transform = match (given.dct, given.pca) {
        (Some((rows, columns)), _) => Transform::Dct { rows, columns },
        (None, Some(components)) => Transform::Pca { components },
        (None, None) => Transform::Cells,
    };
    let options = EncoderOptions {
        bits: given.bits,
        pooling: given.pooling,
        low: given.low.unwrap_or(standard.low),
        high: given.high.unwrap_or(standard.high),
        drop_dead: given.drop_dead,
        right: given.right,
        normalise: if given.per_column { Normalise::PerColumn } else { Normalise::PerImage },
        transform,
    };
    if given.fitted_range { options.with_fitted_range(data).map_err(raise) } else { Ok(options) }
}

#[pymethods]
impl Encoder {
    #[staticmethod]
    fn fit(py: Python<'_>, data: &Dataset, options: &str) -> PyResult<Self> {
        let options = read_options(options, &data.inner)?;
        let data = data.inner.clone();
        detached(py, || encoder::Encoder::fit(&*data, &options))?.map(Self::from).map_err(raise)
    }

    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        options::parse::<encoder::Encoder>(text).map(Self::from)
    }

    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string(&*self.inner)
            .map_err(|error| crate::error::exception("OptionError", "Json", &error.to_string()))
    }

    #[getter]
    fn inputs(&self) -> (usize, usize) {
        self.inner.inputs()
    }

    #[getter]
    fn grid(&self) -> (f32, f32, u32) {
        self.inner.grid()
    }

    #[getter]
    fn size(&self) -> (usize, usize) {
        (self.inner.height(), self.inner.width())
    }

    #[getter]
    fn right(&self) -> Vec<usize> {
        self.inner.right().to_vec()
    }

    fn standardise<'py>(&self, py: Python<'py>, data: &Dataset) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let columns = self.inner.features();
        let rows = detached(py, || -> Result<Vec<f32>, encoder::EncodeError> {
            let mut rows = vec![0.0; data.inner.len() * columns];
            let each = rows.par_chunks_exact_mut(columns).enumerate();
            each.try_for_each(|(item, row)| self.inner.standardise(data.inner.image(item), row))?;
            Ok(rows)
        })?;
        arrays::matrix(py, rows.map_err(raise)?, columns)
    }

    fn encode<'py>(
        &self,
        py: Python<'py>,
        data: &Dataset,
    ) -> PyResult<(Bound<'py, PyArray2<i64>>, Bound<'py, PyArray2<i64>>)> {
        let (n, m) = self.inner.inputs();
        let encoded = detached(py, || -> Result<Vec<encoder::Encoded>, encoder::EncodeError> {
            (0..data.inner.len()).into_par_iter().map(|item| self.inner.encode(data.inner.image(item))).collect()
        })?;
        let (mut u, mut v) = (Vec::with_capacity(n * data.inner.len()), Vec::with_capacity(m * data.inner.len()));
        for item in encoded.map_err(raise)? {
            u.extend(item.u);
            v.extend(item.v);
        }
        Ok((arrays::matrix(py, u, n)?, arrays::matrix(py, v, m)?))
    }
}
