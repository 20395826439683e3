//! Options of a compilation.

use model::Range;
use serde::{Deserialize, Serialize};

use super::CompileError;
use super::defence::CompileDefence;
use super::error::require;
use crate::Compute;

/// All choices of a compilation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompileOptions {
    /// Bits of weights and inputs.
    pub precision: Precision,
    /// Keep only this many input columns, those that matter most: encryption costs by column.
    pub columns: Option<usize>,
    /// Leave columns whose weights are all 0 out of the encoder.
    pub drop_dead: bool,
    /// Gradient steps of the fine-tuning with rounded weights; 0 rounds only.
    pub steps: usize,
    /// Items per step.
    pub batch: usize,
    /// Peak learning rate of Adam.
    pub rate: f64,
    /// Fraction of the steps, at the end, in which only biases and the head move, at a rate that starts again. Until
    /// then weights jump between integers, and no step sees how later jumps change the distributions; biases are fine
    /// enough to correct that.
    pub settle: f64,
    /// The defence of the collateral attribute during fine-tuning.
    pub defence: CompileDefence,
    /// Weight of the discriminant ratio, in addition to matching: `(d′)²` of a linear attacker on random Fourier
    /// features, mean over main classes (Harchaoui, Bach and Moulines 2008). It responds to fine differences that
    /// kernels hardly see, and needs at least 1,000 items of every main class in a batch.
    pub discriminant: f32,
    /// Deviation of the noise that owners add under encryption, as a fraction of each output's own; `None` for that of
    /// the training.
    pub noise: Option<f32>,
    /// Deviation of the noise that fine-tuning learns with; `None` for that of the owners. More keeps main classes further
    /// apart. The head always learns with the owners' noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned_noise: Option<f32>,
    /// How the declared range of the outputs is chosen.
    pub range: Range,
    /// The discrete logarithm covers at most `2^log_bits` values per output.
    pub log_bits: u32,
    /// Random seed of the order of the data.
    pub seed: u64,
    /// Where tensors live while fine-tuning.
    #[serde(skip)]
    pub compute: Compute,
}

/// Bits of every kind of number, sign included for weights: `b` bits go from `−(2^(b−1) − 1)` to
/// `2^(b−1) − 1`, so that 2 bits are the ternary weights −1, 0, 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Precision {
    /// Of `P`, 2 to 16.
    pub left: u32,
    /// Of `R`, 2 to 16.
    pub right: u32,
    /// Of `D`, 2 to 16.
    pub combine: u32,
    /// Of the encoded inputs, 1 to 16; `None` for the encoder's own.
    pub input: Option<u32>,
}

impl Default for Precision {
    fn default() -> Self {
        Self { left: 4, right: 4, combine: 5, input: None }
    }
}

impl Precision {
    /// The smallest outputs that keep the accuracy: 3/4/3 bits, about 20-bit outputs.
    pub fn small() -> Self {
        Self { left: 3, right: 3, combine: 4, input: Some(3) }
    }
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self {
            precision: Precision::default(),
            columns: None,
            drop_dead: true,
            steps: 600,
            batch: 2000,
            rate: 1e-3,
            settle: 0.0,
            defence: CompileDefence::AsTrained,
            discriminant: 0.0,
            noise: None,
            learned_noise: None,
            range: Range::Exact,
            log_bits: 40,
            seed: 0,
            compute: Compute::Cpu,
        }
    }
}

impl CompileOptions {
    /// Under half a minute on two cores.
    pub fn quick() -> Self {
        Self { steps: 400, ..Self::default() }
    }

    /// The best recipe known: batches so large that matching sees more than sampling noise.
    pub fn thorough() -> Self {
        Self { steps: 2000, batch: 16_000, ..Self::default() }
    }
}

impl CompileOptions {
    pub(super) fn check(&self) -> Result<(), CompileError> {
        let Precision { left, right, combine, input } = self.precision;
        let weights = [("precision.left", left), ("precision.right", right), ("precision.combine", combine)];
        for (field, bits) in weights {
            require((2..=16).contains(&bits), field, bits, "choose from 2 to 16 bits")?;
        }
        if let Some(bits) = input {
            require((1..=16).contains(&bits), "precision.input", bits, "choose from 1 to 16 bits")?;
        }
        if let Some(columns) = self.columns {
            require(columns > 0, "columns", columns, "keep at least 1")?;
        }
        require((1..=1 << 20).contains(&self.batch), "batch", self.batch, "choose from 1 to 1048576")?;
        require(self.rate.is_finite() && self.rate > 0.0, "rate", self.rate, "choose a positive number")?;
        require(
            (0.0..=1.0).contains(&self.settle),
            "settle",
            self.settle,
            "choose a fraction of the steps, from 0 to 1",
        )?;
        require((1..=63).contains(&self.log_bits), "log_bits", self.log_bits, "choose from 1 to 63")?;
        self.defence.check()?;
        let good = self.discriminant.is_finite() && self.discriminant >= 0.0;
        require(good, "discriminant", self.discriminant, "choose a number from 0")?;
        for (field, noise) in [("noise", self.noise), ("learned_noise", self.learned_noise)] {
            if let Some(noise) = noise {
                let good = (0.0..=10.0).contains(&noise);
                require(good, field, noise, "choose a fraction of an output's deviation, from 0 to 10")?;
            }
        }
        if let Range::Empirical { margin_bits } = self.range {
            let good = (0.0..=32.0).contains(&margin_bits);
            require(good, "range.margin_bits", margin_bits, "choose from 0 to 32")?;
        }
        Ok(())
    }
}
