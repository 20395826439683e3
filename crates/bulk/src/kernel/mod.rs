//! From record batch to record batch.

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

/// What a job does with each batch of its files.
pub trait Kernel: Sync {
    /// What it is called in logs and files: `encrypt` or `score`.
    fn name(&self) -> &'static str;

    /// The columns that come out where these go in.
    ///
    /// # Errors
    /// A column is missing, of another type, or in the way.
    fn schema(&self, input: &Schema) -> Result<SchemaRef, BulkError>;

    /// The rows that come out, one for each that goes in, in their order.
    ///
    /// # Errors
    /// What concerns all rows; never what is wrong with one.
    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, BulkError>;

    /// What tells the results of this kernel from those of another: names and texts.
    fn stamp(&self) -> Vec<(&'static str, String)>;

    /// Bytes of one row that comes out, about.
    fn row_bytes(&self) -> usize;

    /// The columns whose rows count though their results are there already.
    fn counted(&self) -> Option<&str> {
        None
    }

    /// Counts rows whose results are there already.
    ///
    /// # Errors
    /// They are too many.
    fn count(&self, _batch: &RecordBatch) -> Result<(), BulkError> {
        Ok(())
    }

    /// What was counted.
    fn tally(&self) -> Option<Tally> {
        None
    }
}
