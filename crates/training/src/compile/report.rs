//! The report of a compilation.

use serde::{Deserialize, Serialize};

use super::options::CompileOptions;
use crate::ItemSketch;

/// Idle bits of one output that are worth a warning.
pub const IDLE_BITS: f64 = 8.0;

/// The report of a compilation. Accuracies are in percent, on the tenth of the calibration data that was held out from
/// fine-tuning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompileReport {
    /// All options.
    pub options: CompileOptions,
    /// Bits of the encoded inputs.
    pub input_bits: u32,
    /// Main accuracy of the float network.
    pub accuracy_float: f64,
    /// Main accuracy after rounding alone, without fine-tuning.
    pub accuracy_rounded: f64,
    /// Main accuracy of the integer network.
    pub accuracy_integer: f64,
    /// Percent of the held-out items with an output outside its declared range; 0 with exact ranges.
    pub outside: f64,
    /// Accuracy of a k-nearest-neighbours attacker on the float outputs.
    pub neighbours_float: Option<f64>,
    /// Its accuracy on the integer outputs.
    pub neighbours_integer: Option<f64>,
    /// Items of the calibration data that fine-tuning did not use; the float network may have been trained on them.
    pub items: usize,
    /// Percent of the weights of `P` and `R` that are 0, not counting biases and units of noise.
    pub zeros: f64,
    /// Lengths `(n, m)` of the encrypted vectors, after columns without weights were removed.
    pub inputs: (usize, usize),
    /// Largest absolute bias of `P` and `R`.
    pub largest_bias: i64,
    /// Every output.
    pub outputs: Vec<OutputRange>,
    /// The least number of bits of each output, relative to its range on the calibration data, at which the head
    /// predicts as well as with all bits, within a fifth of a point or one standard error. Networks of earlier versions
    /// have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_bits: Option<f64>,
    /// A sketch of the calibration items, so that nothing is certified on them. Networks of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<ItemSketch>,
}

impl CompileReport {
    /// A warning about outputs that are far finer than anything needs; absent where no output has more than
    /// [`IDLE_BITS`] idle bits.
    pub fn warning(&self) -> Option<String> {
        let needed = self.needed_bits?;
        let widest = |a: usize, b: usize| if self.outputs[b].idle_bits > self.outputs[a].idle_bits { b } else { a };
        let at = (0..self.outputs.len()).reduce(widest)?;
        let OutputRange { empirical: (low, high), noise_bits, idle_bits, .. } = self.outputs[at];
        let opened = model::width_bits(low.into(), high.into());
        (idle_bits > IDLE_BITS).then(|| {
            format!(
                "output {at} opens {opened:.1} bits on the calibration data, of which the head needs {needed:.0} and \
                 noise covers {noise_bits:.1}: key holders also see the other {idle_bits:.1}, whatever they contain; \
                 choose more noise, or fewer bits of weights and inputs"
            )
        })
    }
}

/// The ranges of one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRange {
    /// No encoded input leaves this range.
    pub exact: (i128, i128),
    /// The range on the calibration data.
    pub empirical: (i64, i64),
    /// The declared range.
    pub declared: (i64, i64),
    /// log₂ of the number of declared values.
    pub bits: f64,
    /// Bits of the range on the calibration data that noise covers: the entropy of what owners add.
    #[serde(default)]
    pub noise_bits: f64,
    /// Bits of that range that neither noise covers nor the head needs ([`CompileReport::needed_bits`]).
    #[serde(default)]
    pub idle_bits: f64,
}
