//! Upper bounds on what outputs with known noise tell any attacker.

mod maximal;
mod mixture;
mod terms;

pub use maximal::{NoisyOutput, maximal_leakage_bits};
pub use mixture::{Lattice, Mixture};
pub use terms::{area_bound, evaluation_slack, many_items, sampling_slack};
