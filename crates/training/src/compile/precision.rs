//! Bits of the outputs beyond those that the head needs and noise covers.

use std::f64::consts::{E, PI};

use dataset::Dataset;
use model::CompiledNetwork;

use super::{CompileError, OutputRange};
use crate::network::percent;

/// Steps of a range that are tried, as powers of two.
const FINEST: u32 = 16;
/// A loss of accuracy, in points, that counts as none.
const LOSS: f64 = 0.2;

/// The least number of bits of every output, relative to its range on the data, at which the network's own head is as
/// accurate as on exact outputs, within a fifth of a point or one standard error. `outputs`: those of `held`, in order.
pub(super) fn needed_bits(
    network: &CompiledNetwork,
    held: &Dataset,
    outputs: &[i64],
    ranges: &[(i64, i64)],
) -> Result<f64, CompileError> {
    let labels = &held.labels(network.main())?.values;
    let classes = network.classes().len();
    let accuracy = |outputs: &[i64]| {
        let probabilities = network.probabilities(outputs)?;
        let right = probabilities.chunks_exact(classes).zip(labels).filter(|(row, label)| {
            let label = **label as usize;
            row.iter().enumerate().all(|(class, p)| *p < row[label] || (*p == row[label] && class >= label))
        });
        Ok::<f64, CompileError>(percent(right.count(), labels.len()))
    };
    let exact = accuracy(outputs)?;
    let error = (exact * (100.0 - exact) / labels.len().max(1) as f64).sqrt();
    for bits in 0..FINEST {
        let coarse: Vec<i64> =
            outputs.iter().zip(ranges.iter().cycle()).map(|(&value, &range)| middle(value, range, bits)).collect();
        if accuracy(&coarse)? >= exact - error.max(LOSS) {
            return Ok(bits.into());
        }
    }
    Ok(FINEST.into())
}

/// The middle of the step that contains a value, among `2^bits` steps of a range.
fn middle(value: i64, (low, high): (i64, i64), bits: u32) -> i64 {
    let (low, high) = (i128::from(low), i128::from(high));
    let width = high - low + 1;
    let step = ((i128::from(value) - low) << bits).div_euclid(width).clamp(0, (1 << bits) - 1);
    let middle = low + (((2 * step + 1) * width) >> (bits + 1));
    // Rounding may put it between two 64-bit numbers.
    i64::try_from(middle).unwrap_or(value)
}

/// Fills in the bits that noise covers and those that remain, for noise of these deviations or none.
pub(super) fn account(outputs: &mut [OutputRange], needed: f64, deviations: &[u32]) {
    for (at, output) in outputs.iter_mut().enumerate() {
        let (low, high) = output.empirical;
        let opened = model::width_bits(low.into(), high.into());
        let deviation = deviations.get(at).map_or(0.0, |&deviation| f64::from(deviation));
        output.noise_bits = (deviation * (2.0 * PI * E).sqrt()).max(1.0).log2().min(opened);
        output.idle_bits = (opened - output.noise_bits - needed).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_middle_and_values_keep_their_step() {
        assert_eq!(middle(-100, (-100, 155), 0), 28);
        assert_eq!([-100, -99, 155].map(|value| middle(value, (-100, 155), 8)), [-100, -99, 155]);
        assert_eq!([-100, 27, 28, 155, 400].map(|value| middle(value, (-100, 155), 1)), [-36, -36, 92, 92, 92]);
        assert_eq!(middle(i64::MAX, (i64::MIN, i64::MAX), 1), 1 << 62);
    }

    #[test]
    fn what_noise_covers_is_not_idle() {
        let range = OutputRange {
            exact: (0, 0),
            empirical: (0, (1 << 30) - 1),
            declared: (0, 0),
            bits: 30.0,
            noise_bits: 0.0,
            idle_bits: 0.0,
        };
        let mut outputs = vec![range.clone(), range];
        account(&mut outputs, 5.0, &[]);
        assert_eq!((outputs[1].noise_bits, outputs[1].idle_bits), (0.0, 25.0));
        account(&mut outputs, 5.0, &[1 << 20, 1 << 24]);
        assert!((outputs[0].idle_bits - (25.0 - 22.05)).abs() < 0.01 && outputs[1].idle_bits == 0.0, "{outputs:?}");
    }
}
