//! The certificate: the plug-in, evaluated by chance, with every error added.

use super::error::CertificateError;
use super::input::{CertificateOptions, CertificateSamples, Prior};
use super::maximal::{NoisyOutput, maximal_leakage_bits};
use super::mixture::{Mixture, reach};
use super::report::{Certificate, ClassBound, PooledBound, WeightedBound};
use super::sampler::{REACH_LIMIT, Sampler};
use super::statistics::Evaluated;
use super::terms::{area_bound, evaluation_slack, sampling_slack, upper_mean};
use super::votes::Votes;

const ASSUMPTIONS: [&str; 8] = [
    "the samples are independent draws of the items that will be encrypted",
    "the network was fixed before the samples were drawn: none of them trained, selected or tuned it",
    "the labels are right",
    "within each main class every value of the attribute is equally likely; the pooled bound counts classes alike",
    "each item is encrypted once and its noise is fresh, independent between outputs, with the stated law",
    "these outputs are all that the functions opened under the public key give away",
    "the seed of the evaluation was chosen before its result was seen",
    "a vote bound needs independent items of one subject; that of mixed classes needs them drawn at random, all alike",
];

/// Bounds the accuracy of *every* attacker that reads the collateral attribute of one item from its noisy outputs.
///
/// With `V` equally likely values, `n_v` samples of each and `δ'` a share of `1 − confidence`,
///
/// ```math
/// \text{bound} = \hat A + \sqrt{\tfrac12 \ln \tfrac{1}{\delta'} \sum_v \frac{1}{V^2 n_v}}
///   + \text{evaluation at } \delta' + \text{rounding}
/// ```
///
/// for every main class and, with its own terms, for their mean; all of them hold at once with the stated
/// confidence. `Â` is on average not below the truth, for `max` is convex. It is itself the mean of
/// `max_v p̂_v(y)/Σ_v p̂_v(y)` over points `y` drawn from the samples and fresh noise, whose error
/// [`evaluation_slack`] or [`upper_mean`] bounds; rounding in the table of the noise and in the sums is bounded and
/// added. The noise ends at its tail, so nothing is cut.
///
/// A prior gives a second bound, with `π_v·p̂_v` in place of `p̂_v/V` and `Σ π_v²/n_v` below the root; shares as
/// sampled move the plug-in by `1/n` a sample, which gives `sqrt(ln(1/δ')/(2n))`.
///
/// Vote bounds compose a law of likelihood ratios that tells at least as much as any main class and pair of values, or
/// as all main classes at random: a curve above theirs at every threshold. They never exceed [`many_items`] and
/// [`many_contrasts`] of [`contrast_bound`]. A quarter of `1 − confidence` goes to curves and contrasts, half to
/// each. No attacker is right more often than `(1 + (V − 1)·tv)/V`.
///
/// [`many_items`]: super::many_items
/// [`many_contrasts`]: super::many_contrasts
/// [`contrast_bound`]: super::contrast_bound
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
    let (share, alike) = (1.0 / samples.main_classes.len() as f64, 1.0 / values as f64);
    let deltas = Deltas::new(samples, options);
    // What points tell beyond guessing, and its squares.
    let told = |best: &[f64]| {
        best.iter()
            .map(|best| best - alike)
            .fold((0.0, 0.0), |(sum, squares), told| (sum + told, squares + told * told))
    };
    // The better of two bounds on a mean, by its variance and by its squares: where little is told, the latter.
    let evaluated = |means: &[f64], (sum, squares): (f64, f64), count: usize| {
        let bound = upper_mean(sum, squares, count, 1.0 - alike, (4.0 / deltas.accuracy).ln());
        evaluation_slack(means, 1.0 - alike, 0.5 * deltas.accuracy).min(bound - sum / count as f64)
    };

    let mut members = vec![Vec::new(); samples.main_classes.len()];
    let rows = samples.outputs.chunks_exact(noise.len()).zip(&samples.main).zip(&samples.collateral);
    for ((outputs, main), collateral) in rows {
        members[*main as usize].push((outputs, *collateral as usize));
    }
    let counts: Vec<Vec<usize>> = members.iter().map(|class| count(class, values)).collect();
    enough(samples, &counts, deltas.accuracy)?;
    let prior = options.prior.as_ref().map(|prior| weights(prior, &counts));

    let samplers: Vec<Sampler> = noise.iter().map(|n| Sampler::new(n.deviation, reach(n))).collect();
    let tables: f64 = samplers.iter().map(Sampler::rounding).sum();
    let mut pooled = vec![0.0; options.points];
    let mut pooled_told = (0.0, 0.0);
    let mut weighted = vec![0.0; options.points];
    let mut pooled_values = Vec::new();
    let mut largest = 0.0_f64;
    let mut votes = Votes::new(samples.main_classes.len(), values, deltas.votes);
    let mut classes = Vec::new();
    for (class, (name, counts)) in samples.main_classes.iter().zip(&counts).enumerate() {
        let mixture = Mixture::new(&members[class], values, noise, &samplers);
        let points = Evaluated::new(&mixture, class, options.points, options.seed, values);
        let best = points.best();
        pooled.iter_mut().zip(&best).for_each(|(sum, best)| *sum += share * best);
        if let Some(prior) = &prior {
            weighted.iter_mut().zip(points.weighted(&prior[class])).for_each(|(sum, best)| *sum += best);
        }
        pooled_values.extend(counts.iter().map(|n| (share * alike, *n)));
        let rounding = tables + EXPONENTIAL + 4.0 * f64::EPSILON * mixture.len() as f64;
        largest = largest.max(rounding);
        let own: Vec<_> = counts.iter().map(|n| (alike, *n)).collect();
        let told = told(&best);
        pooled_told = (pooled_told.0 + told.0, pooled_told.1 + told.1);
        let slack = sampling_slack(&own, deltas.accuracy) + evaluated(&best, told, options.points) + rounding;
        let (bound, plug_in, slack) = percent(&best, slack);
        let (total_variation, auc) = areas(bound, values);
        if !options.votes.is_empty() {
            votes.add(&points, counts, total_variation, rounding);
        }
        let (class, items) = (name.clone(), mixture.len());
        classes.push(ClassBound { class, bound, plug_in, slack, items, total_variation, auc });
    }
    let points = options.points * samples.main_classes.len();
    let slack = sampling_slack(&pooled_values, deltas.accuracy) + evaluated(&pooled, pooled_told, points) + largest;
    let (bound, plug_in, slack) = percent(&pooled, slack);
    let (total_variation, auc) = areas(bound, values);
    let worst = classes.iter().map(|class| class.total_variation).fold(0.0, f64::max);
    Ok(Certificate {
        confidence: options.confidence,
        pooled: PooledBound { bound, plug_in, slack, items: samples.main.len(), total_variation, auc },
        classes,
        weighted: options.prior.as_ref().zip(prior).map(|(options, prior)| {
            let sampling = weighted_slack(options, &prior, &counts, deltas.accuracy);
            let range = prior.iter().map(|own| values as f64 * largest_of(own)).sum();
            let slack = sampling + evaluation_slack(&weighted, range, deltas.accuracy) + values as f64 * largest;
            let (bound, plug_in, slack) = percent(&weighted, slack);
            let guessing = 100.0 * prior.iter().map(|own| largest_of(own)).sum::<f64>();
            WeightedBound { bound, plug_in, slack, guessing }
        }),
        votes: votes.bounds(&options.votes, worst, total_variation),
        maximal_leakage_bits: leaked,
        assumptions: ASSUMPTIONS.map(str::to_owned).into(),
    })
}

