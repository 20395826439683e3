//! The attackers: each learns `label` from rows of one table and scores the rows of another.
//!
//! Every attacker starts afresh; none has taken part in training the network.

mod gaussian;
mod kernel;
mod logistic;
mod neighbours;
mod neural;
mod sample;
mod trees;

#[cfg(test)]
pub(crate) use logistic::gaussian as gaussian_number;
pub(crate) use sample::{Sample, Standardiser};

use crate::family::Family;
use crate::metrics::Scores;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trees::ForestOptions;

/// Scores of every family of one kind (see [`Family::kind`]), in the order given.
///
/// Families of a kind share their costly part: one neighbour search serves every k.
pub(crate) fn attack(families: &[Family], train: &Sample, test: &[f32], seed: u64) -> Vec<Scores> {
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
        single(family, train, test, &mut rng)
    };
    families.iter().map(one).collect()
}

fn single(family: &Family, train: &Sample, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
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
        Family::Mlp { hidden, epochs } => neural::attack(train, test, hidden, *epochs, rng),
    }
}

/// Where only one value occurs there is nothing to learn: it is the answer.
fn constant(train: &Sample, rows: usize) -> Option<Scores> {
    let first = *train.labels.first()?;
    if train.labels.iter().any(|&l| l != first) {
        return None;
    }
    Some(Scores { values: train.log_prior().repeat(rows), classes: train.classes })
}
