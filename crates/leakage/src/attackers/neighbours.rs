//! k nearest neighbours, exact, for every k at once.

mod tree;

use super::sample::Sample;
use crate::metrics::Scores;
use tree::Tree;

/// Votes of the k nearest training rows (Euclidean over standardised, uncorrelated outputs) for every `k` in `ks`:
/// score_c = ln((n_c + prior_c) / (k + 1)).
///
/// One search for the largest k serves them all; ties go to the earlier training row.
pub(crate) fn attack(train: &Sample, test: &[f32], ks: &[usize]) -> Vec<Scores> {
    let prior: Vec<f32> = train.log_prior().iter().map(|p| p.exp()).collect();
    let largest = ks.iter().copied().max().unwrap_or(1).clamp(1, train.len());
    let tree = Tree::build(&train.rows, train.width);
    let mut scores: Vec<Scores> = (ks.iter())
        .map(|_| Scores {
            values: Vec::with_capacity(test.len() / train.width * train.classes),
            classes: train.classes,
        })
        .collect();
    let mut found = Vec::with_capacity(largest + 1);
    for row in test.chunks_exact(train.width) {
        tree.nearest(row, largest, &mut found);
        let mut counts = vec![0usize; train.classes];
        let mut seen = 0;
        let mut order: Vec<usize> = (0..ks.len()).collect();
        order.sort_by_key(|&i| ks[i]);
        for i in order {
            let k = ks[i].clamp(1, largest);
            for &(_, item) in &found[seen..k] {
                counts[train.labels[item as usize] as usize] += 1;
            }
            seen = k;
            let smoothed = counts.iter().zip(&prior);
            let score = smoothed.map(|(&n, p)| ((n as f32 + p) / (k as f32 + 1.0)).ln());
            scores[i].values.extend(score);
        }
    }
    scores
}

/// The `k` nearest rows of a table for every query row, nearest first.
pub(crate) fn nearest_items(rows: &[f32], width: usize, queries: &[f32], k: usize) -> Vec<Vec<u32>> {
    let tree = Tree::build(rows, width);
    let k = k.min(rows.len() / width).max(1);
    let one = |query: &[f32]| {
        let mut found = Vec::with_capacity(k + 1);
        tree.nearest(query, k, &mut found);
        found.iter().map(|f| f.1).collect()
    };
    queries.chunks_exact(width).map(one).collect()
}
