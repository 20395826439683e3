//! Attackers of integers that differ only in the readings that they propose.

use std::fmt;

use super::config::{Attacker, Kind};
use super::hidden::{Hidden, Reading};
use super::sample::{Beside, Sample};
use crate::metrics::Scores;
use rand_chacha::ChaCha8Rng;

/// The parts in which attackers of integers without settings differ. Such an attacker is left out where outputs are
/// floats, and uses one model for all main classes.
pub(super) trait Reader: fmt::Debug + Send + Sync {
    /// The kind in the registry; its form is the attacker's name.
    fn kind(&self) -> &'static Kind;

    /// Rough relative cost.
    fn cost(&self) -> usize;

    /// The columns it reads: outputs, or combinations of them.
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
