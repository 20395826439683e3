//! One Parquet file, written completely or not at all.

use std::io::{self, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use host::files::{Access, write_with};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::BulkError;

/// Bytes after which a row group ends: what a reader or a writer may hold at once.
const GROUP: usize = 64 << 20;
/// Approximate bytes of a page.
const PAGE: usize = 1 << 20;

/// Writes batches of one schema to a file, completely or not at all. `about`: texts stored in the file. Equal batches
/// give equal files.
///
/// # Errors
/// A batch is an error, or the file cannot be written.
pub fn write_batches(
    path: &Path,
    schema: &SchemaRef,
    about: &[(String, String)],
    batches: impl Iterator<Item = Result<RecordBatch, BulkError>>,
) -> Result<u64, BulkError> {
    write_as(path, path, schema, about, batches, &|| Vec::new())
}

/// The same of a file that errors call `shown`; `ending`: texts that are known when all batches are there.
pub(super) fn write_as(
    path: &Path,
    shown: &Path,
    schema: &SchemaRef,
    about: &[(String, String)],
    batches: impl Iterator<Item = Result<RecordBatch, BulkError>>,
    ending: &dyn Fn() -> Vec<(String, String)>,
) -> Result<u64, BulkError> {
    let (mut rows, mut failed) = (0, None);
    let written = write_with(path, Access::Ordinary, |out| {
        write_to(out, shown, schema, about, batches, ending).map(|written| rows = written).map_err(|error| {
            let reason = error.to_string();
            failed = Some(error);
            io::Error::other(reason)
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(written.map(|()| rows)?),
    }
}

fn write_to(
    out: &mut (dyn Write + Send),
    path: &Path,
    schema: &SchemaRef,
    about: &[(String, String)],
    batches: impl Iterator<Item = Result<RecordBatch, BulkError>>,
    ending: &dyn Fn() -> Vec<(String, String)>,
) -> Result<u64, BulkError> {
    let refused = |error: ParquetError| BulkError::input(path, format!("cannot be written: {error}"));
    let mut batches = batches.peekable();
    let row = batches.peek().and_then(|first| first.as_ref().ok()).map_or(1, row_bytes);
    let mut writer =
        ArrowWriter::try_new(out, schema.clone(), Some(properties(schema, about, row))).map_err(refused)?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch?;
        writer.write(&batch).map_err(refused)?;
        rows += batch.num_rows() as u64;
        if writer.in_progress_size() >= GROUP {
            writer.flush().map_err(refused)?;
        }
    }
    ending().into_iter().for_each(|(name, text)| writer.append_key_value_metadata(KeyValue::new(name, text)));
    writer.close().map_err(refused)?;
    Ok(rows)
}

/// Approximate bytes of a row of a batch.
fn row_bytes(batch: &RecordBatch) -> usize {
    (batch.get_array_memory_size() / batch.num_rows().max(1)).max(1)
}

fn properties(schema: &SchemaRef, about: &[(String, String)], row: usize) -> WriterProperties {
    let about = about.iter().map(|(name, text)| KeyValue::new(name.clone(), text.clone())).collect();
    let mut properties = WriterProperties::builder()
        .set_created_by("halflight".into())
        .set_key_value_metadata(Some(about))
        .set_compression(Compression::SNAPPY)
        .set_data_page_size_limit(PAGE)
        // The size of a page is checked after this many rows.
        .set_write_batch_size((PAGE / row).clamp(1, 1024));
    let binary = schema.fields().iter().filter(|field| matches!(field.data_type(), DataType::LargeBinary));
    for field in binary {
        // Curve points look random: there is nothing to compress, index or compare.
        let column = ColumnPath::from(field.name().clone());
        properties = properties
            .set_column_compression(column.clone(), Compression::UNCOMPRESSED)
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    properties.build()
}

/// The texts stored in a file; none if it is not a Parquet file.
pub(super) fn about(path: &Path) -> Option<Vec<(String, String)>> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let read = || {
        let reader = SerializedFileReader::new(std::fs::File::open(path).ok()?).ok()?;
        let about = reader.metadata().file_metadata().key_value_metadata()?;
        Some(about.iter().map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect())
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).ok().flatten()
}
