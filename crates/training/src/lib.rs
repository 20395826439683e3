//! Private quadratic networks: train them, defend a collateral attribute, compile them to integers.
//!
//! ```text
//! image ──encoder──▶ z ──private part──▶ output(x) ──public head──▶ class
//!         (owner)       (under encryption)   (in the clear)
//! ```
//!
//! The private part is `q = D·((P·z + b)²)` (squares) or `q = D·((P·z + b) ∘ (R·z + c))` (bilinear
//! units). [`train`] makes a [`Network`] in floats, with one of several defences against the collateral
//! attribute; [`compile`] turns it into a [`CompiledNetwork`](model::CompiledNetwork) of small integers with exact
//! output ranges. This crate knows nothing of curves and keys, and no server links it.

#![warn(missing_debug_implementations)]

mod attacker;
mod compile;
mod defences;
mod features;
mod float;
mod history;
mod measure;
mod network;
mod options;
#[cfg(test)]
mod parity;
mod sketch;
mod train;

pub use compile::{
    CompileDefence, CompileError, CompileOptions, CompileReport, IDLE_BITS, OutputRange, Precision, best_scale, compile,
};
pub use defences::{AdversarialOptions, CertifyOptions, Defence, MatchOptions};
pub use float::adversary::Adversary;
pub use history::{History, HistoryError};
pub use measure::{MeasureError, accuracy};
pub use model::Range;
pub use network::{Affine, Network, NetworkParts, PartsError, TrainingRecord};
pub use options::{Checkpoint, Compute, Fresh, Selection, TrainOptions, UnitKind};
pub use sketch::ItemSketch;
pub use train::{TrainError, data_hash, hold_out, train};
