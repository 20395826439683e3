//! Kernel density estimates per class: the plug-in estimator of Bayes' rule.

use super::sample::Sample;
use crate::metrics::Scores;

/// For every bandwidth h (in deviations of a standardised, uncorrelated column),
/// score_c = ln(π_c + Σ_{j in c} exp(−(|x−x_j|² − m²)/2h²)), m the distance to the nearest row.
///
/// The shift by m² changes no ratio; the prior counts as one item at the nearest row's distance, so that an isolated
/// test row is not scored with certainty. Time O(N·rows of `test`·width).
pub(crate) fn attack(train: &Sample, test: &[f32], bandwidths: &[f64]) -> Vec<Scores> {
    let d = train.width;
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.sort_by_key(|&i| train.labels[i]);
    let ends: Vec<usize> =
        (0..train.classes as u32).map(|class| train.labels.iter().filter(|&&l| l <= class).count()).collect();
    let columns: Vec<Vec<f32>> = (0..d).map(|axis| order.iter().map(|&i| train.row(i)[axis]).collect()).collect();
    let prior: Vec<f32> = train.log_prior().iter().map(|p| p.exp()).collect();
    // From wide to narrow: halving the width takes the fourth power of the kernel values.
    let mut widths: Vec<usize> = (0..bandwidths.len()).collect();
    widths.sort_by(|&a, &b| bandwidths[b].total_cmp(&bandwidths[a]));
    let mut scores: Vec<Scores> = (bandwidths.iter())
        .map(|_| Scores { values: Vec::with_capacity(test.len() / d * train.classes), classes: train.classes })
        .collect();
    let mut squares = vec![0.0f32; train.len()];
    let mut kernel = vec![0.0f32; train.len()];
    for row in test.chunks_exact(d) {
        squares.fill(0.0);
        for (column, &x) in columns.iter().zip(row) {
            for (square, &y) in squares.iter_mut().zip(column) {
                *square += (x - y) * (x - y);
            }
        }
        let nearest = squares.iter().copied().fold(f32::INFINITY, f32::min);
        let mut last: Option<f64> = None;
        for &i in &widths {
            let h = bandwidths[i];
            match last {
                Some(last) if last == 2.0 * h => kernel.iter_mut().for_each(|k| {
                    *k *= *k;
                    *k *= *k;
                }),
                _ => {
                    let scale = (-0.5 / (h * h)) as f32;
                    for (k, square) in kernel.iter_mut().zip(&squares) {
                        *k = exp_negative((square - nearest) * scale);
                    }
                }
            }
            last = Some(h);
            let mut from = 0;
            for (&to, prior) in ends.iter().zip(&prior) {
                scores[i].values.push((prior + sum(&kernel[from..to])).ln());
                from = to;
            }
        }
    }
    scores
}

/// exp(x) for x ≤ 0 within 1e-5 relative, 0 below −87; written so that it vectorises.
fn exp_negative(x: f32) -> f32 {
    let y = (x * std::f32::consts::LOG2_E).max(-126.0);
    // Adding 1.5·2²³ rounds to the nearest integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = y + ROUND;
    let whole = shifted - ROUND;
    let t = (y - whole) * std::f32::consts::LN_2;
    let series = 1.0 + t * (1.0 + t * (0.5 + t * (1.0 / 6.0 + t * (1.0 / 24.0 + t * (1.0 / 120.0 + t / 720.0)))));
    let exponent = (shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32 + 127) as u32;
    let power = f32::from_bits(exponent << 23);
    if x < -87.0 { 0.0 } else { series * power }
}

fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (head, tail) = values.as_chunks::<8>();
    for chunk in head {
        for lane in 0..8 {
            lanes[lane] += chunk[lane];
        }
    }
    lanes.iter().sum::<f32>() + tail.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_exponential_is_close() {
        for i in 0..20_000 {
            let x = -(i as f32) * 0.0045;
            let expected = x.exp();
            let got = exp_negative(x);
            assert!((got - expected).abs() <= 1e-5 * expected + 1e-37, "{x}: {got} {expected}");
        }
    }

    #[test]
    fn halved_bandwidths_agree_with_direct_ones() {
        let rows: Vec<f32> = (0..200).map(|i| ((i * 37) % 101) as f32 / 30.0).collect();
        let labels: Vec<u32> = (0..100).map(|i| i % 2).collect();
        let train = Sample { rows: rows.into(), width: 2, labels: labels.into(), classes: 2 };
        let test = [0.3, 1.2, 2.0, 0.1];
        let both = attack(&train, &test, &[0.2, 0.4]);
        let alone = attack(&train, &test, &[0.2]);
        for (a, b) in both[0].values.iter().zip(&alone[0].values) {
            assert!((a - b).abs() < 1e-4);
        }
    }
}
