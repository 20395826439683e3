//! Bagged trees: random forest, extremely random trees, and the single tree.

use super::bins::Bins;
use super::grow::{Growth, Targets, Tree};
use crate::attackers::sample::Sample;
use crate::metrics::Scores;
use rand::RngExt;

/// Shape of a forest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForestOptions {
    pub trees: usize,
    pub depth: usize,
    pub leaf: usize,
    /// Draw rows with replacement and √width columns per split; otherwise all of them.
    pub bagging: bool,
    /// Random thresholds on all rows (Geurts, Ernst and Wehenkel, 2006).
    pub extra: bool,
}

/// score_c = ln of the mean fraction of class c in the leaves, smoothed by half an item.
pub(crate) fn attack(train: &Sample, test: &[f32], options: &ForestOptions, rng: &mut impl RngExt) -> Scores {
    let bins = Bins::fit(&train.rows, train.width);
    let codes = bins.code(&train.rows);
    let test_codes = bins.code(test);
    let classes = train.classes;
    // With two classes the fraction of the second is enough.
    let first = if classes == 2 { 1 } else { 0 };
    let channels = classes - first;
    let mut gradients = vec![0.0; train.len() * channels];
    for (targets, &label) in gradients.chunks_exact_mut(channels).zip(train.labels.iter()) {
        if label as usize >= first {
            targets[label as usize - first] = 1.0;
        }
    }
    let root = (train.width as f64).sqrt().round() as usize;
    let growth = Growth {
        depth: options.depth,
        leaf: options.leaf,
        columns: if options.bagging || options.extra { root.max(1) } else { train.width },
        shrink: 0.0,
        random_threshold: options.extra,
    };
    let targets = Targets { gradients: &gradients, channels, weights: None };
    let items = test.len() / train.width;
    let mut shares = vec![0.0f32; items * classes];
    for _ in 0..options.trees {
        let all = 0..train.len() as u32;
        let mut rows: Vec<u32> = if options.bagging && !options.extra {
            all.clone().map(|_| rng.random_range(all.clone())).collect()
        } else {
            all.collect()
        };
        let tree = Tree::grow(&codes, &mut rows, targets, &growth, rng);
        for (i, shares) in shares.chunks_exact_mut(classes).enumerate() {
            let leaf = tree.leaf(&test_codes, i);
            shares[first..].iter_mut().zip(leaf).for_each(|(s, l)| *s += l);
            if first == 1 {
                shares[0] += 1.0 - leaf[0];
            }
        }
    }
    let prior: Vec<f32> = train.log_prior().iter().map(|p| p.exp()).collect();
    let trees = options.trees as f32;
    let smoothed = shares.chunks_exact(classes).flat_map(|shares| {
        let shares = shares.iter().zip(&prior);
        shares.map(|(s, p)| ((s.max(0.0) + 0.5 * p) / (trees + 0.5)).ln())
    });
    Scores { values: smoothed.collect(), classes }
}