/// More than what the exponentials of the inner loop change in a share.
const EXPONENTIAL: f64 = 4.0 / (1_u64 << 44) as f64;

/// The probability with which each of the events that a certificate rests on may fail.
struct Deltas {
    /// Two events a class, two for the pooled bound, two for the weighted one.
    accuracy: f64,
    /// All events of the votes together.
    votes: f64,
}

impl Deltas {
    fn new(samples: &CertificateSamples, options: &CertificateOptions) -> Self {
        let whole = 1.0 - options.confidence;
        let votes = if options.votes.is_empty() { 0.0 } else { 0.25 * whole };
        let bounds = samples.main_classes.len() + 1 + usize::from(options.prior.is_some());
        Self { accuracy: (whole - votes) / (2 * bounds) as f64, votes }
    }
}

fn largest_of(prior: &[f64]) -> f64 {
    prior.iter().copied().fold(0.0, f64::max)
}

/// The share of every class and value.
fn weights(prior: &Prior, counts: &[Vec<usize>]) -> Vec<Vec<f64>> {
    match prior {
        Prior::Given(shares) => shares.clone(),
        Prior::Sampled => {
            let items = counts.iter().flatten().sum::<usize>() as f64;
            counts.iter().map(|own| own.iter().map(|count| *count as f64 / items).collect()).collect()
        }
    }
}

fn weighted_slack(prior: &Prior, weights: &[Vec<f64>], counts: &[Vec<usize>], delta: f64) -> f64 {
    let pairs = weights.iter().flatten().copied().zip(counts.iter().flatten().copied());
    match prior {
        Prior::Given(_) => sampling_slack(&pairs.filter(|(weight, _)| *weight > 0.0).collect::<Vec<_>>(), delta),
        Prior::Sampled => sampling_slack(&[(1.0, counts.iter().flatten().sum())], delta),
    }
}

/// Total variation and area under the curve that a bound in percent allows.
fn areas(bound: f64, values: usize) -> (f64, f64) {
    let tv = (values as f64 * bound / 100.0 - 1.0).clamp(0.0, 1.0);
    (tv, area_bound(tv))
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
    if let Some(Prior::Given(shares)) = &options.prior {
        let values = samples.collateral_classes.len();
        if shares.len() != samples.main_classes.len() || shares.iter().any(|own| own.len() != values) {
            return option("prior", shares.len() as f64, "one list a main class, each with one share a value");
        }
        let sum: f64 = shares.iter().flatten().sum();
        if shares.iter().flatten().any(|share| !(0.0..=1.0).contains(share)) || (sum - 1.0).abs() > 1e-9 {
            return option("prior", sum, "shares from 0 to 1, with a sum of 1");
        }
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
