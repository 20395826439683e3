//! Extremely random trees, 150.

use super::config::{Attacker, AttackerConfig, Columns, Kind, number};
use super::sample::{Beside, Sample};
use super::trees::{self, ForestOptions};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "extra-trees-LEAF",
    title: "extremely random trees",
    text: "Extremely random trees, 150.",
    parse: |name, _| number(name, "extra-trees-").map(AttackerConfig::extra_trees),
    quick: Vec::new,
    full: || vec![AttackerConfig::extra_trees(5)],
    together: None,
};

#[derive(Debug)]
struct ExtraTrees {
    leaf: usize,
}

impl AttackerConfig {
    /// Extremely random trees, 150; `leaf`: least number of items in a leaf, from 1.
    pub fn extra_trees(leaf: usize) -> AttackerConfig {
        AttackerConfig::new(ExtraTrees { leaf })
    }
}

impl Attacker for ExtraTrees {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        format!("extra-trees-{}", self.leaf)
    }

    fn cost(&self) -> usize {
        5
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.leaf >= 1 { Ok(()) } else { Err("a leaf must hold at least 1 item") }
    }

    fn columns(&self) -> Columns {
        Columns::Both
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        let options = ForestOptions { trees: 150, depth: 30, leaf: self.leaf, bagging: true, extra: true };
        trees::forest(train, test, &options, rng)
    }
}
