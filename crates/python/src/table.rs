//! Tables from files, read by the library's own rules.

use std::path::PathBuf;

use dataset::import::{self, ArrayOptions, TableOptions};
use pyo3::prelude::*;
use serde_json::json;

use crate::data::Dataset;
use crate::error::{exception, raise};
use crate::{options, progress};

/// Reads a table; returns as JSON what was left out, and which values a rule replaced.
#[pyfunction]
#[pyo3(signature = (path, kind, given, items, like, skip_bad, callback))]
#[allow(clippy::too_many_arguments)]
pub fn read_table(
    py: Python<'_>,
    path: PathBuf,
    kind: &str,
    given: &str,
    items: String,
    like: Option<PyRef<'_, Dataset>>,
    skip_bad: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<(Dataset, String)> {
    let mut chosen: TableOptions = options::overlay(&TableOptions::default(), given)?;
    if let Some(like) = like {
        let schema = like.inner.whole_schema().ok_or_else(|| {
            exception("OptionError", "Schema", "`like` was not read from a table: give a result of `read_table`")
        })?;
        chosen.rules.like = Some(schema);
    }
    let arrays = kind == "npz";
    let read = progress::run(py, callback, move |bar| {
        if arrays {
            let TableOptions { labels, rules, quantile, .. } = chosen;
            let options = ArrayOptions { items, labels, quantile: !quantile.is_empty(), rules };
            return import::npz(&path, &options, skip_bad, bar);
        }
        import::csv(&path, &chosen, skip_bad, bar)
    })?;
    let import::Imported { data, skipped, filtered, handled, ignored } = read.map_err(raise)?;
    let told = json!({ "skipped": skipped, "filtered": filtered, "handled": handled, "ignored": ignored });
    Ok((data.into(), told.to_string()))
}
