//! Quadratic discriminant analysis: one Gaussian per value.

use super::config::{Attacker, AttackerConfig, Kind};
use super::densities;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "qda",
    title: "quadratic discriminant",
    text: "Quadratic discriminant analysis: one Gaussian per value.",
    parse: |name, _| (name == "qda").then(AttackerConfig::qda),
    quick: || vec![AttackerConfig::qda()],
    full: || vec![AttackerConfig::qda()],
    together: None,
};

#[derive(Debug)]
struct Qda;

impl AttackerConfig {
    /// Quadratic discriminant analysis: one Gaussian per value.
    pub fn qda() -> AttackerConfig {
        AttackerConfig::new(Qda)
    }
}

impl Attacker for Qda {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        "qda".to_owned()
    }

    fn cost(&self) -> usize {
        1
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], _: &mut ChaCha8Rng) -> Scores {
        densities::attack(train, test, false)
    }
}
