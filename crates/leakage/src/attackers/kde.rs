//! Bayes' rule on kernel density estimates.

use super::config::{Attacker, AttackerConfig, Columns, Kind, number};
use super::kernel;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "kde-WIDTH",
    title: "kernel densities",
    text: "Bayes' rule on kernel density estimates.",
    parse: |name, _| number(name, "kde-").map(AttackerConfig::kernel),
    quick: Vec::new,
    full: || [0.05, 0.1, 0.2, 0.4, 0.8].map(AttackerConfig::kernel).to_vec(),
    together: Some(kernel::attack),
};

#[derive(Debug)]
struct Kernel {
    bandwidth: f64,
}

impl AttackerConfig {
    /// Bayes' rule on kernel density estimates; `bandwidth`: in deviations of the decorrelated outputs within a main
    /// class, above 0.
    pub fn kernel(bandwidth: f64) -> AttackerConfig {
        AttackerConfig::new(Kernel { bandwidth })
    }
}

impl Attacker for Kernel {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        format!("kde-{}", self.bandwidth)
    }

    fn cost(&self) -> usize {
        7
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.bandwidth > 0.0 && self.bandwidth.is_finite() { Ok(()) } else { Err("the bandwidth must be above 0") }
    }

    fn columns(&self) -> Columns {
        Columns::Uncorrelated
    }

    fn shared(&self) -> f64 {
        self.bandwidth
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], _: &mut ChaCha8Rng) -> Scores {
        kernel::attack(train, test, &[self.bandwidth]).swap_remove(0)
    }
}
