//! Logistic regression on random Fourier features, an approximate kernel machine.

use super::config::{Attacker, AttackerConfig, Columns, Kind, number};
use super::linear_model;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

/// Squared length scale relative to the median squared distance.
const RELATIVE: f64 = 0.25;

pub(super) static KIND: Kind = Kind {
    form: "fourier-FEATURES",
    title: "random Fourier features",
    text: "Logistic regression on random Fourier features, an approximate kernel machine.",
    parse: |name, _| number(name, "fourier-").map(AttackerConfig::fourier),
    quick: Vec::new,
    full: || vec![AttackerConfig::fourier(300)],
    together: None,
};

#[derive(Debug)]
struct Fourier {
    features: usize,
}

impl AttackerConfig {
    /// Logistic regression on random Fourier `features`, 1 to 4096.
    pub fn fourier(features: usize) -> AttackerConfig {
        AttackerConfig::new(Fourier { features })
    }
}

impl Attacker for Fourier {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        format!("fourier-{}", self.features)
    }

    fn cost(&self) -> usize {
        6
    }

    fn check(&self) -> Result<(), &'static str> {
        if (1..=4096).contains(&self.features) { Ok(()) } else { Err("use 1 to 4096 features") }
    }

    fn columns(&self) -> Columns {
        Columns::Uncorrelated
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        linear_model::fourier(train, test, self.features, RELATIVE, rng)
    }
}
