//! The paper's loss against several adversaries, so that evading one of them is not enough.

use super::adversarial::Phases;
use super::defence::{Defence, Kind};
use super::phases::AdversarialOptions;
use crate::TrainOptions;
use crate::float::adversary::Adversary;
use crate::float::head;

pub(super) static KIND: Kind = Kind {
    name: "ensemble",
    title: "Ensemble",
    text: "The paper's loss against several adversaries that start afresh",
    standard: || Defence::ensemble(standard()),
    preset: TrainOptions::quick,
    read: Some(|stored| erased_serde::deserialize(stored).map(Defence::ensemble)),
};

impl Defence {
    /// The paper's loss, averaged over several adversaries that are reinitialised now and then.
    pub fn ensemble(options: AdversarialOptions) -> Self {
        let against = |logits, collateral| -head::cross_entropy(logits, collateral);
        Self::new(Phases { kind: &KIND, options, against })
    }
}

fn standard() -> AdversarialOptions {
    let adversaries = [&[64, 32][..], &[128], &[64, 32, 16, 8]];
    AdversarialOptions {
        adversaries: adversaries.map(|hidden| Adversary::FeedForward(hidden.to_vec())).into(),
        restart: 5,
        ..AdversarialOptions::default()
    }
}
