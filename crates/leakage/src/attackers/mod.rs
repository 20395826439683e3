//! The attackers: each learns `label` from rows of one table and scores the rows of another.
//!
//! Every attacker starts afresh; none has taken part in training the network.

mod convolution;
mod decensor;
mod gaussian;
mod kernel;
mod logistic;
mod neighbours;
mod neural;
mod process;
mod sample;
mod trees;

pub(crate) use decensor::Uncensored;
#[cfg(test)]
pub(crate) use logistic::gaussian as gaussian_number;
pub(crate) use neighbours::nearest_items;
pub(crate) use neural::{fit as neural_fit, predict as neural_predict};
pub(crate) use sample::{Sample, Standardiser, Whitener};

use crate::family::Family;
use crate::metrics::Scores;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trees::ForestOptions;

/// Scores of families that share their work (one neighbour search serves every k), or of one
/// family, in the order given. `uncensored` belongs to the rows of `train`.
pub(crate) fn attack(
    families: &[Family],
    train: &Sample,
    uncensored: Option<Uncensored>,
    test: &[f32],
    seed: u64,
) -> Vec<Scores> {
    if let Some(scores) = constant(train, test.len() / train.width) {
        return vec![scores; families.len()];
    }
    let ks: Vec<usize> = families.iter().filter_map(Family::neighbours).collect();
    if !ks.is_empty() {
        return neighbours::attack(train, test, &ks);
    }
    let widths: Vec<f64> = families.iter().filter_map(Family::bandwidth).collect();
    if !widths.is_empty() {
        return kernel::attack(train, test, &widths);
    }
    let one = |family: &Family| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        single(family, train, uncensored, test, &mut rng)
    };
    families.iter().map(one).collect()
}

fn single(
    family: &Family,
    train: &Sample,
    uncensored: Option<Uncensored>,
    test: &[f32],
    rng: &mut ChaCha8Rng,
) -> Scores {
    let forest = ForestOptions { trees: 150, depth: 30, leaf: 5, bagging: true, extra: false };
    match family {
        Family::Logistic => logistic::attack(train, test),
        Family::Ridge => logistic::ridge(train, test),
        Family::Qda => gaussian::attack(train, test, false),
        Family::NaiveBayes => gaussian::attack(train, test, true),
        Family::Neighbours { k } => neighbours::attack(train, test, &[*k]).swap_remove(0),
        Family::Kernel { bandwidth } => kernel::attack(train, test, &[*bandwidth]).swap_remove(0),
        Family::Fourier { features, relative } => logistic::fourier(train, test, *features, *relative, rng),
        Family::Tree => {
            let options = ForestOptions { trees: 1, depth: 12, leaf: 10, bagging: false, ..forest };
            trees::forest(train, test, &options, rng)
        }
        Family::Forest { leaf } => {
            let options = ForestOptions { leaf: *leaf, ..forest };
            trees::forest(train, test, &options, rng)
        }
        Family::ExtraTrees { leaf } => {
            let options = ForestOptions { leaf: *leaf, extra: true, ..forest };
            trees::forest(train, test, &options, rng)
        }
        Family::Boosting => trees::boosting(train, test, rng),
        Family::Process { rows } => process::attack(train, test, *rows, rng),
        Family::Convolution => convolution::attack(train, test, rng),
        Family::Decensor { then } => match uncensored {
            Some(uncensored) => decensor::attack(then, train, uncensored, test, rng),
            // Refused before any attacker starts; the plain attack is the nearest to what was asked.
            None => single(then, train, None, test, rng),
        },
        Family::Mlp { hidden, epochs } => neural::attack(train, test, hidden, *epochs, rng),
    }
}

/// Where only one value occurs, or none, there is nothing to learn: it is the answer.
fn constant(train: &Sample, rows: usize) -> Option<Scores> {
    let first = train.labels.first();
    if train.labels.iter().any(|l| Some(l) != first) {
        return None;
    }
    Some(Scores { values: train.log_prior().repeat(rows), classes: train.classes })
}
