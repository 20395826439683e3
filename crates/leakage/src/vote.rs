//! One subject, k items: the evidence of several outputs added up.

use crate::evaluate::Run;
use crate::metrics::{Scores, best, log_sum, wilson};
use crate::report::Vote;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Subjects drawn per value of the attribute.
const SUBJECTS: usize = 2000;

/// For every k, the family that is strongest on the held-out items of the runs, and its accuracy on
/// the test items.
///
/// A subject has one value of the attribute and k random items of any main label. The attacker adds
/// the log-probabilities of the items, less their mean over all items (so that a biased attacker
/// finds its threshold without labels), and takes the largest. The interval is Wilson's for the
/// number of disjoint subjects that the items allow, because subjects drawn from the same items are
/// not independent.
pub(crate) fn vote(names: &[String], runs: &[Run], test_labels: &[u32], ks: &[usize], seed: u64) -> Vec<Vote> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let classes = first.test_scores.first().map_or(2, |s| s.classes);
    let mut held = vec![vec![0.0; ks.len()]; names.len()];
    let mut test = held.clone();
    for run in runs {
        let sides =
            [(&mut held, &run.held_scores, run.held.collateral.as_slice()), (&mut test, &run.test_scores, test_labels)];
        for (sums, scores, labels) in sides {
            let rates = success(scores, labels, ks, seed);
            for (sums, rates) in sums.iter_mut().zip(rates) {
                let rates = rates.iter().map(|r| r / runs.len() as f64);
                sums.iter_mut().zip(rates).for_each(|(s, r)| *s += r);
            }
        }
    }
    let row = |(at, &k): (usize, &usize)| {
        let family = (0..names.len()).reduce(|a, b| if held[b][at] > held[a][at] { b } else { a })?;
        let subjects: usize =
            (0..classes as u32).map(|value| test_labels.iter().filter(|&&l| l == value).count() / k).sum();
        let rate = test[family][at];
        let (low, high) = wilson(rate * subjects as f64, subjects as f64, 0.95);
        Some(Vote {
            k,
            accuracy: 100.0 * rate,
            low: 100.0 * low,
            high: 100.0 * high,
            family: names[family].clone(),
            chance: 100.0 / classes as f64,
        })
    };
    ks.iter().enumerate().filter_map(row).collect()
}

/// Share of subjects put right, per family and k, mean over values of the attribute.
fn success(scores: &[Scores], labels: &[u32], ks: &[usize], seed: u64) -> Vec<Vec<f64>> {
    let Some(classes) = scores.first().map(|s| s.classes) else {
        return Vec::new();
    };
    let evidence: Vec<Vec<f32>> = scores.iter().map(evidence).collect();
    let mut right = vec![vec![0.0; ks.len()]; scores.len()];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let present = (0..classes as u32).filter(|v| labels.contains(v)).count() as f64;
    for value in 0..classes as u32 {
        let of_value = labels.iter().enumerate().filter(|(_, l)| **l == value);
        let mut items: Vec<usize> = of_value.map(|(i, _)| i).collect();
        if items.is_empty() {
            continue;
        }
        for (at, &k) in ks.iter().enumerate() {
            for _ in 0..SUBJECTS {
                // Without repeats as long as there are enough items.
                let drawn: Vec<usize> = if k <= items.len() {
                    items.partial_shuffle(&mut rng, k).0.to_vec()
                } else {
                    let any = 0..items.len();
                    (0..k).map(|_| items[rng.random_range(any.clone())]).collect()
                };
                for (right, evidence) in right.iter_mut().zip(&evidence) {
                    let mut sums = vec![0.0f32; classes];
                    for &item in &drawn {
                        let row = &evidence[item * classes..(item + 1) * classes];
                        sums.iter_mut().zip(row).for_each(|(s, x)| *s += x);
                    }
                    if best(&sums) == value as usize {
                        right[at] += 1.0 / (SUBJECTS as f64 * present);
                    }
                }
            }
        }
    }
    right
}

/// Log-probabilities, less their mean over the items.
fn evidence(scores: &Scores) -> Vec<f32> {
    let classes = scores.classes;
    let mut out: Vec<f32> = Vec::with_capacity(scores.values.len());
    let mut mean = vec![0.0f64; classes];
    for row in scores.rows() {
        let total = log_sum(row.iter().copied());
        for (mean, x) in mean.iter_mut().zip(row) {
            let x = (x - total).max(-30.0);
            *mean += x as f64;
            out.push(x);
        }
    }
    let n = (out.len() / classes).max(1) as f64;
    for row in out.chunks_exact_mut(classes) {
        row.iter_mut().zip(&mean).for_each(|(x, m)| *x -= (m / n) as f32);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attackers::gaussian_number;
    use crate::metrics::normal_cdf;

    #[test]
    fn agrees_with_the_closed_form() {
        // Log-odds N(±μ, 1) of an item give a subject's sum N(±kμ, k): accuracy Φ(√k·μ).
        let (n, mu) = (200_000, 0.1f64);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let labels: Vec<u32> = (0..n).map(|i| i % 2).collect();
        let odds = labels.iter().map(|&l| {
            let sign = if l == 1 { 1.0 } else { -1.0 };
            // A bias of the attacker must not matter.
            0.4 + sign * mu + gaussian_number(&mut rng)
        });
        // log p1 − log p0 = odds.
        let values = odds.flat_map(|o| {
            let p1 = -(1.0 + (-o).exp()).ln();
            [(p1 - o) as f32, p1 as f32]
        });
        let scores = Scores { values: values.collect(), classes: 2 };
        let ks = [1, 20, 140];
        let rates = success(&[scores], &labels, &ks, 0);
        for (rate, k) in rates[0].iter().zip(ks) {
            let expected = normal_cdf((k as f64).sqrt() * mu);
            assert!((rate - expected).abs() < 0.02, "k {k}: {rate} {expected}");
        }
    }
}
