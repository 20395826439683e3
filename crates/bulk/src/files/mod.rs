//! Jobs over Parquet files and objects: one in, one out, whole or not at all.

mod inputs;
mod items;
mod job;
mod objects;
mod outputs;
mod remote;
mod sink;
mod source;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use roles::hash::Hash;

pub use inputs::Inputs;
pub use job::{Job, JobReport, Partition};
pub use sink::write_batches;

use crate::BulkError;

/// Bytes in a batch, input and output, so that memory does not grow with the files.
const BATCH: u64 = 16 << 20;
/// Rows of a batch if rows are short.
const MOST_ROWS: u64 = 4096;
/// Bytes that the pages of one file may unpack to at once.
const PAGES: u64 = 512 << 20;

/// Batches, each of which may fail.
type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, BulkError>> + 'a>;

/// The rows of one partition.
trait Rows {
    /// How many there are.
    fn count(&self) -> u64;

    /// Identifies them.
    fn name(&self) -> Hash;

    /// Their columns.
    fn schema(&self) -> Result<SchemaRef, BulkError>;

    /// All of them in batches of at most [`BATCH`] bytes, where each row produces `made` bytes. `only`: one column.
    fn batches(&self, made: usize, only: Option<&str>) -> Result<Batches<'_>, BulkError>;
}

/// Rows of a batch whose rows have this many bytes.
fn batch_rows(bytes: u64) -> usize {
    (BATCH / bytes.max(1)).clamp(1, MOST_ROWS) as usize
}
