//! Upper bounds on what outputs with known noise tell any attacker.

mod maximal;

pub use maximal::{NoisyOutput, maximal_leakage_bits};
