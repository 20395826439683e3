//! Main classes that leak more count more: tilted empirical risk minimisation (Li, Beirami, Sanjabi and Smith 2021).
//!
//! With `ℓ_c ≥ 0` the leak of class `c` and `ℓ̄` their mean, a class has the weight
//!
//! ```text
//! w_c = C·exp(t·ℓ_c/ℓ̄) / Σ_k exp(t·ℓ_k/ℓ̄)            mean 1 over the C classes; t = 0: all equal
//! ```
//!
//! the gradient of `ln mean exp(t·ℓ_c)`, which tends to the largest leak as `t` grows. The leak of one batch is mostly
//! its sampling error, so `ℓ_c` is a running mean over batches.

/// The share of the past in a running mean: about the last 50 batches.
const KEPT: f32 = 0.98;

/// The largest leak that counts, in units of the mean: weights stay finite where one class has all of it.
const MOST: f32 = 5.0;

/// Running leaks of the main classes, and the weights that follow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tilt {
    tilt: f32,
    /// `Σ (1 − kept)·kept^age·leak`, empty before the first batch. A short past makes all of them too small alike.
    leaks: Vec<f32>,
}

impl Tilt {
    /// Before the first batch.
    pub(crate) fn new(tilt: f32) -> Self {
        Self { tilt, leaks: Vec::new() }
    }

    /// What a checkpoint stores.
    pub(crate) fn leaks(&self) -> &[f32] {
        &self.leaks
    }

    /// Goes on where a checkpoint stopped.
    pub(crate) fn resume(&mut self, leaks: Vec<f32>) {
        self.leaks = leaks;
    }

    /// Adds the leak of every class in a batch, if there is any: before the penalty has a weight there is none.
    pub(crate) fn add(&mut self, leaks: &[f64]) {
        if self.tilt > 0.0 && !leaks.is_empty() {
            self.leaks.resize(leaks.len(), 0.0);
            self.leaks
                .iter_mut()
                .zip(leaks)
                .for_each(|(mean, &leak)| *mean = KEPT * *mean + (1.0 - KEPT) * leak as f32);
        }
    }

    /// The weight of every class; `None` while nothing is known, or where all count the same.
    pub(crate) fn weights(&self) -> Option<Vec<f32>> {
        if self.leaks.is_empty() {
            return None;
        }
        // Estimates without bias may be negative.
        let leaks = self.leaks.iter().map(|leak| leak.max(0.0));
        let mean = (leaks.clone().sum::<f32>() / self.leaks.len() as f32).max(f32::MIN_POSITIVE);
        let powers: Vec<f32> = leaks.map(|leak| (self.tilt * (leak / mean).min(MOST)).exp()).collect();
        let mean = powers.iter().sum::<f32>() / powers.len() as f32;
        Some(powers.iter().map(|power| power / mean).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_leak_more_count_more() {
        let mut tilt = Tilt::new(1.0);
        assert_eq!(tilt.weights(), None);
        tilt.add(&[0.01, 0.01, 0.04, -0.001]);
        let weights = tilt.weights().unwrap();
        assert!((weights.iter().sum::<f32>() - 4.0).abs() < 1e-5, "{weights:?}");
        // The mean is 0.015: e^(2/3), e^(2/3), e^(8/3) and 1.
        assert!((weights[2] / weights[0] - 2_f32.exp()).abs() < 1e-3, "{weights:?}");
        assert!(weights[3] < weights[1] && weights[1] == weights[0]);
        let scaled = |by: f64| {
            let mut tilt = Tilt::new(1.0);
            tilt.add(&[0.01 * by, 0.01 * by, 0.04 * by, -0.001 * by]);
            tilt.weights().unwrap()
        };
        assert!(scaled(1e-3).iter().zip(&weights).all(|(a, b)| (a - b).abs() < 1e-4));
        let mut none = Tilt::new(0.0);
        none.add(&[1.0, 2.0]);
        assert_eq!(none.weights(), None);
    }

    #[test]
    fn weights_are_finite_and_follow_the_last_batches() {
        let mut tilt = Tilt::new(3.0);
        tilt.add(&[0.0, 0.0]);
        assert_eq!(tilt.weights().unwrap(), [1.0, 1.0]);
        tilt.add(&[1.0, 0.0]);
        assert!(tilt.weights().unwrap()[0] > 1.9);
        (0..400).for_each(|_| tilt.add(&[0.0, 1.0]));
        assert!(tilt.weights().unwrap()[1] > 1.9);
        let mut resumed = Tilt::new(3.0);
        resumed.resume(tilt.leaks().to_vec());
        assert_eq!(resumed, tilt);
    }
}
