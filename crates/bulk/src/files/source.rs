//! One Parquet file, batch by batch. It may come from an untrusted source.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{ArrowError, DataType, SchemaRef};
use dataset::import::{Budget, parquet_size};
use host::files::FileError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use roles::hash::Hash;

use super::{Batches, PAGES, Rows, batch_rows};
use crate::BulkError;

/// Most bytes that a row takes whatever it holds.
const MOST_FIXED: u64 = 64 << 20;

/// A file whose pages fit into memory.
pub(super) struct Source {
    path: PathBuf,
    /// Its name in errors: where it came from.
    shown: PathBuf,
    /// Rows, according to its footer.
    rows: u64,
    /// Identifies its content: hash of length and footer, which lists every page.
    name: Hash,
    /// Bytes of one row at most.
    row: u64,
}

impl Source {
    /// Opens a file; nothing is unpacked yet.
    pub fn open(path: &Path) -> Result<Self, BulkError> {
        Self::open_as(path, path)
    }

    /// The same for a copy of the file named `shown`.
    pub fn open_as(path: &Path, shown: &Path) -> Result<Self, BulkError> {
        let size = guarded(shown, || {
            // Errors of an import are more informative than those of the reader.
            Ok(parquet_size(path, &Budget::new(PAGES)))
        })?;
        let size = size.map_err(|error| BulkError::import(shown, error))?;
        let name = footer(path).map_err(|source| unread(shown, source))?;
        // Rows of fixed length take it also where they hold nothing, and the pages say nothing of that.
        let schema = Arc::clone(builder(path, shown)?.schema());
        let fixed = schema.fields().iter().map(|field| width(field.data_type())).fold(0, u64::saturating_add);
        if fixed > MOST_FIXED {
            let problem =
                format!("its rows take {fixed} bytes each, more than {MOST_FIXED}: leave out its widest columns");
            return Err(BulkError::input(shown, problem));
        }
        let row = size.row.saturating_add(fixed);
        Ok(Self { path: path.to_owned(), shown: shown.to_owned(), rows: size.rows, row, name })
    }

    /// All rows, in batches that no longer need `self`: the file stays open, even if it is removed.
    pub fn reader(&self, made: usize, only: Option<&str>) -> Result<Batches<'static>, BulkError> {
        let shown = self.shown.clone();
        let builder = builder(&self.path, &shown)?;
        let rows = batch_rows(self.row.max(made as u64));
        let mask = match only {
            Some(name) => {
                let root = guarded(&shown, || builder.schema().index_of(name))?;
                ProjectionMask::roots(builder.parquet_schema(), [root])
            }
            None => ProjectionMask::all(),
        };
        let mut reader = guarded(&shown, || Ok(builder.with_projection(mask).with_batch_size(rows).build()?))?;
        Ok(Box::new(std::iter::from_fn(move || guarded(&shown, || reader.next().transpose()).transpose())))
    }
}

/// What a value takes whatever it is, in bytes.
fn width(kind: &DataType) -> u64 {
    match kind {
        DataType::FixedSizeBinary(bytes) => u64::try_from(*bytes).unwrap_or(0),
        DataType::FixedSizeList(item, count) => {
            u64::try_from(*count).unwrap_or(0).saturating_mul(width(item.data_type()).max(1))
        }
        DataType::Struct(fields) => fields.iter().map(|field| width(field.data_type())).fold(0, u64::saturating_add),
        kind => kind.primitive_width().unwrap_or(8) as u64,
    }
}

pub(super) fn builder(path: &Path, shown: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, BulkError> {
    let file = File::open(path).map_err(|source| unread(shown, source))?;
    guarded(shown, || Ok(ParquetRecordBatchReaderBuilder::try_new(file)?))
}

fn unread(path: &Path, source: io::Error) -> FileError {
    FileError::System { path: path.to_owned(), action: "read", source }
}

impl Rows for Source {
    fn count(&self) -> u64 {
        self.rows
    }

    fn name(&self) -> Hash {
        self.name
    }

    fn schema(&self) -> Result<SchemaRef, BulkError> {
        Ok(builder(&self.path, &self.shown)?.schema().clone())
    }

    fn batches(&self, made: usize, only: Option<&str>) -> Result<Batches<'_>, BulkError> {
        self.reader(made, only)
    }
}

/// The decoder panics on some damaged files; here that is an error like any other.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, BulkError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(BulkError::input(path, format!("not a readable Parquet file: {error}"))),
        Err(_) => Err(BulkError::input(path, "not a readable Parquet file: its pages are damaged")),
    }
}

/// Hash of a file's length and footer, which has the place, the size and the bounds of every page.
pub(super) fn footer(path: &Path) -> io::Result<Hash> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(8)))?;
    let mut size = [0; 4];
    file.read_exact(&mut size)?;
    let size = (u64::from(u32::from_le_bytes(size)) + 8).min(length);
    file.seek(SeekFrom::Start(length - size))?;
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(size).read_to_end(&mut bytes)?;
    Ok(Hash::of("halflight bulk input v1", &[&length.to_le_bytes(), &bytes]))
}
