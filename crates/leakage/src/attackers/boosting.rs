//! Gradient boosting of trees of depth 5.

use super::config::{Attacker, AttackerConfig, Columns, Kind};
use super::sample::{Beside, Sample};
use super::trees;
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "boosting",
    title: "gradient boosting",
    text: "Gradient boosting of trees of depth 5.",
    parse: |name, _| (name == "boosting").then(AttackerConfig::boosting),
    quick: || vec![AttackerConfig::boosting()],
    full: || vec![AttackerConfig::boosting()],
    together: None,
};

#[derive(Debug)]
struct Boosting;

impl AttackerConfig {
    /// Gradient boosting of trees of depth 5.
    pub fn boosting() -> AttackerConfig {
        AttackerConfig::new(Boosting)
    }
}

impl Attacker for Boosting {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        "boosting".to_owned()
    }

    fn cost(&self) -> usize {
        4
    }

    fn columns(&self) -> Columns {
        Columns::Both
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        trees::boosting(train, test, rng)
    }
}
