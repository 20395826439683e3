//! Least squares with a ridge penalty.

use super::config::{Attacker, AttackerConfig, Kind};
use super::linear_model;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "ridge",
    title: "ridge regression",
    text: "Least squares with a ridge penalty.",
    parse: |name, _| (name == "ridge").then(AttackerConfig::ridge),
    quick: Vec::new,
    full: || vec![AttackerConfig::ridge()],
    together: None,
};

#[derive(Debug)]
struct Ridge;

impl AttackerConfig {
    /// Least squares with a ridge penalty.
    pub fn ridge() -> AttackerConfig {
        AttackerConfig::new(Ridge)
    }
}

impl Attacker for Ridge {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        "ridge".to_owned()
    }

    fn cost(&self) -> usize {
        1
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], _: &mut ChaCha8Rng) -> Scores {
        linear_model::ridge(train, test)
    }
}
