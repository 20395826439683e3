//! The paper's game: given one main label and two values of the attribute, say which.

use crate::evaluate::Run;
use crate::metrics::{Scores, pair_win};
use crate::observations::Observations;
use crate::report::Distinguisher;

const Z95: f64 = 1.959_964;

/// Plays both games with one family's scores: the mean over runs, main classes and pairs of values, weighted by their
/// number of items. `None` where no class has two values.
///
/// With one output the advantage is TPR − FPR where the likelihoods are equal, that is, where the attacker's
/// probabilities equal the frequencies of the two values among the training items. Its variance is that of a difference
/// of two proportions. With two outputs success is the area under the ROC curve, with Hanley and McNeil's variance.
pub(crate) fn distinguisher(
    name: &str,
    runs: &[Run],
    family: usize,
    train: &Observations,
    test: &Observations,
) -> Option<Distinguisher> {
    let values = test.collateral_classes.len();
    let mut counts = vec![0.5_f32; test.main_classes.len() * values];
    for (&main, &value) in train.main.iter().zip(&train.collateral) {
        counts[main as usize * values + value as usize] += 1.0;
    }
    let mut total = Total::default();
    for run in runs {
        let scores = run.test_scores.get(family)?;
        for class in 0..test.main_classes.len() as u32 {
            for b in 1..test.collateral_classes.len() as u32 {
                for a in 0..b {
                    let count = |value: u32| counts[class as usize * values + value as usize];
                    play(scores, test, class, [a, b], (count(b) / count(a)).ln(), &mut total);
                }
            }
        }
    }
    if total.weight == 0.0 {
        return None;
    }
    let w = total.weight;
    // Runs share their test items, so more runs do not reduce the error.
    let error = |variance: f64| (variance * runs.len() as f64).sqrt() / w * Z95;
    let (advantage, pair) = (total.gap / w, 100.0 * total.win / w);
    let (gap_error, pair_error) = (error(total.gap_variance), 100.0 * error(total.win_variance));
    Some(Distinguisher {
        family: name.to_owned(),
        advantage,
        low: advantage - gap_error,
        high: (advantage + gap_error).min(1.0),
        pair_accuracy: pair,
        pair_low: (pair - pair_error).max(0.0),
        pair_high: (pair + pair_error).min(100.0),
    })
}

#[derive(Default)]
struct Total {
    weight: f64,
    gap: f64,
    gap_variance: f64,
    win: f64,
    win_variance: f64,
}

fn play(scores: &Scores, test: &Observations, class: u32, pair: [u32; 2], threshold: f32, total: &mut Total) {
    let [a, b] = pair;
    let items = (0..test.len()).filter(|&i| test.main[i] == class && pair.contains(&test.collateral[i]));
    let items: Vec<usize> = items.collect();
    let odds = items.iter().map(|&i| {
        let row = scores.row(i);
        row[b as usize] - row[a as usize]
    });
    let odds: Vec<f32> = odds.collect();
    let positive: Vec<bool> = items.iter().map(|&i| test.collateral[i] == b).collect();
    let Some((win, error)) = pair_win(&odds, &positive) else {
        return;
    };
    let rate = |wanted: bool| {
        let side = odds.iter().zip(&positive).filter(|(_, p)| **p == wanted);
        let (said, all) = side.fold((0.0, 0.0), |(s, n), (o, _)| (s + f64::from(u8::from(*o > threshold)), n + 1.0));
        let share: f64 = said / all;
        (share, share * (1.0 - share) / all)
    };
    let ((hits, hits_variance), (alarms, alarms_variance)) = (rate(true), rate(false));
    let weight = items.len() as f64;
    total.weight += weight;
    total.gap += weight * (hits - alarms);
    total.gap_variance += weight * weight * (hits_variance + alarms_variance);
    total.win += weight * win;
    total.win_variance += weight * weight * error * error;
}
