//! The paper's defence: the private part raises the loss of one simulated adversary.

use super::adversarial::Phases;
use super::defence::{Defence, Kind};
use super::phases::AdversarialOptions;
use crate::TrainOptions;
use crate::float::head;

pub(super) static KIND: Kind = Kind {
    name: "paper",
    title: "Paper",
    text: "The paper's three phases against one simulated adversary",
    standard: || Defence::paper(AdversarialOptions::default()),
    preset: TrainOptions::paper,
    read: Some(|stored| erased_serde::deserialize(stored).map(Defence::paper)),
};

impl Defence {
    /// The paper's three phases against one simulated adversary: minimise `L_main − α·L_collateral`.
    pub fn paper(options: AdversarialOptions) -> Self {
        let against = |logits, collateral| -head::cross_entropy(logits, collateral);
        Self::new(Phases { kind: &KIND, options, against })
    }
}
