//! Multinomial logistic regression, on the columns or on random Fourier features of them.

use super::sample::Sample;
use crate::linear::{cholesky, gram, solve};
use crate::metrics::Scores;
use rand::RngExt;

/// Steps of the solver; each is one pass over the rows.
const STEPS: usize = 150;
/// L2 penalty per item on weights of standardised columns: keeps weights finite on separable data.
const PENALTY: f64 = 1e-4;

/// Linear log-odds in the standardised columns.
pub(crate) fn attack(train: &Sample, test: &[f32]) -> Scores {
    let expand = |rows: &[f32]| with_constant(rows, train.width);
    fit_and_score(train, &expand(&train.rows), &expand(test), train.width + 1)
}

/// Logistic regression on random Fourier features √(2/D)·cos(w·x/ℓ + b), which approximate a
/// support vector machine or logistic regression with kernel exp(−|x−y|²/2ℓ²) (Rahimi and Recht,
/// 2007). ℓ² is the median squared distance times `relative`.
pub(crate) fn fourier(train: &Sample, test: &[f32], features: usize, relative: f64, rng: &mut impl RngExt) -> Scores {
    let d = train.width;
    let scale = (median_square_distance(train, rng) * relative).max(1e-12).sqrt();
    let weights: Vec<f64> = (0..features * d).map(|_| gaussian(rng) / scale).collect();
    let phases: Vec<f64> = (0..features).map(|_| rng.random_range(0.0..std::f64::consts::TAU)).collect();
    let amplitude = 2f64.sqrt();
    let expand = |rows: &[f32]| -> Vec<f64> {
        let mut out = Vec::with_capacity(rows.len() / d * (features + 1));
        for row in rows.chunks_exact(d) {
            out.push(1.0);
            out.extend(weights.chunks_exact(d).zip(&phases).map(|(w, b)| {
                let angle: f64 = w.iter().zip(row).map(|(w, &x)| w * x as f64).sum();
                amplitude * (angle + b).cos()
            }));
        }
        out
    };
    fit_and_score(train, &expand(&train.rows), &expand(test), features + 1)
}

/// Least squares on ±1 targets with a ridge penalty: the linear probe of many papers.
pub(crate) fn ridge(train: &Sample, test: &[f32]) -> Scores {
    let d = train.width + 1;
    let rows = with_constant(&train.rows, train.width);
    let mut matrix = gram(&rows, d);
    for i in 1..d {
        matrix[i * d + i] += 1.0;
    }
    let factor = cholesky(&matrix, d, 1e-9);
    let mut weights = vec![0.0; train.classes * d];
    for (weights, class) in weights.chunks_exact_mut(d).zip(0u32..) {
        for (row, &label) in rows.chunks_exact(d).zip(train.labels.iter()) {
            let target = if label == class { 1.0 } else { -1.0 };
            weights.iter_mut().zip(row).for_each(|(w, x)| *w += target * x);
        }
        solve(&factor, d, weights);
    }
    score(&weights, &with_constant(test, train.width), d, train.classes)
}

/// Minimises mean cross-entropy plus penalty by steps with a fixed upper bound of the Hessian, ½(I − 11ᵀ/C) ⊗ XᵀX
/// (Böhning, "Multinomial logistic regression algorithm", 1992), accelerated by Nesterov's momentum with restarts; a
/// pass costs N·d·C.
fn fit_and_score(train: &Sample, rows: &[f64], test: &[f64], d: usize) -> Scores {
    let classes = train.classes;
    let n = train.len() as f64;
    let mut bound = gram(rows, d);
    bound.iter_mut().for_each(|x| *x *= 0.5);
    for i in 0..d {
        bound[i * d + i] += n * if i == 0 { 1e-9 } else { PENALTY };
    }
    let factor = cholesky(&bound, d, 1e-9);
    let mut weights = vec![0.0; classes * d];
    let mut ahead = weights.clone();
    let (mut momentum, mut last_loss) = (1.0f64, f64::INFINITY);
    let mut gradient = vec![0.0; classes * d];
    for _ in 0..STEPS {
        gradient.fill(0.0);
        let mut loss = 0.0;
        let mut p = vec![0.0; classes];
        for (row, &label) in rows.chunks_exact(d).zip(train.labels.iter()) {
            for (p, w) in p.iter_mut().zip(ahead.chunks_exact(d)) {
                *p = crate::linear::dot(w, row);
            }
            let top = p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let own = p[label as usize] - top;
            p.iter_mut().for_each(|p| *p = (*p - top).exp());
            let total: f64 = p.iter().sum();
            loss += total.ln() - own;
            for (c, g) in gradient.chunks_exact_mut(d).enumerate() {
                let error = p[c] / total - f64::from(c == label as usize);
                g.iter_mut().zip(row).for_each(|(g, x)| *g += error * x);
            }
        }
        for (g, w) in gradient.chunks_exact_mut(d).zip(ahead.chunks_exact(d)) {
            for i in 1..d {
                g[i] += n * PENALTY * w[i];
                loss += 0.5 * n * PENALTY * w[i] * w[i];
            }
            solve(&factor, d, g);
        }
        let next: Vec<f64> = ahead.iter().zip(&gradient).map(|(a, g)| a - g).collect();
        let moved = next.iter().zip(&weights).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        momentum = if loss > last_loss { 1.0 } else { momentum };
        last_loss = loss;
        let following = 0.5 * (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt());
        let push = (momentum - 1.0) / following;
        ahead = next.iter().zip(&weights).map(|(a, b)| a + push * (a - b)).collect();
        weights = next;
        momentum = following;
        if moved < 1e-6 {
            break;
        }
    }
    score(&weights, test, d, classes)
}

fn score(weights: &[f64], rows: &[f64], d: usize, classes: usize) -> Scores {
    let scored = rows.chunks_exact(d).flat_map(|row| {
        let weights = weights.chunks_exact(d);
        weights.map(move |w| crate::linear::dot(w, row) as f32)
    });
    Scores { values: scored.collect(), classes }
}

fn with_constant(rows: &[f32], width: usize) -> Vec<f64> {
    let rows = rows.chunks_exact(width);
    rows.flat_map(|row| std::iter::once(1.0).chain(row.iter().map(|&x| x as f64))).collect()
}

/// Median of 500 random pairs.
pub(super) fn median_square_distance(train: &Sample, rng: &mut impl RngExt) -> f64 {
    let mut squares: Vec<f64> = (0..500)
        .map(|_| {
            let [a, b] = [0; 2].map(|_| train.row(rng.random_range(0..train.len())));
            a.iter().zip(b).map(|(a, b)| ((a - b) as f64).powi(2)).sum()
        })
        .collect();
    squares.sort_by(f64::total_cmp);
    squares[squares.len() / 2]
}

/// A standard normal number (Box and Muller).
pub(crate) fn gaussian(rng: &mut impl RngExt) -> f64 {
    let (a, b): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}
