//! Data sets.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use dataset::draw::{DrawSpec, FontSpec, Generator};
use dataset::sheet::{self, SheetOptions};
use dataset::{Labels, Summary};
use numpy::{PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::raise;
use crate::pool::detached;
use crate::{arrays, options, progress};

/// Grey images of one size with label columns.
#[pyclass(frozen, subclass, module = "halflight._native")]
pub struct Dataset {
    pub(crate) inner: Arc<dataset::Dataset>,
}

impl From<dataset::Dataset> for Dataset {
    fn from(inner: dataset::Dataset) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

/// A label column from Python: name, class names, class indices.
type Column<'py> = (String, Vec<String>, PyReadonlyArray1<'py, i64>);

#[pymethods]
impl Dataset {
    #[new]
    fn new(
        images: PyReadonlyArray3<'_, u8>,
        columns: Vec<Column<'_>>,
        about: BTreeMap<String, String>,
    ) -> PyResult<Self> {
        let &[_, height, width] = images.shape() else {
            return Err(PyValueError::new_err("`images` must have three axes: items, rows, columns"));
        };
        let view = images.as_array();
        let pixels = view.as_slice().map_or_else(|| view.iter().copied().collect(), <[u8]>::to_vec);
        let columns = columns.into_iter().map(|(name, classes, values)| {
            let values = arrays::labels(&name, &values)?;
            Ok(Labels { name, classes, values })
        });
        let columns = columns.collect::<PyResult<Vec<_>>>()?;
        dataset::Dataset::new(height, width, pixels, columns, about).map(Self::from).map_err(raise)
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        detached(py, || dataset::Dataset::load(&path))?.map(Self::from).map_err(raise)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        detached(py, || self.inner.save(&path))?.map_err(raise)
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    #[getter]
    fn images<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let data = &self.inner;
        PyArray1::from_slice(py, data.images()).reshape([data.len(), data.height(), data.width()])
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.inner.columns().iter().map(|column| column.name.clone()).collect()
    }

    #[getter]
    fn about(&self) -> BTreeMap<String, String> {
        self.inner.about().clone()
    }

    /// How the columns were made from a table, as JSON.
    #[getter]
    fn schema(&self) -> Option<String> {
        self.inner.whole_schema().and_then(|schema| serde_json::to_string(&schema).ok())
    }

    /// Names of the features of a table.
    #[getter]
    fn features(&self) -> Option<Vec<String>> {
        self.inner.features().map(|features| features.names.clone())
    }

    #[getter]
    fn size(&self) -> (usize, usize) {
        (self.inner.height(), self.inner.width())
    }

    fn labels<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let column = self.inner.labels(name).map_err(raise)?;
        Ok(arrays::indices(py, &column.values))
    }

    fn classes(&self, name: &str) -> PyResult<Vec<String>> {
        Ok(self.inner.labels(name).map_err(raise)?.classes.clone())
    }

    fn subset(&self, items: PyReadonlyArray1<'_, i64>) -> PyResult<Self> {
        let count = self.inner.len();
        let inside = |&item: &i64| {
            let inside = usize::try_from(item).ok().filter(|&item| item < count);
            inside.ok_or_else(|| PyIndexError::new_err(format!("item {item}: the data set holds {count} items")))
        };
        let items = items.as_array().iter().map(inside).collect::<PyResult<Vec<usize>>>()?;
        Ok(self.inner.subset(&items).into())
    }

    fn split(&self, share: f64, balance: Vec<String>, seed: u64) -> PyResult<(Self, Self)> {
        let balance: Vec<&str> = balance.iter().map(String::as_str).collect();
        let (rest, held) = self.inner.split(share, &balance, seed).map_err(raise)?;
        Ok((rest.into(), held.into()))
    }

    fn sheet<'py>(&self, py: Python<'py>, columns: usize, rows: usize) -> PyResult<Bound<'py, PyBytes>> {
        let png = detached(py, || sheet::png(&self.inner, &SheetOptions { columns, rows }))?.map_err(raise)?;
        Ok(PyBytes::new(py, &png))
    }

    fn summary(&self) -> String {
        Summary::of(&self.inner).to_string()
    }
}

#[pyfunction]
#[pyo3(signature = (count, seed, specification, fonts, pairs, callback))]
pub fn draw(
    py: Python<'_>,
    count: usize,
    seed: u64,
    specification: &str,
    fonts: Vec<String>,
    pairs: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<Dataset> {
    let fonts = fonts.iter().map(|font| FontSpec::parse(font)).collect();
    let specification = DrawSpec { fonts, ..options::overlay(&DrawSpec::default(), specification)? };
    let generator = Generator::new(&specification).map_err(raise)?;
    reserve(count, if pairs { specification.fonts.len() } else { 1 }, &specification)?;
    progress::run(py, callback, move |bar| match pairs {
        true => generator.draw_pairs(count, seed, bar),
        false => generator.draw(count, seed, bar),
    })
    .map(Dataset::from)
}

/// Refuses images that do not fit in memory; a failed allocation would end the process.
fn reserve(count: usize, group: usize, specification: &DrawSpec) -> PyResult<()> {
    let item = specification.height * specification.width + 2 * size_of::<u32>();
    let bytes = count.checked_mul(group).and_then(|items| items.checked_mul(item));
    let room = bytes.and_then(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).ok());
    room.ok_or_else(|| PyMemoryError::new_err(format!("`count` is {count}: so many images do not fit in memory")))
}

#[pyfunction]
pub fn handwriting() -> Dataset {
    dataset::handwriting::digits().into()
}

#[pyfunction]
pub fn read_idx(py: Python<'_>, images: PathBuf, labels: PathBuf) -> PyResult<Dataset> {
    detached(py, || dataset::idx::read(&images, &labels))?.map(Dataset::from).map_err(raise)
}
