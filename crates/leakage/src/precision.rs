//! How much finer outputs are than the main task needs and than noise covers: the room in which anything can hide.
//!
//! ```text
//! opened_j = log2(high_j − low_j + 1)             range of output j on the data
//! noise_j  = log2(max(1, σ_j·√(2πe)))             entropy of its noise, 0 without
//! needed   = the least q such that the main label can be read from outputs cut into 2^q steps of their range
//! idle_j   = max(0, opened_j − noise_j − needed)
//! ```
//!
//! "Can be read": a quadratic discriminant, trained anew, loses no more than a fifth of a point, or one standard error,
//! compared with exact outputs. Idle bits are not a leak. They are where one could be hidden, and attackers find only
//! what they look for.

use crate::attackers::{AttackerConfig, Beside, Sample, Standardiser};
use crate::observations::Observations;
use crate::outputs::Outputs;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::f64::consts::{E, PI};

/// Idle bits of one output that are worth a warning: 256 values that nothing accounts for.
pub const IDLE_BITS: f64 = 8.0;
/// Steps of a range that are tried, as powers of two.
const FINEST: u32 = 16;
/// Items that read the main label.
const ITEMS: usize = 10_000;
/// A loss of accuracy, in points, that counts as none.
const LOSS: f64 = 0.2;

/// How fine integer outputs are, how much of that the main task needs, and how much noise covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// Every output.
    pub outputs: Vec<OutputPrecision>,
    /// Bits of every output that the main label needs; absent if there is only one main class.
    pub needed_bits: Option<f64>,
    /// Sum of the opened bits.
    pub opened_bits: f64,
    /// Sum of the idle bits.
    pub idle_bits: f64,
    /// A warning in words; absent where no output has more than [`IDLE_BITS`] of them.
    pub warning: Option<String>,
}

/// How fine one output is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputPrecision {
    /// Smallest value on the data.
    pub low: i64,
    /// Largest value on the data.
    pub high: i64,
    /// log2 of the number of values between them.
    pub opened_bits: f64,
    /// Bits that noise covers.
    pub noise_bits: f64,
    /// Opened bits that neither the main label needs nor noise covers.
    pub idle_bits: f64,
}

/// For integer outputs; `noise` holds the deviation of the noise of every output, or nothing.
pub(crate) fn precision(train: &Observations, test: &Observations, noise: &[f64]) -> Option<Precision> {
    let (values, width) = (train.outputs.integers()?, train.width);
    let ranges: Vec<(i64, i64)> = (0..width)
        .map(|axis| {
            let column = || values.iter().skip(axis).step_by(width).copied();
            (column().min().unwrap_or(0), column().max().unwrap_or(0))
        })
        .collect();
    let needed = needed(train, test, &ranges);
    let outputs = ranges.iter().enumerate().map(|(axis, &(low, high))| {
        let opened_bits = ((i128::from(high) - i128::from(low)) as f64 + 1.0).log2();
        let deviation = noise.get(axis).copied().unwrap_or(0.0);
        let noise_bits = (deviation * (2.0 * PI * E).sqrt()).max(1.0).log2().min(opened_bits);
        let idle_bits = needed.map_or(0.0, |needed| (opened_bits - noise_bits - needed).max(0.0));
        OutputPrecision { low, high, opened_bits, noise_bits, idle_bits }
    });
    let outputs: Vec<OutputPrecision> = outputs.collect();
    let sum = |of: fn(&OutputPrecision) -> f64| outputs.iter().map(of).sum::<f64>();
    let (opened_bits, idle_bits) = (sum(|o| o.opened_bits), sum(|o| o.idle_bits));
    let warning = warning(&outputs, needed);
    Some(Precision { outputs, needed_bits: needed, opened_bits, idle_bits, warning })
}

fn warning(outputs: &[OutputPrecision], needed: Option<f64>) -> Option<String> {
    let widest = |a: usize, b: usize| if outputs[b].idle_bits > outputs[a].idle_bits { b } else { a };
    let at = (0..outputs.len()).reduce(widest)?;
    let OutputPrecision { opened_bits, noise_bits, idle_bits, .. } = &outputs[at];
    if *idle_bits <= IDLE_BITS {
        return None;
    }
    Some(format!(
        "output {at} opens {opened_bits:.1} bits on these data, of which the main label needs {:.0} and noise covers \
         {noise_bits:.1}: key holders also see the other {idle_bits:.1}, whatever they contain, and attackers find \
         only what they look for; add noise, or round to fewer bits",
        needed.unwrap_or(0.0)
    ))
}

