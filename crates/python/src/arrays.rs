//! Between numpy arrays and rows of numbers.

use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A `[rows, columns]` array that takes ownership of the vector without a copy.
pub fn matrix<T: Element>(py: Python<'_>, values: Vec<T>, columns: usize) -> PyResult<Bound<'_, PyArray2<T>>> {
    let rows = values.len().checked_div(columns).unwrap_or(0);
    PyArray1::from_vec(py, values).reshape([rows, columns])
}

/// Labels as they travel in Python: i64.
pub fn indices<'py>(py: Python<'py>, values: &[u32]) -> Bound<'py, PyArray1<i64>> {
    PyArray1::from_iter(py, values.iter().map(|&value| i64::from(value)))
}

/// Class indices from an i64 array; `field` is for the message.
pub fn labels(field: &str, values: &PyReadonlyArray1<'_, i64>) -> PyResult<Vec<u32>> {
    values
        .as_array()
        .iter()
        .enumerate()
        .map(|(item, &value)| {
            let refuse = || format!("`{field}` has the value {value} at item {item}: class indices go from 0");
            u32::try_from(value).map_err(|_| PyValueError::new_err(refuse()))
        })
        .collect()
}
