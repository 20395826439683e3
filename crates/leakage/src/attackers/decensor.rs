//! Maps the outputs to those of an undefended network first, then attacks.

use super::config::{Attacker, AttackerConfig, Kind};
use super::decensor_map;
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind {
    form: "decensor-ATTACKER",
    title: "de-censoring",
    text: "Maps the outputs to those of an undefended network first, then attacks.",
    parse: |name, read| name.strip_prefix("decensor-").and_then(read).map(AttackerConfig::decensor),
    quick: Vec::new,
    full: Vec::new,
    together: None,
};

#[derive(Debug)]
struct Decensor {
    then: AttackerConfig,
}

impl AttackerConfig {
    /// Maps the outputs to those of an undefended network first (see [`crate::Extras`]), then attacks with `then`,
    /// which has one model per main class.
    pub fn decensor(then: AttackerConfig) -> AttackerConfig {
        AttackerConfig::new(Decensor { then })
    }
}

impl Attacker for Decensor {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn name(&self) -> String {
        format!("decensor-{}", self.then)
    }

    fn cost(&self) -> usize {
        8
    }

    fn check(&self) -> Result<(), &'static str> {
        if !self.then.needs_undefended()
            && !self.then.is_pooled()
            && !self.then.reads_integers()
            && self.then.validate().is_ok()
        {
            Ok(())
        } else {
            Err("de-censoring goes before one other attacker with a model per class")
        }
    }

    fn needs_undefended(&self) -> bool {
        true
    }

    fn fit_and_predict(&self, train: &Sample, beside: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        match beside.uncensored {
            Some(uncensored) => decensor_map::attack(&self.then, train, uncensored, test, rng),
            // Refused before any attacker starts; the plain attack is closest to what was asked for.
            None => self.then.fit_and_predict(train, Beside::default(), test, rng),
        }
    }
}
