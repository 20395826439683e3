//! Options from Python as JSON: a preset overridden by the given fields.

use pyo3::PyResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::exception;

/// `preset` with the fields of the JSON object `given` instead of its own. Nested objects are merged too, except
/// choices such as `defence`, which are replaced.
pub fn overlay<T: Serialize + DeserializeOwned>(preset: &T, given: &str) -> PyResult<T> {
    let mut options = serde_json::to_value(preset).map_err(refuse)?;
    lay(&mut options, parse(given)?);
    serde_json::from_value(options).map_err(refuse)
}

/// JSON text as a value of any type.
pub fn parse<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(refuse)
}

fn lay(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(inner) if key == "precision" => lay(inner, value),
                    _ => drop(below.insert(key, value)),
                }
            }
        }
        (below, above) => *below = above,
    }
}

fn refuse(error: serde_json::Error) -> pyo3::PyErr {
    exception("OptionError", "Option", &format!("options: {error}"))
}
