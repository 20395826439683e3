//! Vote of the k nearest training items.

use super::config::{Attacker, AttackerConfig, Columns, Kind, number};
use super::neighbours;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "knn-K",
    title: "nearest neighbours",
    text: "Vote of the k nearest training items.",
    parse: |name, _| number(name, "knn-").map(AttackerConfig::neighbours),
    quick: || [7, 15, 51, 201].map(AttackerConfig::neighbours).to_vec(),
    full: || [7, 15, 31, 51, 101, 201].map(AttackerConfig::neighbours).to_vec(),
    together: Some(|train, test, ks| {
        neighbours::attack(train, test, &ks.iter().map(|&k| k as usize).collect::<Vec<_>>())
    }),
};

#[derive(Debug)]
struct Neighbours {
    k: usize,
}

impl AttackerConfig {
    /// Vote of the `k` nearest training items, from 1.
    pub fn neighbours(k: usize) -> AttackerConfig {
        AttackerConfig::new(Neighbours { k })
    }
}

impl Attacker for Neighbours {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        format!("knn-{}", self.k)
    }

    fn cost(&self) -> usize {
        3
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.k >= 1 { Ok(()) } else { Err("k must be at least 1") }
    }

    fn columns(&self) -> Columns {
        Columns::Uncorrelated
    }

    fn shared(&self) -> f64 {
        self.k as f64
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], _: &mut ChaCha8Rng) -> Scores {
        neighbours::attack(train, test, &[self.k]).swap_remove(0)
    }
}
