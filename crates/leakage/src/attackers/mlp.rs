//! Feed-forward network over outputs and main label.

use super::config::{Attacker, AttackerConfig, Kind};
use super::neural;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

/// Passes over the training items; small sets are passed over more often.
const EPOCHS: usize = 12;

pub(super) static KIND: Kind = Kind {
    form: "mlp-WIDTHxWIDTH",
    title: "feed-forward network",
    text: "Feed-forward network over outputs and main label.",
    parse: |name, _| read_widths(name),
    quick: || vec![AttackerConfig::mlp(vec![64, 32])],
    full: || {
        [&[64][..], &[64, 32], &[128, 64, 32], &[256, 128]].map(|hidden| AttackerConfig::mlp(hidden.to_vec())).to_vec()
    },
    together: None,
};

#[derive(Debug)]
struct Mlp {
    hidden: Vec<usize>,
}

impl AttackerConfig {
    /// Feed-forward network over outputs and main label; `hidden`: widths of the hidden layers, each 1 to 4096.
    pub fn mlp(hidden: Vec<usize>) -> AttackerConfig {
        AttackerConfig::new(Mlp { hidden })
    }
}

impl Attacker for Mlp {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        let widths: Vec<String> = self.hidden.iter().map(usize::to_string).collect();
        if widths.is_empty() { "mlp".to_owned() } else { format!("mlp-{}", widths.join("x")) }
    }

    fn cost(&self) -> usize {
        9
    }

    fn check(&self) -> Result<(), &'static str> {
        if !self.hidden.is_empty() && self.hidden.iter().all(|w| (1..=4096).contains(w)) {
            Ok(())
        } else {
            Err("a network needs hidden layers of 1 to 4096 units")
        }
    }

    fn is_pooled(&self) -> bool {
        true
    }

    fn fit_and_predict(&self, train: &Sample, _: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        neural::attack(train, test, &self.hidden, EPOCHS, rng)
    }
}

fn read_widths(name: &str) -> Option<AttackerConfig> {
    let widths = name.strip_prefix("mlp-")?.split('x').map(str::parse);
    Some(AttackerConfig::mlp(widths.collect::<Result<Vec<usize>, _>>().ok()?))
}
