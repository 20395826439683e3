//! Attackers of integers that differ in the readings that they propose, and in nothing else.

use std::fmt;

use super::config::{Attacker, Kind};
use super::hidden::{Hidden, Reading};
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

/// What is its own of an attacker of integers without settings. It takes no part where outputs are floats, and serves all
/// main classes with one model.
pub(super) trait Reader: fmt::Debug + Send + Sync {
    /// The kind in the registry; its form is the attacker's name.
    fn kind(&self) -> &'static Kind;

    /// Rough relative cost.
    fn cost(&self) -> usize;

    /// The columns looked at: outputs, or combinations of them.
    fn columns(&self, width: usize) -> Vec<Vec<(usize, i64)>>;

    /// The readings that may enter the model, strongest first.
    fn readings(&self, hidden: &Hidden, rng: &mut ChaCha8Rng) -> Vec<Reading>;
}

impl<R: Reader> Attacker for R {
    fn kind(&self) -> &'static Kind {
        Reader::kind(self)
    }

    fn name(&self) -> String {
        Reader::kind(self).form.to_owned()
    }

    fn cost(&self) -> usize {
        Reader::cost(self)
    }

    fn is_pooled(&self) -> bool {
        true
    }

    fn reads_integers(&self) -> bool {
        true
    }

    fn fit_and_predict(&self, train: &Sample, beside: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        let Some(integers) = beside.integers else { return train.blind(test) };
        let hidden = Hidden::new(train, integers, &Reader::columns(self, integers.width), rng);
        hidden.attack(&self.readings(&hidden, rng))
    }
}
