//! What the points of one main class say: accuracy, weighted accuracy, contrast and curve of every pair of values.

use super::curve::Excess;
use super::mixture::Mixture;
use super::terms::contrast;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Evaluated points of one main class, shares of every value at each.
pub(super) struct Evaluated {
    shares: Vec<f64>,
    values: usize,
}

impl Evaluated {
    /// Draws and evaluates `count` points of class `class`, each from its own stream of `seed`.
    pub(super) fn new(mixture: &Mixture, class: usize, count: usize, seed: u64, values: usize) -> Self {
        let shares = mixture.evaluate(count, |point| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream((class * count + point) as u64);
            random
        });
        Self { shares, values }
    }

    /// The largest share at every point: how often the best guess is right, values alike.
    pub(super) fn best(&self) -> Vec<f64> {
        self.points().map(|shares| shares.iter().copied().fold(0.0, f64::max)).collect()
    }

    /// `V·max_v π_v·o_v` at every point, whose mean is `Σ_y max_v π_v·p̂_v(y)`; between 0 and `V·max_v π_v`.
    pub(super) fn weighted(&self, prior: &[f64]) -> Vec<f64> {
        let values = self.values as f64;
        let best = |shares: &[f64]| shares.iter().zip(prior).map(|(share, prior)| share * prior).fold(0.0, f64::max);
        self.points().map(|shares| values * best(shares)).collect()
    }

    /// For every pair of values the mean of `(o_v + o_w)·φ`, between 0 and 1: `V` of it is the plug-in of `Φ`.
    pub(super) fn contrasts(&self) -> Vec<((usize, usize), f64)> {
        let count = self.points().len() as f64;
        let pairs = (0..self.values).flat_map(|v| (v + 1..self.values).map(move |w| (v, w)));
        let mean = |(v, w): (usize, usize)| {
            let one = |shares: &[f64]| {
                let both = shares[v] + shares[w];
                if both > 0.0 { both * contrast((shares[v] - shares[w]) / both) } else { 0.0 }
            };
            self.points().map(one).sum::<f64>() / count
        };
        pairs.map(|pair| (pair, mean(pair))).collect()
    }

    /// For every pair of values the terms of its curve, both ways round.
    pub(super) fn excesses(&self) -> Vec<((usize, usize), [Excess; 2])> {
        let pairs = (0..self.values).flat_map(|v| (v + 1..self.values).map(move |w| (v, w)));
        let terms =
            |v: usize, w: usize| Excess::new(self.points().map(move |shares| (shares[v], shares[w])), self.values);
        pairs.map(|(v, w)| ((v, w), [terms(v, w), terms(w, v)])).collect()
    }

    /// Points.
    pub(super) fn len(&self) -> usize {
        self.points().len()
    }

    fn points(&self) -> std::slice::ChunksExact<'_, f64> {
        self.shares.chunks_exact(self.values)
    }
}
