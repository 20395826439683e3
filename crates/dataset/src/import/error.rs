//! Why data cannot be imported.

use std::io;
use std::path::{Path, PathBuf};

use super::budget::OverBudget;
use crate::DatasetError;

/// Why data cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The operating system refused.
    #[error("cannot read {}: {source}: check the path", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file that describes the items and is damaged or of another form.
    #[error("{}: {problem}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// More memory than the import may take.
    #[error("{}: {over}", path.display())]
    Memory {
        /// The file or folder.
        path: PathBuf,
        /// How much it may take.
        over: OverBudget,
    },
    /// A table that lacks a label of the schema.
    #[error(
        "{}: it has no label column `{label}`; it has {}: name labels that it has, or allow missing labels",
        path.display(), columns.join(", ")
    )]
    NoLabel {
        /// The file.
        path: PathBuf,
        /// The label.
        label: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// A bad item, where none may be skipped.
    #[error("{place}: {reason}: repair or remove it, or skip bad items")]
    Item {
        /// Its file, or file and row.
        place: String,
        /// Why it could not be read.
        reason: String,
    },
    /// Nothing left to import.
    #[error("{}: no item could be imported ({skipped} bad ones skipped): {remedy}", path.display())]
    Nothing {
        /// Where items were looked for.
        path: PathBuf,
        /// How many bad items there were.
        skipped: usize,
        /// What to check.
        remedy: &'static str,
    },
    /// An option outside its limits.
    #[error("`{field}` is {value}: {remedy}")]
    Option {
        /// The option.
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        remedy: String,
    },
    /// Labels that make no data set.
    #[error("the imported labels are inconsistent: {0}")]
    Content(#[from] DatasetError),
}

impl From<items::sound::AnalysisError> for ImportError {
    fn from(wrong: items::sound::AnalysisError) -> Self {
        let items::sound::AnalysisError { field, value, remedy } = wrong;
        Self::Option { field, value, remedy }
    }
}

impl ImportError {
    /// The error of an import of this file or folder that would take too much memory.
    pub(super) fn memory(path: &Path) -> impl Fn(OverBudget) -> Self {
        move |over| Self::Memory { path: path.into(), over }
    }
}
