//! A schema in its own file, for those who have data but must not have the training data.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Schema;
use crate::Dataset;
use crate::file::{FileError, HEADER_LIMIT, write_atomically};

const FORMAT: &str = "halflight schema";
const VERSION: u32 = 1;

/// Why a schema cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaFileError {
    /// The operating system refused.
    #[error("cannot {action} schema {}: {source}: check the path and its permissions", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A data set that cannot be read.
    #[error(transparent)]
    Dataset(#[from] FileError),
    /// A data set that does not come from a table, or was imported before schemas were kept.
    #[error("data set {}: it carries no schema: import its table again, or name another data set", path.display())]
    None {
        /// The file.
        path: PathBuf,
    },
    /// Not a schema, or one that contradicts itself.
    #[error("schema {}: {problem}: write it again from its data set", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    version: u32,
    schema: Schema,
}

/// Reads the schema of a data set, or one in a JSON file of its own.
///
/// # Errors
/// [`SchemaFileError`].
pub fn load(path: &Path) -> Result<Schema, SchemaFileError> {
    let failed = |source| SchemaFileError::Io { action: "read", path: path.into(), source };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut start = [0; 9];
    let count = file.read(&mut start).map_err(failed)?;
    // A data set begins with the length of its header, then a brace.
    if count == 9 && start[0] != b'{' && start[8] == b'{' {
        let schema = Dataset::load(path)?.whole_schema();
        return schema.ok_or_else(|| SchemaFileError::None { path: path.into() });
    }
    let mut text = start[..count].to_vec();
    file.take(HEADER_LIMIT + 1).read_to_end(&mut text).map_err(failed)?;
    let wrong = |problem: String| SchemaFileError::Content { path: path.into(), problem };
    if text.len() as u64 > HEADER_LIMIT {
        return Err(wrong(format!("it has more than {HEADER_LIMIT} bytes")));
    }
    let stored: Stored =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("it is not a schema: {error}")))?;
    if (stored.format.as_str(), stored.version) != (FORMAT, VERSION) {
        return Err(wrong(format!("it is {} {}, not {FORMAT} {VERSION}", stored.format, stored.version)));
    }
    stored.schema.check().map_err(wrong)?;
    Ok(stored.schema)
}

/// Writes a schema as JSON; the file appears whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn save(schema: &Schema, path: &Path) -> Result<(), SchemaFileError> {
    let failed = |source| SchemaFileError::Io { action: "write", path: path.into(), source };
    let stored = Stored { format: FORMAT.into(), version: VERSION, schema: schema.clone() };
    let text = serde_json::to_vec_pretty(&stored).map_err(|error| failed(error.into()))?;
    write_atomically(path, |file| file.write_all(&text)).map_err(failed)
}
