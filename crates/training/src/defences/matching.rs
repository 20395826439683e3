//! Matching the distributions of the outputs within every main class; no adversary.

use serde::{Deserialize, Serialize};

use super::defence::{Defence, Kind, Method, Options, Penalty};
use super::loss::Noise;
use super::loss::discrepancy::{Discriminant, Layout, Measure, matching};
use super::matched;
use crate::TrainOptions;
use crate::train::TrainError;

/// How much more weight matching has with rounded weights than it had with floats.
const HEAVIER: f32 = 5.0;

pub(super) static KIND: Kind = Kind {
    name: "match",
    title: "Match",
    text: "Equal distributions of the outputs within every main class",
    standard: || Defence::matching(MatchOptions::default()),
    preset: TrainOptions::quick,
    read: Some(|stored| erased_serde::deserialize(stored).map(Defence::matching)),
};

/// Options of [`Defence::matching`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchOptions {
    /// Weight λ of the squared maximum mean discrepancy.
    pub weight: f32,
    /// Weight of the pairing loss, in addition to λ's term; used only with paired data.
    pub pairing: f32,
    /// Number of kernel widths, each a third of the previous one (in squared distance).
    pub scales: usize,
    /// Remove the correlations within each main class before comparing distributions, as attackers do.
    pub whiten: bool,
    /// Whether to use pairs; `None` to follow the data set.
    pub paired: Option<bool>,
    /// Fractions of the run between which the weights rise from 0 to their full values.
    pub ramp: (f64, f64),
}

impl Default for MatchOptions {
    fn default() -> Self {
        Self { weight: 30.0, pairing: 0.3, scales: 6, whiten: true, paired: None, ramp: (0.03, 0.23) }
    }
}

impl Defence {
    /// Matching the distributions of the outputs within every main class; no adversary.
    pub fn matching(options: MatchOptions) -> Self {
        Self::new(options)
    }
}

impl Method for MatchOptions {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn copy(&self) -> Box<dyn Method> {
        Box::new(self.clone())
    }

    fn options(&self) -> Option<&dyn Options> {
        Some(self)
    }

    fn check(&self) -> Result<(), TrainError> {
        let weights = [("defence.weight", self.weight), ("defence.pairing", self.pairing)];
        matched::check(&weights, self.scales, self.ramp)
    }

    fn weight(&self) -> f32 {
        self.weight
    }

    fn set_weight(&mut self, weight: f32) {
        self.weight = weight;
    }

    fn quick(&self, options: &mut TrainOptions) {
        // 100 items per cell for ten classes and two values: with fewer the discrepancy is too noisy.
        (options.steps, options.batch, options.rate) = (1200, 2000, 6e-3);
    }

    fn thorough(&self, options: &mut TrainOptions) {
        options.defence = Defence::matching(Self { weight: 40.0, scales: 7, ..self.clone() });
    }

    fn penalty(&self) -> Option<&dyn Penalty> {
        Some(self)
    }

    fn fine_tuning(&self) -> Option<f32> {
        Some(HEAVIER)
    }
}

impl Penalty for MatchOptions {
    fn name(&self) -> &'static str {
        "discrepancy"
    }

    fn paired(&self) -> Option<bool> {
        self.paired
    }

    fn ramp(&self, done: f64) -> f32 {
        matched::ramp(self.ramp, done)
    }

    fn takes_discriminant(&self) -> bool {
        true
    }

    fn descend(
        &self,
        q: &[f32],
        outputs: usize,
        layout: Layout,
        weight: f32,
        _: Noise,
        discriminant: Option<Discriminant>,
    ) -> (Vec<f64>, Vec<f32>) {
        // The batch's loss is λ·(MMD² + share·pairing).
        let share = if self.weight > 0.0 { self.pairing / self.weight } else { 0.0 };
        let measure = Measure { scales: self.scales, pairing: share, whiten: self.whiten, floor: 0.0, discriminant };
        let (matched, gradient) = matching(q, outputs, layout, measure, weight);
        (matched.into_iter().map(|class| class.mmd).collect(), gradient)
    }
}
