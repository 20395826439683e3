//! One point of a search, and its results.

use serde::{Deserialize, Serialize};
use training::{Precision, TrainOptions};

/// What varies between the points of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Outputs S.
    pub outputs: usize,
    /// Units d.
    pub units: usize,
    /// Weight of the defence.
    pub weight: f32,
    /// Noise as a fraction of each output's deviation.
    pub noise: f32,
    /// Bits of the integers.
    pub precision: Precision,
}

/// The cost and the results of a point. Accuracies in percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The point.
    #[serde(flatten)]
    pub point: Point,
    /// Main accuracy of the float network, without noise.
    pub main_float: f64,
    /// Main accuracy of the integers, with noise.
    pub main_integer: f64,
    /// Largest accuracy of any attacker over all items, the main label given.
    pub pooled: f64,
    /// Its family.
    pub family: String,
    /// Largest accuracy of any attacker within any main class.
    pub worst_class: f64,
    /// Accuracy on one subject from 140 items; absent if some value of the attribute has fewer test items.
    pub vote: Option<f64>,
    /// Accuracy without outputs.
    pub chance: f64,
    /// Items that attackers learned from, and were scored on.
    pub attack_items: (usize, usize),
    /// An encrypted evaluation, in multiplications of the base field on one thread.
    pub field_muls: f64,
    /// Bytes of a ciphertext.
    pub ciphertext: usize,
    /// Bits of the widest output's declared range.
    pub output_bits: f64,
    /// No other point of the search is better in one of accuracy, leak, cost and as good in the others.
    #[serde(default)]
    pub front: bool,
}

impl Point {
    /// The point of a training without a search.
    pub fn of(options: &TrainOptions) -> Self {
        let TrainOptions { outputs, units, noise, .. } = *options;
        Self { outputs, units, weight: options.defence.weight(), noise, precision: Precision::default() }
    }

    /// The training at this point, with everything else as in `standard`.
    pub fn training(&self, standard: &TrainOptions) -> TrainOptions {
        let mut options = standard.clone();
        (options.outputs, options.units, options.noise) = (self.outputs, self.units, self.noise);
        // Networks are trained on inputs as coarse as the encrypted ones.
        options.encoder.bits = self.precision.input.unwrap_or(options.encoder.bits);
        options.defence.set_weight(self.weight);
        options
    }

    /// Name of the float network in the folder.
    pub fn network(&self) -> String {
        let bits = self.precision.input.map_or_else(String::new, |bits| format!("-x{bits}"));
        format!("S{}-d{}-w{}-n{}{bits}", self.outputs, self.units, self.weight, self.noise)
    }

    /// Name of the point in the folder.
    pub fn name(&self) -> String {
        format!("{}-b{}", self.network(), self.bits().replace('/', "."))
    }

    /// Bits of P and R, of D, of the inputs.
    pub fn bits(&self) -> String {
        let Precision { left, combine, input, .. } = self.precision;
        format!("{left}/{combine}/{}", input.map_or_else(|| "-".to_owned(), |bits| bits.to_string()))
    }
}
