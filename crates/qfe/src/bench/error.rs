//! Why a benchmark cannot run.

use thiserror::Error;

use crate::{
    MapError,
    dlog::LogTableError,
    encrypt::EncryptError,
    evaluate::EvaluateError,
    keys::KeyError,
    shares::{CombineError, ShareError, ceremony::CeremonyError},
    verify::VerifyError,
    wire::WireError,
};

/// Why a benchmark cannot run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchError {
    /// No shape of this name.
    #[error("shape `{name}` is unknown: choose from {known}, or write `n,m,d,S,bits`, as 65,65,64,4,4")]
    Shape {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The pool of threads cannot be made.
    #[error("{threads} threads cannot be started: {reason}")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
    /// An encrypted result differs from the clear one.
    #[error("shape `{shape}`, output {output}: decrypted {found}, {expected} expected; please report this")]
    Mismatch {
        /// The shape.
        shape: String,
        /// Index of the output.
        output: usize,
        /// Decrypted value.
        found: i64,
        /// Value in the clear.
        expected: i128,
    },
    /// The key of a quorum differs from the master's.
    #[error("shape `{shape}`: a quorum issued another key than the master; please report this")]
    Quorum {
        /// The shape.
        shape: String,
    },
    /// A functional key that does not hold.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Shares of the master key.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// A ceremony.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    /// Partial keys.
    #[error(transparent)]
    Combine(#[from] CombineError),
    /// The function of a shape is not valid.
    #[error(transparent)]
    Map(#[from] MapError),
    /// Keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The table.
    #[error(transparent)]
    Table(#[from] LogTableError),
    /// Encryption.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// Evaluation.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// Reading.
    #[error(transparent)]
    Wire(#[from] WireError),
}
