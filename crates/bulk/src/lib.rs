//! Many records at once: the owner's and the predictor's work as functions from record batch to record batch, and jobs
//! over Parquet files that run them.
//!
//! | to | use |
//! |---|---|
//! | turn records into ciphertexts | [`Encryption::encrypt`] |
//! | turn ciphertexts into predictions | [`Scoring::score`] |
//! | do either for a folder of Parquet files | [`Job`] |
//!
//! Engines that have their own files and their own processes call the first two. Columns go in by name; those that are
//! not used up pass through; rows stay in their order. A row that cannot be used has its reason in the column `error`,
//! and never ends the work. What is costly is made once for a process: the tables of a public key by whoever makes an
//! [`Encryption`], a [`Model`] by [`Model::open`], which gives the same one again.
//!
//! What a predictor's server refuses is refused here too: senders, contexts and recipients that `model.toml` of the model
//! does not name, and a functional key whose grant has expired. Only freshness is left to whoever stores the ciphertexts.
//! Items of one subject are counted where its column is named ([`ScoringOptions::subject`]).

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

mod error;
mod files;
mod kernel;

pub use error::BulkError;
pub use files::{Inputs, Job, JobReport, Partition, write_batches};
pub use kernel::{
    CIPHERTEXT, ERROR, Encryption, EncryptionOptions, Kernel, Model, Records, Scoring, ScoringOptions, Sealing, Tally,
};
