//! Jobs over Parquet files: one file in, one file out, whole or not at all.

mod inputs;
mod job;
mod sink;
mod source;

pub use inputs::Inputs;
pub use job::{Job, JobReport, Partition};
pub use sink::write_batches;

/// Bytes that a batch holds, in and out, so that memory does not grow with the files.
const BATCH: u64 = 16 << 20;
/// Rows of a batch whose rows are short.
const MOST_ROWS: u64 = 4096;
/// Bytes that the pages of one file may unpack to at once.
const PAGES: u64 = 512 << 20;
