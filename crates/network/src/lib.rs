//! Private quadratic networks: train them, defend a collateral attribute, compile them to integers.
//!
//! ```text
//! image ──encoder──▶ z ──private part──▶ output(x) ──public head──▶ class
//!         (owner)       (under encryption)   (in clear)
//! ```
//!
//! The private part is `q = D·((P·z + b)²)` (squares) or `q = D·((P·z + b) ∘ (R·z + c))` (bilinear
//! units). [`train`] makes a [`Network`] in floats, with one of several defences against the collateral
//! attribute; [`compile`] turns it into a [`CompiledNetwork`] of small integers with exact output ranges,
//! whose evaluation in clear is the reference for the encrypted one. This crate knows nothing of
//! curves and keys.

mod attacker;
mod compile;
mod compiled;
mod defend;
mod features;
mod import;
mod model;
mod network;
mod options;
#[cfg(test)]
mod parity;
mod storage;
mod train;

pub use compile::{
    CompileDefence, CompileError, CompileOptions, CompileReport, OutputRange, Precision, Range, compile,
};
pub use compiled::{CompiledNetwork, Origin};
pub use import::{BiasColumn, ImportError, ImportOptions, Inputs};
pub use network::{EvaluateError, Network, TrainingRecord};
pub use options::{
    AdversarialOptions, Adversary, Checkpoint, Compute, Defence, Fresh, MatchOptions, Selection, TrainOptions, UnitKind,
};
pub use storage::FileError;
pub use train::{TrainError, data_hash, train};
