//! What to train, and how; everything has a default, and two presets name the useful ends.

use std::path::PathBuf;

use dataset::draw::DrawSpec;
use encoder::EncoderOptions;
use serde::{Deserialize, Serialize};

use crate::defend::matching::Measure;
pub use crate::float::adversary::Adversary;
pub use crate::float::private::UnitKind;

/// All choices of a training run. Equal options, data and seed give the same network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainOptions {
    /// The label column that the network predicts.
    pub main: String,
    /// The label columns that the outputs should not tell. With several, their combinations are matched,
    /// which matches each of them too.
    pub collateral: Vec<String>,
    /// What a unit computes.
    pub kind: UnitKind,
    /// Units d of the private part: two pairings each under encryption.
    pub units: usize,
    /// Outputs S of the private part: one discrete logarithm each.
    pub outputs: usize,
    /// Hidden widths of the public head.
    pub head: Vec<usize>,
    /// Normalise the outputs over each batch; the final statistics are folded into the weights.
    pub normalise: bool,
    /// How the encoder is fitted on the training images.
    #[serde(skip)]
    pub encoder: EncoderOptions,
    /// What is done against the collateral attribute.
    pub defence: Defence,
    /// Deviation of the noise that the public head learns to live with, as a share of each output's own;
    /// 0 for none. Owners add it under encryption; distributions are matched without it.
    pub noise: f32,
    /// Gradient steps. The three phases of adversarial defences count epochs instead.
    pub steps: usize,
    /// Items per step; with `Defence::Match` the nearest multiple of the number of cells (class × value).
    pub batch: usize,
    /// Peak learning rate of Adam: linear warm-up, then cosine to 1 %.
    pub rate: f64,
    /// Steps of the warm-up.
    pub warm_up: usize,
    /// Largest joint norm of the gradient; longer ones are scaled down.
    pub clip: f32,
    /// Draw new training images all the time, if the training data are drawn characters.
    pub fresh: Option<Fresh>,
    /// Keep the network that an independent attacker reads least, instead of the last one.
    pub selection: Option<Selection>,
    /// Names the run: first weights and the order of the data.
    pub seed: u64,
    /// Where to keep the state of an unfinished run. A run that finds its own state there goes on.
    #[serde(skip)]
    pub checkpoint: Option<Checkpoint>,
    /// Where the tensors live. The result is the same network up to rounding.
    #[serde(skip)]
    pub compute: Compute,
}

/// What is done in training against the collateral attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Defence {
    /// Nothing.
    None,
    /// The paper's three phases against one simulated adversary: minimise `L_main − α·L_collateral`.
    Paper(AdversarialOptions),
    /// The same phases, with the adversary driven to say nothing: `L_main + α·(uniform ‖ adversary)`.
    MaxEnt(AdversarialOptions),
    /// The paper's loss, averaged over several adversaries that start afresh now and then.
    Ensemble(AdversarialOptions),
    /// Matching the distributions of the outputs within every main class; no adversary.
    Match(MatchOptions),
}

/// Options of [`Defence::Match`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchOptions {
    /// Weight λ of the squared maximum mean discrepancy.
    pub weight: f32,
    /// Weight of the pairing loss, beside λ's term; used only with paired data.
    pub pairing: f32,
    /// Number of kernel widths, each a third of the one before (in squared distance).
    pub scales: usize,
    /// Compare distributions without the correlations within each main class, as attackers do.
    pub whiten: bool,
    /// Whether to use pairs; `None` for what the data set says of itself.
    pub paired: Option<bool>,
    /// Shares of the run between which the weights rise from 0 to their full values.
    pub ramp: (f64, f64),
}

/// Options of the defences with simulated adversaries: plain SGD with momentum, as in the paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdversarialOptions {
    /// Weight α of the adversaries' loss.
    pub weight: f32,
    /// The simulated adversaries.
    pub adversaries: Vec<Adversary>,
    /// Epochs of the three phases: initial, sabotage, recovery.
    pub epochs: (usize, usize, usize),
    /// Learning rate of all three parts.
    pub rate: f32,
    /// Momentum, without dampening.
    pub momentum: f32,
    /// Sabotage epochs after which the adversaries start afresh; 0 for never.
    pub restart: usize,
}

