//! One decision tree of depth 12.

use super::config::{Attacker, AttackerConfig, Columns, Kind};
use super::sample::{Beside, Sample};
use super::trees::{self, ForestOptions};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "tree",
    title: "decision tree",
    text: "One decision tree of depth 12.",
    parse: |name, _| (name == "tree").then(AttackerConfig::tree),
    quick: Vec::new,
    full: || vec![AttackerConfig::tree()],
    together: None,
};

#[derive(Debug)]
struct Tree;

impl AttackerConfig {
    /// One decision tree of depth 12.
    pub fn tree() -> AttackerConfig {
        AttackerConfig::new(Tree)
    }
}

impl Attacker for Tree {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        "tree".to_owned()
    }

    fn cost(&self) -> usize {
        1
    }

    fn columns(&self) -> Columns {
        Columns::Both
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        let options = ForestOptions { trees: 1, depth: 12, leaf: 10, bagging: false, extra: false };
        trees::forest(train, test, &options, rng)
    }
}
