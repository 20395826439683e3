//! The flags that fix an error of a library: the libraries do not know the command.

use std::error::Error;

use dataset::SchemaError;
use dataset::import::{ImportError, OverBudget};
use dataset::schema::SchemaFileError;
use roles::{IssueError, Unopenable};

/// The error and its causes, each once: some errors repeat their cause.
pub fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// The end of an error message: the flags of the first cause that has any.
pub fn flags(error: &anyhow::Error) -> String {
    error.chain().find_map(flags_of).map_or(String::new(), |flags| format!(" ({flags})"))
}

fn flags_of(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if cause.is::<OverBudget>() {
        return Some("--memory");
    }
    if cause.is::<Unopenable>() || matches!(cause.downcast_ref(), Some(IssueError::Range(_))) {
        return Some("halflight import --data FILE --range seen --margin BITS; halflight compile --range seen");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once() {
        let error = anyhow::Error::msg("no room").context("output 3: no room").context("file");
        assert_eq!(told(&error), "file: output 3: no room");
        let error = anyhow::Error::msg("no room").context("file");
        assert_eq!(told(&error), "file: no room");
    }

    #[test]
    fn what_cannot_be_opened_names_the_flags() {
        let wide = Unopenable { output: 0, low: i64::MIN, high: i64::MAX, bits: 64.0, reach: 1 };
        assert!(flags(&wide.clone().into()).contains("--range seen"));
        assert!(flags(&anyhow::Error::from(IssueError::from(wide)).context("compiled")).contains("--data"));
    }
}
