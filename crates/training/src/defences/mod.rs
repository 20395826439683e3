//! The defences: how training keeps the outputs from revealing the collateral attribute.
//!
//! One file holds one defence, with its options, its description and its loss or procedure; `registry` lists them.
//! Shared code has its own files: the three phases against simulated adversaries, and the losses on outputs.

mod adversarial;
mod certify;
mod defence;
mod ensemble;
pub(crate) mod loss;
mod matched;
mod matching;
mod maxent;
mod none;
mod paper;
mod phases;
mod registry;

pub use certify::CertifyOptions;
pub use defence::Defence;
pub(crate) use defence::Penalty;
pub use matching::MatchOptions;
pub use phases::AdversarialOptions;
pub(crate) use phases::Against;
pub(crate) use registry::{in_steps, read_variant};
