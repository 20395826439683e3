//! Bits that an attacker's scores reveal, after calibration.

use super::{Scores, log_sum};

/// Turns log scores into probabilities: `p_c ∝ exp(slope·score_c + bias_c)`, fitted by maximum likelihood on held-out
/// items, because most attackers' raw scores are overconfident (Platt scaling, extended to any number of classes).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    slope: f64,
    bias: Vec<f64>,
}

impl Calibration {
    /// Fits `slope` (at least 0) and biases by damped Newton steps on `slope` and the prior-matching update on the
    /// biases; the likelihood is concave, so both converge.
    pub fn fit(scores: &Scores, labels: &[u32]) -> Calibration {
        let classes = scores.classes;
        let mut fit = Calibration { slope: 1.0, bias: vec![0.0; classes] };
        let mut counts = vec![0.5; classes];
        labels.iter().for_each(|&l| counts[l as usize] += 1.0);
        for _ in 0..60 {
            let (mut gradient, mut curvature) = (0.0, 1e-9);
            let mut mass = vec![0.5; classes];
            for (row, &label) in scores.rows().zip(labels) {
                let p = fit.probabilities(row);
                let centred = |c: usize| (row[c] - row[0]) as f64;
                let mean: f64 = (0..classes).map(|c| p[c] * centred(c)).sum();
                let square: f64 = (0..classes).map(|c| p[c] * centred(c).powi(2)).sum();
                gradient += centred(label as usize) - mean;
                curvature += square - mean * mean;
                mass.iter_mut().zip(&p).for_each(|(m, p)| *m += p);
            }
            let step = (gradient / curvature).clamp(-0.5, 0.5);
            let before = fit.slope;
            fit.slope = (fit.slope + step).max(0.0);
            let mut moved = (fit.slope - before).abs();
            for c in 0..classes {
                let update = (counts[c] / mass[c]).ln();
                fit.bias[c] += update;
                moved = moved.max(update.abs());
            }
            if moved < 1e-5 {
                break;
            }
        }
        fit
    }

    /// Probabilities of the classes of one item.
    pub fn probabilities(&self, row: &[f32]) -> Vec<f64> {
        let scaled: Vec<f32> =
            (row.iter().zip(&self.bias)).map(|(x, b)| (self.slope * (x - row[0]) as f64 + b) as f32).collect();
        let total = log_sum(scaled.iter().copied());
        scaled.iter().map(|x| ((x - total) as f64).exp()).collect()
    }

    /// Code length of the labels, bits per item.
    pub fn code_length(&self, scores: &Scores, labels: &[u32]) -> f64 {
        let total: f64 = (scores.rows().zip(labels))
            .map(|(row, &label)| -self.probabilities(row)[label as usize].max(1e-12).log2())
            .sum();
        total / labels.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overconfident_scores_are_scaled_back() {
        // Right 80 % of the time, but stating odds of e^10.
        let n = 5000;
        let labels: Vec<u32> = (0..n).map(|i| (i % 2) as u32).collect();
        let values = labels.iter().enumerate().flat_map(|(i, &l)| {
            let says = if i % 10 < 8 { l } else { 1 - l };
            if says == 1 { [-5.0, 5.0] } else { [5.0, -5.0] }
        });
        let scores = Scores { values: values.collect(), classes: 2 };
        let fit = Calibration::fit(&scores, &labels);
        let entropy = -(0.8f64 * 0.8f64.log2() + 0.2 * 0.2f64.log2());
        assert!((fit.code_length(&scores, &labels) - entropy).abs() < 1e-3);
    }
}
