//! The integrand of the plug-in bound, evaluated on the noise's own lattice.
//!
//! ```text
//! Â = E_{y ~ Σ_v π_v p̂_v} [ max_v π_v p̂_v(y) / Σ_v π_v p̂_v(y) ]
//! ```
//!
//! The normalisation of the noise cancels. Nothing is cut: the noise itself ends at its tail, and samples that
//! differ by no multiple of an output's step never overlap, so low bits count as what they tell.

/// Noise of one output: `step · r`, `r` a discrete Gaussian that never exceeds `tail · deviation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lattice {
    /// Integer factor, at least 1.
    pub step: u64,
    /// σ of `r`, at least 1.
    pub deviation: u32,
    /// Largest |r| in units of σ.
    pub tail: u32,
}

impl Lattice {
    /// `r²/2σ²` of the noise that leads over `difference`; `None` where no noise does.
    fn exponent(&self, difference: i128) -> Option<f64> {
        let step = i128::from(self.step);
        let bound = i128::from(self.deviation) * i128::from(self.tail);
        if step == 0 || self.deviation == 0 || difference % step != 0 || (difference / step).abs() > bound {
            return None;
        }
        Some(0.5 * ((difference / step) as f64 / f64::from(self.deviation)).powi(2))
    }
}

/// Samples of every value of the attribute within one main class.
#[derive(Clone, Debug)]
pub struct Mixture {
    noise: Vec<Lattice>,
    /// `π_v/n_v` of every value.
    weights: Vec<f64>,
    /// Outputs without noise and their value, in the order of the first output.
    samples: Vec<(Vec<i64>, usize)>,
}

impl Mixture {
    /// Samples `(outputs, value)` with a prior for every value. `None` where a sample has another width than the
    /// noise or names no prior, or a value has no sample.
    pub fn new(mut samples: Vec<(Vec<i64>, usize)>, priors: &[f64], noise: Vec<Lattice>) -> Option<Self> {
        let mut counts = vec![0_usize; priors.len()];
        for (outputs, value) in &samples {
            if outputs.is_empty() || outputs.len() != noise.len() {
                return None;
            }
            *counts.get_mut(*value)? += 1;
        }
        if counts.is_empty() || counts.contains(&0) {
            return None;
        }
        let weights = priors.iter().zip(counts).map(|(prior, count)| prior / count as f64).collect();
        samples.sort_unstable();
        Some(Self { noise, weights, samples })
    }

    /// Chance that the best guess at `point` is right, `1` where no sample reaches it: the safe side.
    pub fn ratio(&self, point: &[i64]) -> f64 {
        let Some((first, lattice)) = point.first().zip(self.noise.first()) else { return 1.0 };
        let reach = i128::from(lattice.step) * i128::from(lattice.deviation) * i128::from(lattice.tail);
        let offset = |outputs: &[i64]| outputs.first().map_or(0, |x| i128::from(*x) - i128::from(*first));
        let start = self.samples.partition_point(|(outputs, _)| offset(outputs) < -reach);
        let mut likelihoods = vec![0.0; self.weights.len()];
        for (outputs, value) in self.samples.iter().skip(start).take_while(|(outputs, _)| offset(outputs) <= reach) {
            let differences = point.iter().zip(outputs).map(|(y, x)| i128::from(*y) - i128::from(*x));
            let exponent: Option<f64> = self.noise.iter().zip(differences).map(|(n, d)| n.exponent(d)).sum();
            if let Some(exponent) = exponent {
                likelihoods[*value] += self.weights[*value] * (-exponent).exp();
            }
        }
        let sum: f64 = likelihoods.iter().sum();
        if sum > 0.0 { likelihoods.into_iter().fold(0.0, f64::max) / sum } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_ratio_is_the_sum_of_the_larger_likelihoods() {
        let noise = Lattice { step: 2, deviation: 2, tail: 3 };
        let samples: Vec<_> = [(0, 0), (1, 0), (5, 0), (2, 1), (7, 1)].map(|(x, v)| (vec![x], v)).into();
        let mixture = Mixture::new(samples.clone(), &[0.5, 0.5], vec![noise]).unwrap();
        let weight = |d: i64| if d % 2 == 0 && d.abs() <= 12 { (-((d / 2) as f64).powi(2) / 8.0).exp() } else { 0.0 };
        let whole: f64 = (-12..=12).map(weight).sum();
        let (mut direct, mut mean) = (0.0, 0.0);
        for y in -12..=19 {
            let chance = |v: usize, n: f64| {
                let reached = samples.iter().filter(|s| s.1 == v).map(|s| weight(y - s.0[0]));
                0.5 * reached.sum::<f64>() / n / whole
            };
            let (a, b) = (chance(0, 3.0), chance(1, 2.0));
            direct += f64::max(a, b);
            mean += (a + b) * mixture.ratio(&[y]);
        }
        assert!((direct - mean).abs() < 1e-12 && direct < 0.99, "{direct} {mean}");
    }

    #[test]
    fn a_low_bit_below_the_step_is_read_for_certain() {
        let noise = Lattice { step: 1 << 16, deviation: 10, tail: 6 };
        let samples = (0..40).map(|i| (vec![(i / 2 << 16) + i % 2], (i % 2) as usize)).collect();
        let mixture = Mixture::new(samples, &[0.5, 0.5], vec![noise]).unwrap();
        assert!((0..20).all(|i| mixture.ratio(&[(i << 16) + 1]) == 1.0));
    }
}
