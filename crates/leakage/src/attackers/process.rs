//! Gaussian process classification with Laplace's approximation.

use super::linear_model::median_square_distance;
use super::sample::Sample;
use crate::linear::{cholesky, dot, solve};
use crate::metrics::Scores;
use rand::RngExt;
use rand::seq::index;

/// Rows used to choose the length scale.
const TRIAL_ROWS: usize = 200;
/// Squared length scales tried, relative to the median squared distance.
const SCALES: [f64; 4] = [0.03, 0.1, 0.4, 1.6];
/// Prior variance of the latent function.
const VARIANCE: f64 = 2.0;
const NEWTON_STEPS: usize = 12;

/// Log-odds of every value against the rest: the latent mean k(x)ᵀ∇ln p(y|f̂) of a process with kernel
/// σ²·exp(−|x−y|²/2ℓ²) and a logistic likelihood, on at most `rows` training rows. ℓ maximises the approximate marginal
/// likelihood (Rasmussen and Williams, 2006, algorithms 3.1 and 3.2). Time O(rows³) per value.
pub(crate) fn attack(train: &Sample, test: &[f32], rows: usize, rng: &mut impl RngExt) -> Scores {
    let d = train.width;
    let median = median_square_distance(train, rng).max(1e-12);
    let train = train.some(rows, rng);
    let n = train.len();
    let points: Vec<f64> = train.rows.iter().map(|&x| x as f64).collect();
    let signs =
        |class: u32| -> Vec<f64> { train.labels.iter().map(|&l| if l == class { 1.0 } else { -1.0 }).collect() };
    // With two values one process serves both.
    let classes: Vec<u32> = if train.classes == 2 { vec![1] } else { (0..train.classes as u32).collect() };
    let first = signs(classes[0]);
    // Rows may be ordered by label.
    let trial = index::sample(rng, n, n.min(TRIAL_ROWS)).into_vec();
    let tried: Vec<f64> = trial.iter().flat_map(|&i| &points[i * d..(i + 1) * d]).copied().collect();
    let signs_tried: Vec<f64> = trial.iter().map(|&i| first[i]).collect();
    let scale = SCALES
        .iter()
        .map(|s| s * median)
        .map(|scale| (fit(&tried, d, &signs_tried, scale).1, scale))
        .reduce(|a, b| if b.0 > a.0 { b } else { a })
        .map_or(median, |best| best.1);
    let derivatives: Vec<Vec<f64>> = classes.iter().map(|&class| fit(&points, d, &signs(class), scale).0).collect();
    let mut values = Vec::with_capacity(test.len() / d * train.classes);
    let mut covariance = vec![0.0; n];
    for row in test.chunks_exact(d) {
        for (k, point) in covariance.iter_mut().zip(points.chunks_exact(d)) {
            let square: f64 = point.iter().zip(row).map(|(a, &b)| (a - b as f64).powi(2)).sum();
            *k = VARIANCE * (-0.5 * square / scale).exp();
        }
        if train.classes == 2 {
            values.push(0.0);
        }
        values.extend(derivatives.iter().map(|derivatives| dot(&covariance, derivatives) as f32));
    }
    Scores { values, classes: train.classes }
}

/// ∇ln p(y|f̂) at the mode f̂ and the approximate log marginal likelihood.
fn fit(points: &[f64], d: usize, signs: &[f64], scale: f64) -> (Vec<f64>, f64) {
    let n = signs.len();
    let mut kernel = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let pairs = points[i * d..(i + 1) * d].iter().zip(&points[j * d..(j + 1) * d]);
            let square: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
            let k = VARIANCE * (-0.5 * square / scale).exp();
            kernel[i * n + j] = k;
            kernel[j * n + i] = k;
        }
    }
    let multiply = |x: &[f64]| -> Vec<f64> { kernel.chunks_exact(n).map(|row| dot(row, x)).collect() };
    let mut latent = vec![0.0; n];
    let mut derivatives = vec![0.0; n];
    let mut likelihood = f64::NEG_INFINITY;
    for _ in 0..NEWTON_STEPS {
        let p: Vec<f64> = latent.iter().map(|f| 1.0 / (1.0 + f64::exp(-f))).collect();
        let weights: Vec<f64> = p.iter().map(|p| (p * (1.0 - p)).max(1e-9)).collect();
        let roots: Vec<f64> = weights.iter().map(|w| w.sqrt()).collect();
        for i in 0..n {
            derivatives[i] = (signs[i] + 1.0) / 2.0 - p[i];
        }
        let mut b = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                b[i * n + j] = roots[i] * kernel[i * n + j] * roots[j];
            }
            b[i * n + i] += 1.0;
        }
        let factor = cholesky(&b, n, 1e-12);
        let target: Vec<f64> = (0..n).map(|i| weights[i] * latent[i] + derivatives[i]).collect();
        let mut a = multiply(&target);
        a.iter_mut().zip(&roots).for_each(|(a, r)| *a *= r);
        solve(&factor, n, &mut a);
        let a: Vec<f64> = (0..n).map(|i| target[i] - roots[i] * a[i]).collect();
        latent = multiply(&a);
        let fits: f64 = latent.iter().zip(signs).map(|(f, y)| -(1.0 + (-y * f).exp()).ln()).sum();
        let volume: f64 = (0..n).map(|i| factor[i * n + i].ln()).sum();
        let now = fits - 0.5 * dot(&a, &latent) - volume;
        if (now - likelihood).abs() < 1e-6 * n as f64 {
            likelihood = now;
            break;
        }
        likelihood = now;
    }
    for ((derivative, f), y) in derivatives.iter_mut().zip(&latent).zip(signs) {
        *derivative = (y + 1.0) / 2.0 - 1.0 / (1.0 + (-f).exp());
    }
    (derivatives, likelihood)
}
