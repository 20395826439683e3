//! Functions from record batch to record batch.

mod columns;
mod encrypt;
mod model;
mod records;
mod score;
mod tally;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

pub use encrypt::{Encryption, EncryptionOptions, Sealing};
pub use model::Model;
pub use records::Records;
pub use score::{Scoring, ScoringOptions};
pub use tally::Tally;

use crate::BulkError;

/// Name of the column of ciphertexts, unless another is asked for.
pub const CIPHERTEXT: &str = "ciphertext";
/// Name of the column that says why a row has no result.
pub const ERROR: &str = "error";

/// The operation of a job on each batch of its files.
pub trait Kernel: Sync {
    /// Its name in logs and files: `encrypt` or `score`.
    fn name(&self) -> &'static str;

    /// The output columns for these input columns.
    ///
    /// # Errors
    /// A column is missing, of another type, or in conflict with an output column.
    fn schema(&self, input: &Schema) -> Result<SchemaRef, BulkError>;

    /// The output rows, one for each input row, in order.
    ///
    /// # Errors
    /// An error that concerns all rows; never one of a single row.
    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, BulkError>;

    /// Distinguishes the results of this kernel from those of another: names and texts.
    fn stamp(&self) -> Vec<(&'static str, String)>;

    /// Approximate bytes of one output row.
    fn row_bytes(&self) -> usize;

    /// The columns that are counted even if their results exist already.
    fn counted(&self) -> Option<&str> {
        None
    }

    /// Counts rows whose results exist already.
    ///
    /// # Errors
    /// There are too many.
    fn count(&self, _batch: &RecordBatch) -> Result<(), BulkError> {
        Ok(())
    }

    /// The counts.
    fn tally(&self) -> Option<Tally> {
        None
    }
}
