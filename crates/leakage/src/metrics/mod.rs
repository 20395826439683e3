//! Figures of merit of one attacker, from its log scores on held-out items.

mod balanced;
mod bits;
mod chance;
mod interval;
mod ranking;

pub(crate) use balanced::{Balance, Recall, balance};
pub(crate) use bits::Calibration;
pub(crate) use chance::{chance, depends};
pub(crate) use interval::normal_cdf;
pub(crate) use interval::normal_quantile;
pub use interval::wilson;
pub(crate) use ranking::{auc, pair_win, tpr_at_fpr};

/// Log scores of items, row-major N·`classes`: larger means more likely, up to a constant per item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scores {
    pub values: Vec<f32>,
    pub classes: usize,
}

impl Scores {
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.classes)
    }

    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.classes..(i + 1) * self.classes]
    }

    pub fn subset(&self, items: &[usize]) -> Scores {
        Scores { values: items.iter().flat_map(|&i| self.row(i)).copied().collect(), classes: self.classes }
    }

    /// Number of items whose best-scored class is the label.
    pub fn correct(&self, labels: &[u32]) -> usize {
        let guessed = self.rows().map(best);
        guessed.zip(labels).filter(|(g, l)| *g == **l as usize).count()
    }

    /// One-against-the-rest log-odds of `class`, per item.
    pub fn odds(&self, class: usize) -> Vec<f32> {
        self.rows()
            .map(|row| {
                let rest = (0..row.len()).filter(|&c| c != class).map(|c| row[c]);
                row[class] - log_sum(rest)
            })
            .collect()
    }
}

/// Index of the largest value, the first of equals.
pub(crate) fn best(row: &[f32]) -> usize {
    let mut at = 0;
    for (i, x) in row.iter().enumerate() {
        if *x > row[at] {
            at = i;
        }
    }
    at
}

/// log Σ exp(x), without overflow.
pub(crate) fn log_sum(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let top = values.clone().fold(f32::NEG_INFINITY, f32::max);
    if !top.is_finite() {
        return top;
    }
    top + values.map(|x| (x - top).exp()).sum::<f32>().ln()
}
