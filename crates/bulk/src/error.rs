//! Errors that end a job. An error in a single row does not.

use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;
use dataset::import::ImportError;
use host::files::FileError;
use roles::admission::{AdmissionError, Expired};
use roles::{FolderError, KeyMismatch};

/// Why nothing is encrypted or predicted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that is not Parquet, or that would take too much memory.
    #[error("{}: {problem}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// A column that is missing, of another type, or in conflict with an output column.
    #[error("column `{column}` {problem}")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// A folder that is not a model.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A model whose rules cannot be applied.
    #[error("model {}: {problem}", folder.display())]
    Admission {
        /// The folder.
        folder: PathBuf,
        /// Why.
        problem: AdmissionError,
    },
    /// Key and network do not belong together.
    #[error(transparent)]
    Key(#[from] KeyMismatch),
    /// The key has expired.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// The table of logarithms cannot be made or stored.
    #[error(transparent)]
    Table(#[from] qfe::TableError),
    /// The table of logarithms cannot be built.
    #[error(transparent)]
    LogTable(#[from] qfe::LogTableError),
    /// Records with other columns than the encoder takes.
    #[error(transparent)]
    Schema(#[from] dataset::SchemaError),
    /// More subjects than can be counted.
    #[error(
        "the records are about more than {most} subjects: split the job, with all records of a subject in one part"
    )]
    Subjects {
        /// How many can be counted.
        most: usize,
    },
    /// Columns that do not fit each other.
    #[error("the record batch cannot be made: {0}")]
    Arrow(#[from] ArrowError),
}

impl BulkError {
    pub(crate) fn column(column: &str, problem: impl Into<String>) -> Self {
        Self::Column { column: column.to_owned(), problem: problem.into() }
    }

    pub(crate) fn input(path: &Path, problem: impl Into<String>) -> Self {
        Self::Input { path: path.to_owned(), problem: problem.into() }
    }

    pub(crate) fn import(path: &Path, error: ImportError) -> Self {
        match error {
            ImportError::Description { problem, .. } => Self::input(path, problem),
            ImportError::Memory { over, .. } => Self::input(path, over.to_string()),
            ImportError::Io { source, .. } => {
                FileError::System { path: path.to_owned(), action: "read", source }.into()
            }
            other => Self::input(path, other.to_string()),
        }
    }
}
