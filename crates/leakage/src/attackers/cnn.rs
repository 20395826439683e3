//! Convolutional network after a linear junction, over outputs and main label.

use super::config::{Attacker, AttackerConfig, Kind};
use super::convolution;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "cnn",
    title: "convolutional network",
    text: "Convolutional network after a linear junction, over outputs and main label.",
    parse: |name, _| (name == "cnn").then(AttackerConfig::convolution),
    quick: Vec::new,
    full: || vec![AttackerConfig::convolution()],
    together: None,
};

#[derive(Debug)]
struct Convolution;

impl AttackerConfig {
    /// Convolutional network after a linear junction, over outputs and main label.
    pub fn convolution() -> AttackerConfig {
        AttackerConfig::new(Convolution)
    }
}

impl Attacker for Convolution {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        "cnn".to_owned()
    }

    fn cost(&self) -> usize {
        11
    }

    fn is_pooled(&self) -> bool {
        true
    }

    fn row_limit(&self) -> Option<usize> {
        Some(convolution::ROWS)
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        convolution::attack(train, test, rng)
    }
}
