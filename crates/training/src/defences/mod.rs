//! The defences: what training does so that the outputs do not tell the collateral attribute.
//!
//! One file holds one defence, with its options, its text and its loss or its procedure; `registry` lists them. What
//! several share has files of its own: the three phases against simulated adversaries, and the losses on outputs.

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
