//! The paper's phases, with the adversary's predictions driven to uniform instead of wrong.

use burn::tensor::activation::log_softmax;

use super::adversarial::Phases;
use super::defence::{Defence, Kind};
use super::phases::AdversarialOptions;
use crate::TrainOptions;

pub(super) static KIND: Kind = Kind {
    name: "maxent",
    title: "MaxEnt",
    text: "The same phases; the adversary's predictions are pushed towards uniform ones",
    standard: || Defence::max_ent(AdversarialOptions::default()),
    preset: TrainOptions::quick,
    read: Some(|stored| erased_serde::deserialize(stored).map(Defence::max_ent)),
};

impl Defence {
    /// The paper's phases, with the adversary's predictions driven to uniform: `L_main + α·(uniform ‖ adversary)`.
    pub fn max_ent(options: AdversarialOptions) -> Self {
        // Cross-entropy from the uniform distribution: smallest when the adversary's predictions are uniform.
        Self::new(Phases { kind: &KIND, options, against: |logits, _| -log_softmax(logits, 1).mean() })
    }
}
