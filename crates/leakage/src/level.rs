//! The confidence level of intervals.

/// The probability that an interval holds.
pub(crate) const LEVEL: f64 = 0.95;

/// The level at which this many intervals hold together with [`LEVEL`] (Bonferroni).
pub(crate) fn simultaneous(intervals: usize) -> f64 {
    1.0 - (1.0 - LEVEL) / intervals.max(1) as f64
}
