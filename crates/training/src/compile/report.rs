//! What compiling found.

use serde::{Deserialize, Serialize};

use super::options::CompileOptions;
use crate::ItemSketch;

/// What compiling found. Accuracies are in percent, on the tenth of the calibration data that was
/// held out from fine-tuning.
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
    /// What a k-nearest-neighbours attacker reads from the float outputs.
    pub neighbours_float: Option<f64>,
    /// What it reads from the integer outputs.
    pub neighbours_integer: Option<f64>,
    /// Items of the calibration data that fine-tuning did not see; the float network may have learned from them.
    pub items: usize,
    /// Percent of the weights of `P` and `R`, biases and units of noise apart, that are 0.
    pub zeros: f64,
    /// Lengths `(n, m)` of the encrypted vectors, after columns without weights were left out.
    pub inputs: (usize, usize),
    /// Largest absolute bias of `P` and `R`.
    pub largest_bias: i64,
    /// Every output.
    pub outputs: Vec<OutputRange>,
    /// The calibration items, so that nothing is certified on them. Networks of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<ItemSketch>,
}

/// The ranges of one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRange {
    /// No encoded input leaves this range.
    pub exact: (i128, i128),
    /// The range on the calibration data.
    pub empirical: (i64, i64),
    /// What the network declares.
    pub declared: (i64, i64),
    /// log₂ of the number of declared values.
    pub bits: f64,
}
