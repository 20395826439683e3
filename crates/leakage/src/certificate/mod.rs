//! Upper bounds on what outputs with known noise tell any attacker.

mod certify;
mod error;
mod input;
mod maximal;
mod mixture;
mod report;
mod sampler;
mod terms;

pub use certify::certify;
pub use error::CertificateError;
pub use input::{CertificateOptions, CertificateSamples};
pub use maximal::{NoisyOutput, maximal_leakage_bits};
pub use report::{Certificate, ClassBound, PooledBound, VoteBound};
pub use terms::{area_bound, evaluation_slack, many_items, sampling_slack};
