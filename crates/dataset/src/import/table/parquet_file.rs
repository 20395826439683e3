//! Rows of a Parquet file.

use std::borrow::Cow;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::basic::Type;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record};

use super::pages::{self, ParquetSize};
use super::rows::{Row, Rows};
use crate::import::{Budget, ImportError};
use crate::schema::Cell;

/// Checks that no page of a Parquet file unpacks to more than the budget has left, before any of them is unpacked. For
/// callers who then read the file with their own reader, which may still refuse it, or panic.
///
/// # Errors
/// The file cannot be read, is not a Parquet file, or would take more.
pub fn parquet_size(path: &Path, budget: &Budget) -> Result<ParquetSize, ImportError> {
    pages::check_footer(path, budget)?;
    let reader = open(path)?;
    pages::check(path, reader.metadata(), budget)
}

/// Refuses a footer that unpacks to more than the budget has; the pages are not looked at.
///
/// # Errors
/// The footer is too large, or the file cannot be read.
pub fn parquet_footer(path: &Path, budget: &Budget) -> Result<(), ImportError> {
    pages::check_footer(path, budget)
}

pub(super) struct ParquetFile {
    path: PathBuf,
    header: Vec<String>,
}

impl ParquetFile {
    /// Opens the file after checking that none of its pages unpacks to more than the budget has left.
    pub fn open(path: &Path, budget: &Budget) -> Result<Self, ImportError> {
        pages::check_footer(path, budget)?;
        let reader = open(path)?;
        let schema = reader.metadata().file_metadata().schema();
        let mut header = Vec::new();
        for field in schema.get_fields() {
            if !field.is_primitive() || field.get_physical_type() == Type::FIXED_LEN_BYTE_ARRAY {
                let problem = format!("its column `{}` is nested or binary: leave it out when you save", field.name());
                return Err(ImportError::Description { path: path.into(), problem });
            }
            header.push(field.name().to_string());
        }
        pages::check(path, reader.metadata(), budget)?;
        Ok(Self { path: path.into(), header })
    }
}

impl Rows for ParquetFile {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn visit(&self, visit: &mut dyn FnMut(u64, Row) -> Result<(), ImportError>) -> Result<(), ImportError> {
        let reader = open(&self.path)?;
        let mut rows = guarded(&self.path, || reader.get_row_iter(None))?;
        for number in 1.. {
            let next = guarded(&self.path, || Ok(rows.next().transpose()?.map(|record| texts(&record))))?;
            let Some(texts) = next else { break };
            if texts.len() == self.header.len() {
                visit(number, Ok(&texts))?;
            } else {
                visit(number, Err(format!("it has {} fields, and the header {}", texts.len(), self.header.len())))?;
            }
        }
        Ok(())
    }
}

pub(super) fn open(path: &Path) -> Result<SerializedFileReader<File>, ImportError> {
    let file = File::open(path).map_err(|source| ImportError::Io { path: path.into(), source })?;
    guarded(path, || SerializedFileReader::new(file))
}

/// The decoder panics on some damaged files; here that is an error like any other.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ImportError> {
    let problem = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => format!("not a readable Parquet file: {error}"),
        Err(_) => "not a readable Parquet file: its pages are damaged".into(),
    };
    Err(ImportError::Description { path: path.into(), problem })
}

fn texts(record: &Record) -> Vec<Cell<'static>> {
    let text = |field: &'_ Field| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        // The shortest texts that give the same number again.
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        other => other.to_string(),
    };
    record.get_column_iter().map(|(_, field)| Cell::Text(Cow::Owned(text(field)))).collect()
}
