//! Checks one condition of one option.

use super::TrainError;

/// Refuses the option `field` unless the condition holds.
pub(crate) fn require(holds: bool, field: &'static str, value: impl ToString, remedy: &str) -> Result<(), TrainError> {
    if holds {
        return Ok(());
    }
    Err(TrainError::Option { field, value: value.to_string(), remedy: remedy.to_string() })
}
