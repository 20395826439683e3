//! Many records at once: the owner's and the predictor's work as functions from record batch to record batch, and jobs
//! over Parquet files that run them.
//!
//! | to | use |
//! |---|---|
//! | turn records into ciphertexts | [`Encryption::encrypt`] |
//! | turn ciphertexts into predictions | [`Scoring::score`] |
//! | do either for a folder of Parquet files | [`Job`] |
//!
//! Engines with their own files and processes call the first two. Columns are selected by name; columns that are not
//! consumed pass through; rows keep their order. A row that cannot be used has its reason in the column `error`, and
//! never stops the work. Expensive objects are made once per process: the tables of a public key by the code that makes
//! an [`Encryption`], a [`Model`] by [`Model::open`], which returns the same one again.
//!
//! Whatever a predictor's server refuses is refused here too: senders, contexts and recipients that the model's
//! `model.toml` does not list, and a functional key whose grant has expired. Only freshness is left to whoever stores
//! the ciphertexts. Items of one subject are counted if its column is given ([`ScoringOptions::subject`]).

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

mod error;
mod files;
mod kernel;

pub use error::BulkError;
pub use files::{Inputs, Job, JobReport, Partition, write_batches};
pub use kernel::{
    CIPHERTEXT, ERROR, Encryption, EncryptionOptions, Kernel, Model, Records, Scoring, ScoringOptions, Sealing, Tally,
};
