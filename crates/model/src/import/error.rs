//! Why a network cannot be imported.

use std::path::PathBuf;

use crate::storage::FileError;

/// Why a network cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file that cannot be read, or a tensor that is missing or wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// Text that is not a network of the paper's program.
    #[error("{}: {problem}: give a file that the paper's program wrote, or safetensors", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Sizes that do not fit each other or the options.
    #[error("{}: `{field}` {problem}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The tensor or option.
        field: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// An encoder that cannot be made from the options.
    #[error("import option `inputs` is {value}: {problem}")]
    Inputs {
        /// Size and bits.
        value: String,
        /// What is wrong.
        problem: String,
    },
}
