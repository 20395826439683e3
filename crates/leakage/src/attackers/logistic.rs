//! Multinomial logistic regression.

use super::config::{Attacker, AttackerConfig, Kind};
use super::linear_model;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "logistic",
    title: "logistic regression",
    text: "Multinomial logistic regression.",
    parse: |name, _| (name == "logistic").then(AttackerConfig::logistic),
    quick: || vec![AttackerConfig::logistic()],
    full: || vec![AttackerConfig::logistic()],
    together: None,
};

#[derive(Debug)]
struct Logistic;

impl AttackerConfig {
    /// Multinomial logistic regression.
    pub fn logistic() -> AttackerConfig {
        AttackerConfig::new(Logistic)
    }
}

impl Attacker for Logistic {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        "logistic".to_owned()
    }

    fn cost(&self) -> usize {
        1
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], _: &mut ChaCha8Rng) -> Scores {
        linear_model::attack(train, test)
    }
}
