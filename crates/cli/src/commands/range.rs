//! The declared range of outputs, as `import` and `compile` choose it.

use clap::ValueEnum;
use model::Range;

/// How the declared range of an output is determined.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RangeName {
    /// No input can leave it
    Exact,
    /// Narrower; an input that leaves it gives an error at evaluation
    Seen,
}

impl RangeName {
    /// The library's choice; `margin` are the bits by which the measured range is widened.
    pub fn with_margin(self, margin_bits: f64) -> Range {
        match self {
            Self::Exact => Range::Exact,
            Self::Seen => Range::Empirical { margin_bits },
        }
    }
}
