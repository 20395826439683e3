//! Gaussian process with Laplace's approximation.

use super::config::{Attacker, AttackerConfig, Columns, Kind, number};
use super::process;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "gp-ROWS",
    title: "Gaussian process",
    text: "Gaussian process with Laplace's approximation.",
    parse: |name, _| number(name, "gp-").map(AttackerConfig::process),
    quick: Vec::new,
    full: || vec![AttackerConfig::process(500)],
    together: None,
};

#[derive(Debug)]
struct Process {
    rows: usize,
}

impl AttackerConfig {
    /// Gaussian process on at most `rows` training items per main class, 10 to 5000.
    pub fn process(rows: usize) -> AttackerConfig {
        AttackerConfig::new(Process { rows })
    }
}

impl Attacker for Process {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        format!("gp-{}", self.rows)
    }

    fn cost(&self) -> usize {
        8
    }

    fn check(&self) -> Result<(), &'static str> {
        if (10..=5000).contains(&self.rows) { Ok(()) } else { Err("use 10 to 5000 rows") }
    }

    fn columns(&self) -> Columns {
        Columns::Uncorrelated
    }

    fn row_limit(&self) -> Option<usize> {
        Some(self.rows)
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        process::attack(train, test, self.rows, rng)
    }
}
