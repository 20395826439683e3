//! Whole files.

use std::path::PathBuf;

use host::files::{self, Access};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::raise;

/// Writes a file or nothing; a secret one is readable by its owner only.
#[pyfunction]
pub fn write_file(py: Python<'_>, path: PathBuf, content: PyBackedBytes, secret: bool) -> PyResult<()> {
    let access = if secret { Access::Secret } else { Access::Ordinary };
    py.detach(|| files::write(&path, &content, access)).map_err(raise)
}
