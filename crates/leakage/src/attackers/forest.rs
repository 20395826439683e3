//! Random forest of 150 trees.

use super::config::{Attacker, AttackerConfig, Columns, Kind, number};
use super::sample::{Beside, Sample};
use super::trees::{self, ForestOptions};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "forest-LEAF",
    title: "random forest",
    text: "Random forest of 150 trees.",
    parse: |name, _| number(name, "forest-").map(AttackerConfig::forest),
    quick: || vec![AttackerConfig::forest(5)],
    full: || vec![AttackerConfig::forest(1), AttackerConfig::forest(10)],
    together: None,
};

#[derive(Debug)]
struct Forest {
    leaf: usize,
}

impl AttackerConfig {
    /// Random forest of 150 trees; `leaf`: least number of items in a leaf, from 1.
    pub fn forest(leaf: usize) -> AttackerConfig {
        AttackerConfig::new(Forest { leaf })
    }
}

impl Attacker for Forest {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        format!("forest-{}", self.leaf)
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
        let options = ForestOptions { trees: 150, depth: 30, leaf: self.leaf, bagging: true, extra: false };
        trees::forest(train, test, &options, rng)
    }
}