/// The least number of bits from which the main label can be read; `None` if there is nothing to read.
fn needed(train: &Observations, test: &Observations, ranges: &[(i64, i64)]) -> Option<f64> {
    let classes = train.main_classes.len();
    if classes < 2 {
        return None;
    }
    let first = |data: &Observations| data.subset(&(0..data.len().min(ITEMS)).collect::<Vec<usize>>());
    let (train, test) = (first(train), first(test));
    let accuracy = |bits: Option<u32>| {
        let [learned, asked] = [&train, &test].map(|data| coarse(data, ranges, bits));
        let every = |data: &Observations| (0..data.len()).collect::<Vec<usize>>();
        let standardiser = Standardiser::fit(&learned, train.width, &every(&train));
        let rows = standardiser.apply(&learned, &every(&train));
        let labels = train.main.as_slice().into();
        let sample = Sample { rows: rows.into(), width: train.width, labels, classes };
        let asked = standardiser.apply(&asked, &every(&test));
        let family = [AttackerConfig::qda()];
        let scores = AttackerConfig::attack(&family, &sample, Beside::default(), &asked, 0).swap_remove(0);
        100.0 * scores.correct(&test.main) as f64 / test.len() as f64
    };
    let exact = accuracy(None);
    let error = (exact * (100.0 - exact) / test.len() as f64).sqrt();
    let enough = exact - error.max(LOSS);
    let found: Vec<bool> = (0..=FINEST).into_par_iter().map(|bits| accuracy(Some(bits)) >= enough).collect();
    found.iter().position(|&enough| enough).map_or(Some(f64::from(FINEST)), |bits| Some(bits as f64))
}

/// Outputs cut into `2^bits` steps of their ranges.
fn coarse(data: &Observations, ranges: &[(i64, i64)], bits: Option<u32>) -> Outputs {
    let (Some(bits), Some(values)) = (bits, data.outputs.integers()) else { return data.outputs.clone() };
    let step = |(&value, &(low, high)): (&i64, &(i64, i64))| {
        let width = i128::from(high) - i128::from(low) + 1;
        let step = ((i128::from(value) - i128::from(low)) << bits).div_euclid(width);
        step.clamp(0, (1 << bits) - 1) as i64
    };
    Outputs::Integers(values.iter().zip(ranges.iter().cycle()).map(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four main classes far apart, `wide` steps between them, with arbitrary low digits.
    fn observe(wide: i64) -> Observations {
        let outputs: Vec<i64> = (0..4_000).map(|i| wide * (i % 4) + i * 7_919 % (wide / 4)).collect();
        Observations {
            outputs: outputs.into(),
            width: 1,
            main: (0..4_000).map(|i| i % 4).collect(),
            collateral: (0..4_000).map(|i| i / 4 % 2).collect(),
            main_classes: ["a", "b", "c", "d"].map(String::from).to_vec(),
            collateral_classes: ["x", "y"].map(String::from).to_vec(),
        }
    }

    #[test]
    fn a_wide_output_that_needs_two_bits_is_warned_of() {
        let data = observe(1 << 24);
        let found = precision(&data, &data, &[]).unwrap();
        assert_eq!(found.needed_bits, Some(2.0), "{found:?}");
        assert!((found.opened_bits - 25.7).abs() < 0.1 && (found.idle_bits - 23.7).abs() < 0.1, "{found:?}");
        assert!(found.warning.unwrap().contains("opens 25.7 bits"));
    }

    #[test]
    fn noise_and_narrow_ranges_leave_nothing_idle() {
        let data = observe(1 << 24);
        let noisy = precision(&data, &data, &[2_f64.powi(20)]).unwrap();
        assert_eq!(noisy.warning, None, "{noisy:?}");
        assert!((noisy.outputs[0].noise_bits - 22.05).abs() < 0.05);
        assert_eq!(precision(&observe(64), &observe(64), &[]).unwrap().warning, None);
        let one = Observations { main: vec![0; 4_000], main_classes: vec!["a".into()], ..observe(1 << 24) };
        assert_eq!(precision(&one, &one, &[]).unwrap().needed_bits, None);
        let floats = Observations { outputs: vec![0.0; 4_000].into(), ..data };
        assert_eq!(precision(&floats, &floats, &[]), None);
    }
}
