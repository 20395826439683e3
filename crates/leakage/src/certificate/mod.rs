//! Upper bounds on what outputs with known noise tell any attacker.

mod certify;
mod compose;
mod curve;
mod error;
mod growth;
mod input;
mod kernel;
mod maximal;
mod mixture;
mod report;
mod sampler;
mod statistics;
mod terms;
mod votes;

pub use certify::certify;
pub use error::CertificateError;
pub use growth::{Growth, GrowthPoint, growth};
pub use input::{CertificateOptions, CertificateSamples, Prior};
pub use maximal::{NoisyOutput, maximal_leakage_bits};
pub use report::{Certificate, ClassBound, PooledBound, VoteBound, WeightedBound};
pub use terms::{
    area_bound, contrast, contrast_bound, evaluation_slack, many_contrasts, many_items, mean_bound, sampling_slack,
    upper_mean,
};
