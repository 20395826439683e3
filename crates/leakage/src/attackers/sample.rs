//! The table that an attacker learns from.

use crate::metrics::Scores;
use crate::outputs::Outputs;
use rand::RngExt;
use rand::seq::index;
use std::borrow::Cow;

/// Outputs of an undefended network on the training rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uncensored<'a> {
    /// Row-major, one row per training row.
    pub rows: &'a Outputs,
    pub width: usize,
}

/// The integers of the rows of all main classes, in the order of the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Integers<'a> {
    /// Row-major, as keys open them.
    pub train: &'a [i64],
    pub test: &'a [i64],
    pub width: usize,
    /// Main label of every row.
    pub train_main: &'a [u32],
    pub test_main: &'a [u32],
    pub main_classes: usize,
}

/// What an attacker may use in addition to standardised rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'a> {
    pub uncensored: Option<Uncensored<'a>>,
    /// For attackers of all main classes, where outputs are integers.
    pub integers: Option<Integers<'a>>,
}

/// Labelled rows, standardised, of one main class or of all.
#[derive(Debug, Clone)]
pub(crate) struct Sample<'a> {
    /// Row-major, N·`width`.
    pub rows: Cow<'a, [f32]>,
    pub width: usize,
    pub labels: Cow<'a, [u32]>,
    /// Number of values that a label can take, at least two of which occur.
    pub classes: usize,
}

impl Sample<'_> {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn row(&self, i: usize) -> &[f32] {
        &self.rows[i * self.width..(i + 1) * self.width]
    }

    /// A sample of at most `most` rows; drawn at random, because rows may be ordered by label.
    pub fn some(&self, most: usize, rng: &mut impl RngExt) -> Sample<'_> {
        let Sample { width, classes, .. } = *self;
        if self.len() <= most {
            return Sample { rows: self.rows[..].into(), width, labels: self.labels[..].into(), classes };
        }
        let chosen = index::sample(rng, self.len(), most);
        let rows: Vec<f32> = chosen.iter().flat_map(|i| self.row(i)).copied().collect();
        let labels: Vec<u32> = chosen.iter().map(|i| self.labels[i]).collect();
        Sample { rows: rows.into(), width, labels: labels.into(), classes }
    }

    /// Scores of test rows from the class frequencies alone.
    pub fn blind(&self, test: &[f32]) -> Scores {
        Scores { values: self.log_prior().repeat(test.len() / self.width), classes: self.classes }
    }

    /// Logarithms of the smoothed class frequencies.
    pub fn log_prior(&self) -> Vec<f32> {
        let mut counts = vec![0usize; self.classes];
        self.labels.iter().for_each(|&l| counts[l as usize] += 1);
        let total = self.len() as f32 + 0.5 * self.classes as f32;
        (counts.iter()).map(|&c| ((c as f32 + 0.5) / total).ln()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// The convolutional attacker once learned from only the first of its rows, all of one main class.
    #[test]
    fn some_rows_are_not_the_first_ones() {
        let rows: Vec<f32> = (0..400).map(|i| i as f32).collect();
        let labels: Vec<u32> = (0..200).map(|i| i / 50).collect();
        let sample = Sample { rows: rows.into(), width: 2, labels: labels.into(), classes: 4 };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let some = sample.some(80, &mut rng);
        assert_eq!(some.len(), 80);
        for label in 0..4 {
            let count = some.labels.iter().filter(|&&found| found == label).count();
            assert!((10..=30).contains(&count), "{count} of label {label}");
        }
        for i in 0..some.len() {
            assert_eq!(some.row(i)[0] as u32 / 100, some.labels[i]);
        }
        assert_eq!(sample.some(200, &mut rng).rows, sample.rows);
    }
}