/// New drawings in the place of old ones while training; not for the defences with adversaries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fresh {
    /// What the training data were drawn by.
    pub specification: DrawSpec,
    /// Images replaced before each step.
    pub per_step: usize,
    /// Names the new drawings; take another than that of any test or attack data.
    pub seed: u64,
}

/// Choosing among the last states of a run by a k-nearest-neighbours attacker on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Steps between two candidates.
    pub every: usize,
    /// Share of the run after which candidates are taken.
    pub from: f64,
    /// Points of main accuracy that a candidate may lie below the most accurate one so far.
    pub tolerance: f64,
    /// Candidates in a row that are not kept, after which the run ends; 0 for never.
    pub patience: usize,
}

/// Where and how often the state of a run is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The file.
    pub path: PathBuf,
    /// Steps between two writes.
    pub every: usize,
}

/// Where tensors live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compute {
    /// On the CPU, in all threads.
    #[default]
    Cpu,
    /// On the CUDA device of this number.
    #[cfg(feature = "cuda")]
    Cuda(usize),
    /// On the best graphics device that Vulkan, Metal or WebGPU finds.
    #[cfg(feature = "wgpu")]
    Wgpu,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            main: "character".into(),
            collateral: vec!["font".into()],
            kind: UnitKind::Bilinear,
            units: 64,
            outputs: 4,
            head: vec![64, 64],
            normalise: true,
            encoder: EncoderOptions::default(),
            defence: Defence::None,
            noise: 0.0,
            steps: 1200,
            batch: 1000,
            rate: 5e-3,
            warm_up: 100,
            clip: 5.0,
            fresh: None,
            selection: None,
            seed: 0,
            checkpoint: None,
            compute: Compute::Cpu,
        }
    }
}

impl Default for MatchOptions {
    fn default() -> Self {
        Self { weight: 30.0, pairing: 0.3, scales: 6, whiten: true, paired: None, ramp: (0.03, 0.23) }
    }
}

impl MatchOptions {
    /// How a batch is measured.
    pub(crate) fn measure(&self) -> Measure {
        // The batch's loss is λ·(MMD² + share·pairing).
        let share = if self.weight > 0.0 { self.pairing / self.weight } else { 0.0 };
        Measure { scales: self.scales, pairing: share, whiten: self.whiten, discriminant: None }
    }
}

impl Default for AdversarialOptions {
    /// The paper's final runs: α = 1.7, a CNN, 10 + 50 epochs, SGD 0.002 with momentum 0.5.
    fn default() -> Self {
        Self {
            weight: 1.7,
            adversaries: vec![Adversary::Convolutional],
            epochs: (10, 50, 0),
            rate: 0.002,
            momentum: 0.5,
            restart: 0,
        }
    }
}

impl Default for Fresh {
    fn default() -> Self {
        Self { specification: DrawSpec::default(), per_step: 200, seed: 0x6672_6573_6800 }
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self { every: 100, from: 0.7, tolerance: 0.2, patience: 0 }
    }
}

impl TrainOptions {
    /// Under a minute on two cores. Without defence 40,000 items are enough; matching wants 60,000 pairs.
    pub fn quick(defence: Defence) -> Self {
        // 100 items per cell for ten classes and two values: fewer make the discrepancy too noisy.
        let (steps, batch, rate) =
            if matches!(defence, Defence::Match(_)) { (1200, 2000, 6e-3) } else { (800, 1000, 5e-3) };
        Self { defence, steps, batch, rate, ..Self::default() }
    }

    /// The best recipe known: give it 240,000 pairs. About five minutes on two cores.
    pub fn thorough(defence: Defence) -> Self {
        let defence = match defence {
            Defence::Match(options) => Defence::Match(MatchOptions { weight: 40.0, scales: 7, ..options }),
            other => other,
        };
        Self { defence, steps: 4200, batch: 4000, rate: 7e-3, ..Self::default() }
    }

    /// The paper's network and training: 40 squares, head S-32-C, batches of 64, no normalisation.
    pub fn paper(defence: Defence) -> Self {
        Self {
            kind: UnitKind::Squares,
            units: 40,
            head: vec![32],
            normalise: false,
            batch: 64,
            defence,
            ..Self::default()
        }
    }
}
