//! Options that all distribution-matching defences have in common.

use crate::train::{TrainError, require};

/// Refuses weights that are negative or not finite, and kernel widths and ramps outside their ranges.
pub(super) fn check(weights: &[(&'static str, f32)], scales: usize, (from, to): (f64, f64)) -> Result<(), TrainError> {
    for &(field, weight) in weights {
        require(weight.is_finite() && weight >= 0.0, field, weight, "choose a number from 0")?;
    }
    require((1..=16).contains(&scales), "defence.scales", scales, "choose from 1 to 16")?;
    let good = (0.0..=1.0).contains(&from) && (from..=1.0).contains(&to);
    require(good, "defence.ramp", format!("{from}..{to}"), "choose two fractions of the run, ascending, 0 to 1")
}

/// The fraction of a weight that rises from 0 to 1 between two fractions of the run.
pub(super) fn ramp((from, to): (f64, f64), done: f64) -> f32 {
    ((done - from) / (to - from).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) as f32
}
