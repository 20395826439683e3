//! The certificate: the plug-in, evaluated by chance, with every error added.

use super::error::CertificateError;
use super::input::{CertificateOptions, CertificateSamples};
use super::maximal::{NoisyOutput, maximal_leakage_bits};
use super::mixture::{Mixture, reach};
use super::report::{Certificate, ClassBound, PooledBound, VoteBound};
use super::sampler::{REACH_LIMIT, Sampler};
use super::terms::{evaluation_slack, many_items, sampling_slack};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const ASSUMPTIONS: [&str; 8] = [
    "the samples are independent draws of the items that will be encrypted",
    "the network was fixed before the samples were drawn: none of them trained, selected or tuned it",
    "the labels are right",
    "within each main class every value of the attribute is equally likely; the pooled bound counts classes alike",
    "each item is encrypted once and its noise is fresh, independent between outputs, with the stated law",
    "these outputs are all that the functions opened under the public key tell",
    "the seed of the evaluation was chosen before its result was seen",
    "a vote bound needs independent items; it is the sub-additive bound at the worst main class",
];

/// Bounds the accuracy of *every* attacker that reads the collateral attribute of one item from its noisy outputs.
///
/// With `V` equally likely values, `n_v` samples of each and `δ' = (1 − confidence) / (2·(classes + 1))`,
///
/// ```math
/// \text{bound} = \hat A + \sqrt{\tfrac12 \ln \tfrac{1}{\delta'} \sum_v \frac{1}{V^2 n_v}}
///   + \text{empirical Bernstein at } \delta' + \text{rounding}
/// ```
///
/// for every main class and, with its own terms, for their mean; all of them hold at once with the stated
/// confidence. `Â` is on average not below the truth, for `max` is convex. It is itself the mean of
/// `max_v p̂_v(y)/Σ_v p̂_v(y)` over points `y` drawn from the samples and fresh noise; rounding in the table of the
/// noise and in the sums is bounded and added. The noise ends at its tail, so nothing is cut.
///
/// Vote bounds use nothing but sub-additivity: from the worst class bound `A`, any two values differ by at most
/// `tv = min(1, V·A − 1)`, `k` independent items by `1 − (1 − tv)^k`, and no attacker is right more often than
/// `(1 + (V − 1)·(1 − (1 − tv)^k))/V`. They follow from the class bounds and need no share of δ of their own.
///
/// # Errors
/// [`CertificateError`] for an output without noise, noise or ranges too wide, unequal lengths, unknown labels,
/// samples outside their range, too few samples for the sampling term to stay below half of the way from guessing
/// to certainty, or an option out of its range.
pub fn certify(
    samples: &CertificateSamples,
    noise: &[NoisyOutput],
    options: &CertificateOptions,
) -> Result<Certificate, CertificateError> {
    let leaked = check(samples, noise, options)?;
    let values = samples.collateral_classes.len();
    let (share, prior) = (1.0 / samples.main_classes.len() as f64, 1.0 / values as f64);
    let delta = (1.0 - options.confidence) / (2.0 * (samples.main_classes.len() as f64 + 1.0));
    let range = 1.0 - prior;

    let mut members = vec![Vec::new(); samples.main_classes.len()];
    let rows = samples.outputs.chunks_exact(noise.len()).zip(&samples.main).zip(&samples.collateral);
    for ((outputs, main), collateral) in rows {
        members[*main as usize].push((outputs, *collateral as usize));
    }
    let counts: Vec<Vec<usize>> = members.iter().map(|class| count(class, values)).collect();
    enough(samples, &counts, delta)?;

    let samplers: Vec<Sampler> = noise.iter().map(|n| Sampler::new(n.deviation, reach(n))).collect();
    let tables: f64 = samplers.iter().map(Sampler::rounding).sum();
    let mut pooled = vec![0.0; options.points];
    let mut pooled_values = Vec::new();
    let mut largest = 0.0_f64;
    let mut classes = Vec::new();
    for (class, (name, counts)) in samples.main_classes.iter().zip(&counts).enumerate() {
        let mixture = Mixture::new(&members[class], values, noise, &samplers);
        let ratios: Vec<f64> = (0..options.points)
            .into_par_iter()
            .map(|point| {
                let mut random = ChaCha8Rng::seed_from_u64(options.seed);
                random.set_stream((class * options.points + point) as u64);
                mixture.draw(&mut random)
            })
            .collect();
        pooled.iter_mut().zip(&ratios).for_each(|(sum, ratio)| *sum += share * ratio);
        pooled_values.extend(counts.iter().map(|n| (share * prior, *n)));
        let rounding = tables + 4.0 * f64::EPSILON * mixture.len() as f64;
        largest = largest.max(rounding);
        let own: Vec<_> = counts.iter().map(|n| (prior, *n)).collect();
        let slack = sampling_slack(&own, delta) + evaluation_slack(&ratios, range, delta) + rounding;
        let (bound, plug_in, slack) = percent(&ratios, slack);
        classes.push(ClassBound { class: name.clone(), bound, plug_in, slack, items: mixture.len() });
    }
    let slack = sampling_slack(&pooled_values, delta) + evaluation_slack(&pooled, range, delta) + largest;
    let (bound, plug_in, slack) = percent(&pooled, slack);
    let worst = classes.iter().map(|class| class.bound).fold(0.0, f64::max);
    Ok(Certificate {
        confidence: options.confidence,
        pooled: PooledBound { bound, plug_in, slack, items: samples.main.len() },
        classes,
        votes: options.votes.iter().map(|&k| VoteBound { k, bound: vote(worst, values as f64, k) }).collect(),
        maximal_leakage_bits: leaked,
        assumptions: ASSUMPTIONS.map(str::to_owned).into(),
    })
}

