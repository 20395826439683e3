//! One Gaussian with independent outputs per value.

use super::config::{Attacker, AttackerConfig, Kind};
use super::densities;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "naive-bayes",
    title: "naive Bayes",
    text: "One Gaussian with independent outputs per value.",
    parse: |name, _| (name == "naive-bayes").then(AttackerConfig::naive_bayes),
    quick: Vec::new,
    full: || vec![AttackerConfig::naive_bayes()],
    together: None,
};

#[derive(Debug)]
struct NaiveBayes;

impl AttackerConfig {
    /// One Gaussian with independent outputs per value.
    pub fn naive_bayes() -> AttackerConfig {
        AttackerConfig::new(NaiveBayes)
    }
}

impl Attacker for NaiveBayes {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        "naive-bayes".to_owned()
    }

    fn cost(&self) -> usize {
        1
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], _: &mut ChaCha8Rng) -> Scores {
        densities::attack(train, test, true)
    }
}
