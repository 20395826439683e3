//! The flags for what an error of a library asks for: the libraries know of no command.

use std::error::Error;

use dataset::SchemaError;
use dataset::import::{ImportError, OverBudget};
use dataset::schema::SchemaFileError;

/// What the message of an error ends with: the flags of the first cause that has any.
pub fn flags(error: &anyhow::Error) -> String {
    error.chain().find_map(flags_of).map_or(String::new(), |flags| format!(" ({flags})"))
}

fn flags_of(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if cause.is::<OverBudget>() {
        return Some("--memory");
    }
    if let Some(SchemaFileError::None { .. } | SchemaFileError::Content { .. }) = cause.downcast_ref() {
        return Some("halflight dataset schema");
    }
    match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(ImportError::Item { .. }), _) => Some("--skip-bad"),
        (Some(ImportError::Memory { .. }), _) => Some("--memory"),
        (Some(ImportError::NoLabel { .. }), _) => Some("--labels, --unlabelled"),
        (_, Some(SchemaError::Column { .. } | SchemaError::Classes { .. } | SchemaError::Encoder { .. })) => {
            Some("halflight dataset import table --like")
        }
        _ => None,
    }
}
