//! Options of training; everything has a default, and two presets serve quick and thorough runs.

use std::path::PathBuf;

use dataset::draw::DrawSpec;
use encoder::EncoderOptions;
use serde::{Deserialize, Serialize};

use crate::Defence;
pub use crate::float::private::UnitKind;

/// All choices of a training run. Equal options, data and seed give the same network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainOptions {
    /// The label column that the network predicts.
    pub main: String,
    /// The label columns that the outputs must not reveal. With several, their combinations are matched, which matches
    /// each of them too.
    pub collateral: Vec<String>,
    /// The function that a unit computes.
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
    /// The defence of the collateral attribute.
    pub defence: Defence,
    /// Deviation of the noise that the public head learns to tolerate, as a fraction of each output's own; 0 for none.
    /// Owners add it under encryption; distributions are matched without it.
    pub noise: f32,
    /// Gradient steps. The three phases of adversarial defences count epochs instead.
    pub steps: usize,
    /// Items per step; with [`Defence::matching`] the nearest multiple of the number of cells (class × value).
    pub batch: usize,
    /// Peak learning rate of Adam: linear warm-up, then cosine to 1 %.
    pub rate: f64,
    /// Steps of the warm-up.
    pub warm_up: usize,
    /// Largest joint norm of the gradient; larger gradients are scaled down.
    pub clip: f32,
    /// Keep drawing new training images, if the training data are drawn characters.
    pub fresh: Option<Fresh>,
    /// Keep the network on which an independent attacker does worst, instead of the last one.
    pub selection: Option<Selection>,
    /// Random seed of the initial weights and the order of the data.
    pub seed: u64,
    /// The file for the state of an unfinished run. A run that finds its own state there resumes.
    #[serde(skip)]
    pub checkpoint: Option<Checkpoint>,
    /// Where the tensors live. The result is the same network up to rounding.
    #[serde(skip)]
    pub compute: Compute,
}

/// New drawings instead of old ones while training; not for the defences with adversaries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fresh {
    /// The specification that the training data were drawn by.
    pub specification: DrawSpec,
    /// Images replaced before each step.
    pub per_step: usize,
    /// Random seed of the new drawings; choose another than that of any test or attack data.
    pub seed: u64,
}

/// Choosing among the last states of a run by a k-nearest-neighbours attacker on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Steps between two candidates.
    pub every: usize,
    /// Fraction of the run after which candidates are taken.
    pub from: f64,
    /// Points of main accuracy that a candidate may lie below the most accurate one so far.
    pub tolerance: f64,
    /// Consecutive rejected candidates after which the run ends; 0 for never.
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
            defence: Defence::none(),
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
    /// Under a minute on two cores. Without defence 40,000 items are enough; matching needs 60,000 pairs.
    pub fn quick(defence: Defence) -> Self {
        let mut options = Self { defence: defence.clone(), steps: 800, batch: 1000, rate: 5e-3, ..Self::default() };
        defence.method().quick(&mut options);
        options
    }

    /// The best recipe known: give it 240,000 pairs. About five minutes on two cores.
    pub fn thorough(defence: Defence) -> Self {
        let mut options = Self { defence: defence.clone(), steps: 4200, batch: 4000, rate: 7e-3, ..Self::default() };
        defence.method().thorough(&mut options);
        options
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