/// Everything but the number of samples; answers the maximal leakage in bits.
fn check(
    samples: &CertificateSamples,
    noise: &[NoisyOutput],
    options: &CertificateOptions,
) -> Result<f64, CertificateError> {
    let option = |field, value, range| Err(CertificateError::Option { field, value, range });
    if !(options.confidence > 0.0 && options.confidence < 1.0) {
        return option("confidence", options.confidence, "above 0 and below 1");
    }
    if options.points < 2 {
        return option("points", options.points as f64, "2 or more");
    }
    if options.votes.contains(&0) {
        return option("votes", 0.0, "1 or more");
    }
    if noise.is_empty() {
        return Err(CertificateError::NoOutputs);
    }
    for (output, n) in noise.iter().enumerate() {
        let steps = u64::from(n.deviation) * u64::from(n.tail);
        if n.step == 0 || steps == 0 {
            return Err(CertificateError::NoNoise { output });
        }
        if steps > REACH_LIMIT {
            return Err(CertificateError::WideNoise { output, reach: steps, limit: REACH_LIMIT });
        }
        let width = i128::from(n.step).abs() * i128::from(steps);
        let fits = |value: i128| i64::try_from(value).is_ok();
        let inside = fits(i128::from(n.low) - 3 * width) && fits(i128::from(n.high) + 3 * width);
        if n.low > n.high || !inside {
            return Err(CertificateError::Range { output, low: n.low, high: n.high });
        }
    }
    let leaked = maximal_leakage_bits(noise).ok_or(CertificateError::NoNoise { output: 0 })?;
    labels(samples, noise.len())?;
    for (row, outputs) in samples.outputs.chunks_exact(noise.len()).enumerate() {
        for (output, (&value, n)) in outputs.iter().zip(noise).enumerate() {
            if !(n.low..=n.high).contains(&value) {
                return Err(CertificateError::OutOfRange { row, output, value, low: n.low, high: n.high });
            }
        }
    }
    Ok(leaked)
}

fn labels(samples: &CertificateSamples, width: usize) -> Result<(), CertificateError> {
    let items = samples.main.len();
    let lengths = [
        ("outputs", samples.outputs.len(), items.saturating_mul(width)),
        ("collateral", samples.collateral.len(), items),
    ];
    for (field, actual, expected) in lengths {
        if actual != expected {
            return Err(CertificateError::Length { field, actual, expected });
        }
    }
    let fields = [
        ("main_classes", "main", &samples.main_classes, &samples.main, 1),
        ("collateral_classes", "collateral", &samples.collateral_classes, &samples.collateral, 2),
    ];
    for (names, field, classes, labels, least) in fields {
        if classes.len() < least {
            return Err(CertificateError::Classes { field: names, actual: classes.len(), least });
        }
        if let Some((row, &value)) = labels.iter().enumerate().find(|(_, label)| **label as usize >= classes.len()) {
            return Err(CertificateError::Label { field, row, value, classes: classes.len() });
        }
    }
    Ok(())
}

fn count(class: &[(&[i64], usize)], values: usize) -> Vec<usize> {
    let mut counts = vec![0; values];
    class.iter().for_each(|(_, value)| counts[*value] += 1);
    counts
}

/// `sqrt(ln(1/δ)/(2·V·n)) ≤ ½·(1 − 1/V)`, solved for `n`.
fn enough(samples: &CertificateSamples, counts: &[Vec<usize>], delta: f64) -> Result<(), CertificateError> {
    let values = samples.collateral_classes.len() as f64;
    let needed = (-2.0 * delta.ln() / values / (1.0 - 1.0 / values).powi(2)).ceil() as usize;
    for (class, counts) in samples.main_classes.iter().zip(counts) {
        for (value, &found) in samples.collateral_classes.iter().zip(counts) {
            if found < needed {
                let (class, value) = (class.clone(), value.clone());
                return Err(CertificateError::TooFewSamples { class, value, found, needed });
            }
        }
    }
    Ok(())
}

/// Bound, plug-in and slack in percent.
fn percent(ratios: &[f64], slack: f64) -> (f64, f64, f64) {
    let plug_in = ratios.iter().sum::<f64>() / ratios.len() as f64;
    (100.0 * (plug_in + slack).min(1.0), 100.0 * plug_in, 100.0 * slack)
}

/// Bound for `k` items in percent, from the worst class bound in percent.
fn vote(worst: f64, values: f64, k: u32) -> f64 {
    let tv = (values * worst / 100.0 - 1.0).clamp(0.0, 1.0);
    100.0 * (1.0 + (values - 1.0) * many_items(tv, k)) / values
}
