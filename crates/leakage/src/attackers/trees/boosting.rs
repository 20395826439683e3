//! Gradient boosting of small trees on the multinomial log-likelihood.

use super::bins::Bins;
use super::grow::{Growth, Targets, Tree};
use crate::attackers::sample::Sample;
use crate::metrics::{Scores, log_sum};
use rand::RngExt;
use rand::seq::SliceRandom;

const ROUNDS: usize = 150;
/// Rounds without a better held-out likelihood before stopping.
const PATIENCE: usize = 15;
const RATE: f32 = 0.1;
/// One row in this many decides when to stop.
const HELD_OUT: usize = 7;
const GROWTH: Growth = Growth { depth: 5, leaf: 20, columns: usize::MAX, shrink: 1.0, random_threshold: false };

/// Newton boosting (Friedman, 2001; Chen and Guestrin, 2016): trees on gradients y_c − p_c and second derivatives
/// p_c(1−p_c), stopped at the round with the best likelihood on a seventh of the rows.
pub(crate) fn attack(train: &Sample, test: &[f32], rng: &mut impl RngExt) -> Scores {
    let bins = Bins::fit(&train.rows, train.width);
    let codes = bins.code(&train.rows);
    let test_codes = bins.code(test);
    let classes = train.classes;
    let prior = train.log_prior();
    let mut order: Vec<u32> = (0..train.len() as u32).collect();
    order.shuffle(rng);
    let (held, fit) = order.split_at(train.len() / HELD_OUT);
    let mut fitted = prior.repeat(train.len());
    let mut scored = prior.repeat(test.len() / train.width);
    let mut best = (likelihood(train, held, &fitted), scored.clone());
    let mut waited = 0;
    let mut rows = fit.to_vec();
    for _ in 0..ROUNDS {
        // With two classes one tree gives the log-odds of the second.
        let trees: Vec<(usize, Tree)> = (usize::from(classes == 2)..classes)
            .map(|class| {
                let (gradients, weights) = derivatives(train, &fitted, class);
                let targets = Targets { gradients: &gradients, channels: 1, weights: Some(&weights) };
                (class, Tree::grow(&codes, &mut rows, targets, &GROWTH, rng))
            })
            .collect();
        for (scores, codes) in [(&mut fitted, &codes), (&mut scored, &test_codes)] {
            for (row, scores) in scores.chunks_exact_mut(classes).enumerate() {
                for (class, tree) in &trees {
                    scores[*class] += RATE * tree.leaf(codes, row)[0];
                }
            }
        }
        let now = likelihood(train, held, &fitted);
        if now > best.0 {
            best = (now, scored.clone());
            waited = 0;
        } else {
            waited += 1;
            if waited == PATIENCE {
                break;
            }
        }
    }
    Scores { values: best.1, classes }
}

fn derivatives(train: &Sample, fitted: &[f32], class: usize) -> (Vec<f32>, Vec<f32>) {
    let rows = fitted.chunks_exact(train.classes).zip(train.labels.iter());
    rows.map(|(scores, &label)| {
        let p = (scores[class] - log_sum(scores.iter().copied())).exp();
        let target = f32::from(u8::from(label as usize == class));
        (target - p, (p * (1.0 - p)).max(1e-6))
    })
    .unzip()
}

fn likelihood(train: &Sample, items: &[u32], fitted: &[f32]) -> f64 {
    let one = |&item: &u32| {
        let scores = &fitted[item as usize * train.classes..][..train.classes];
        let label = train.labels[item as usize] as usize;
        (scores[label] - log_sum(scores.iter().copied())) as f64
    };
    items.iter().map(one).sum()
}
