//! How far two laws are apart, at every threshold at once, from samples.
//!
//! Two equally likely laws `p` and `q`, `M` their mean and `r = (p − q)/(p + q)`. The curve
//!
//! ```text
//! F(t) = Σ_y M·max(r − t, 0) = ½·Σ_y max((1 − t)·p − (1 + t)·q, 0)        −1 ≤ t ≤ 1
//! ```
//!
//! is convex, `F(−1) = 1`, `F(1) = 0`, and says all that one observation tells. A pair of laws with a higher curve
//! tells at least as much, about any number of independent observations (Blackwell).

use super::terms::upper_mean;

/// Thresholds above 0. They are squares: narrow steps where likelihoods hardly differ.
const STEPS: usize = 32;

/// The thresholds from 0 up to, but not including, 1.
pub(super) fn thresholds() -> impl Iterator<Item = f64> {
    (0..STEPS).map(|step| (step as f64 / STEPS as f64).powi(2))
}

/// Bounds that a curve's height at every threshold rests on: evaluation twice and sampling, on both sides.
pub(super) const EVENTS: usize = 6 * STEPS;

/// Sums over evaluation points, at every threshold, of a term whose mean is a plug-in of the curve.
#[derive(Clone, Debug, Default)]
pub(super) struct Excess {
    /// Points.
    pub(super) count: usize,
    /// Largest term at threshold 0; it is `1 − t` of that at `t`.
    pub(super) range: f64,
    /// Sums of terms and of their squares.
    pub(super) sums: Vec<(f64, f64)>,
}

impl Excess {
    /// Terms `½·V·max((1 − t)·o_v − (1 + t)·o_w, 0)` for shares `(o_v, o_w)` among `values` values.
    pub(super) fn new(shares: impl Iterator<Item = (f64, f64)>, values: usize) -> Self {
        let range = 0.5 * values as f64;
        let mut sums = vec![(0.0, 0.0); STEPS];
        let mut count = 0;
        for (above, below) in shares {
            count += 1;
            for (sum, t) in sums.iter_mut().zip(thresholds()) {
                let term = range * ((1.0 - t) * above - (1.0 + t) * below);
                if term <= 0.0 {
                    // Terms fall with the threshold.
                    break;
                }
                sum.0 += term;
                sum.1 += term * term;
            }
        }
        Self { count, range, sums }
    }

    /// Adds independent points of another main class: the mean over all is a plug-in of the classes' mean curve.
    pub(super) fn add(&mut self, other: &Self) {
        if self.sums.is_empty() {
            self.sums = vec![(0.0, 0.0); STEPS];
        }
        self.count += other.count;
        self.range = self.range.max(other.range);
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            sum.0 += other.0;
            sum.1 += other.1;
        }
    }

    /// Upper bounds on the curve at the thresholds, all at once except for `EVENTS/2` events of chance `delta` each,
    /// from `least` or more samples of either law.
    fn heights(&self, least: f64, delta: f64, rounding: f64) -> Vec<f64> {
        let log = -delta.ln();
        let mut heights: Vec<f64> = Vec::with_capacity(STEPS);
        for (&(sum, squares), t) in self.sums.iter().zip(thresholds()) {
            let evaluated = upper_mean(sum, squares, self.count, self.range * (1.0 - t), log);
            let nearer = heights.iter().zip(thresholds()).map(|(height, s)| height / (t - s));
            let beyond = nearer.fold(1.0, f64::min);
            heights.push(evaluated + sampled(t, beyond, least, log) + rounding);
        }
        heights
    }
}

/// What sampling adds at threshold `t`, where `M(r > t) ≤ beyond`.
///
/// With `E = {r > t}`, the plug-in is at least `½·Σ_E (1 − t)·p̂ − (1 + t)·q̂`: a mean of independent terms whose
/// expectation is `F(t)`. None is more than `½(1 + t)/n` below its own, and since `(1 + t)·q(E) ≤ (1 − t)·p(E)` the
/// variance is at most `½(1 − t²)·M(E)/n`; it never exceeds `(1 + t²)/(8n)`. Then Bernstein's inequality.
fn sampled(t: f64, beyond: f64, least: f64, log: f64) -> f64 {
    let variance = (0.5 * (1.0 - t * t) * beyond).min(0.125 * (1.0 + t * t)) / least;
    (2.0 * variance * log).sqrt() + (1.0 + t) * log / (3.0 * least)
}

/// Upper bounds on a curve at `−1`, the negative thresholds, 0, the positive ones and 1.
#[derive(Clone, Debug)]
pub(super) struct Curve(Vec<f64>);

impl Curve {
    /// From the terms of `(p, q)` and of `(q, p)`, of laws at most `tv` apart in total variation; the rest as for
    /// [`Excess`]: `EVENTS` events of chance `delta` in all.
    pub(super) fn new(sides: [&Excess; 2], tv: f64, least: f64, delta: f64, rounding: f64) -> Self {
        let [above, below] = sides.map(|side| side.heights(least, delta, rounding));
        // F(−t) = t + the other side's F(t): the mean of r is 0.
        let negative = below.iter().zip(thresholds()).skip(1).map(|(height, t)| t + height);
        let mut heights = vec![1.0];
        heights.extend(negative.collect::<Vec<_>>().into_iter().rev());
        heights.push(above[0].min(below[0]).min(0.5 * tv));
        heights.extend(&above[1..]);
        heights.push(0.0);
        Self(heights)
    }

    /// The higher of two curves everywhere.
    pub(super) fn higher(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own = own.max(*other));
        self
    }

    /// A law of `r`, as values and their shares, whose curve is nowhere below the true one: the largest convex curve that
    /// the bounds allow.
    pub(super) fn law(&self) -> Vec<(f64, f64)> {
        let positive: Vec<f64> = thresholds().skip(1).collect();
        let at = positive.iter().rev().map(|t| -t).chain([0.0]).chain(positive.iter().copied());
        let mut hull: Vec<(f64, f64)> = Vec::new();
        for point in [-1.0].into_iter().chain(at).chain([1.0]).zip(self.0.iter().copied()) {
            while let [.., a, b] = hull[..] {
                if slope(a, b) < slope(b, point) {
                    break;
                }
                hull.pop();
            }
            hull.push(point);
        }
        let slopes: Vec<f64> = hull.windows(2).map(|pair| slope(pair[0], pair[1])).collect();
        let before = [-1.0].into_iter().chain(slopes.iter().copied());
        let after = slopes.iter().copied().chain([0.0]);
        hull.iter()
            .zip(before.zip(after))
            .map(|(point, (before, after))| (point.0, (after - before).max(0.0)))
            .collect()
    }
}

fn slope(a: (f64, f64), b: (f64, f64)) -> f64 {
    (b.1 - a.1) / (b.0 - a.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Terms that stand for two coins, heads with chances `a` and `b`: no sampling, hardly any evaluation.
    fn coins(a: f64, b: f64) -> [Excess; 2] {
        let count = 1_000_000_000;
        let terms = |a: f64, b: f64| {
            let faces = [(a, b), (1.0 - a, 1.0 - b)];
            let sum = |t: f64, power: i32| -> f64 {
                let term = |(p, q): &(f64, f64)| 0.5 * (p + q) * ((p - q) / (p + q) - t).max(0.0).powi(power);
                count as f64 * faces.iter().map(term).sum::<f64>()
            };
            Excess { count, range: 1.0, sums: thresholds().map(|t| (sum(t, 1), sum(t, 2))).collect() }
        };
        [terms(a, b), terms(b, a)]
    }

    #[test]
    fn the_law_is_above_the_true_one_and_near_it() {
        for (a, b) in [(0.5, 0.52), (0.3, 0.1), (0.999, 0.001), (0.2, 0.2)] {
            let sides = coins(a, b);
            let law = Curve::new([&sides[0], &sides[1]], 1.0, 1e9, 1e-6, 0.0).law();
            let whole: f64 = law.iter().map(|(_, share)| share).sum();
            let mean: f64 = law.iter().map(|(r, share)| r * share).sum();
            assert!((whole - 1.0).abs() < 1e-12 && mean.abs() < 1e-12, "{whole} {mean}");
            for step in -100..=100 {
                let t = f64::from(step) / 100.0;
                let found: f64 = law.iter().map(|(r, share)| share * (r - t).max(0.0)).sum();
                let faces = [(a, b), (1.0 - a, 1.0 - b)];
                let known: f64 = faces.iter().map(|(p, q)| 0.5 * ((1.0 - t) * p - (1.0 + t) * q).max(0.0)).sum();
                assert!(found >= known - 1e-12 && found < known + 0.02, "{a} {b} {t}: {found} {known}");
            }
        }
    }

    #[test]
    fn what_sampling_adds_covers_its_deviation() {
        // Two coins again, heads with chances 0.6 and 0.5: the plug-in at t is 0.5·max over both faces.
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let (n, t, log) = (200, 0.05, 3.0_f64);
        let curve = |p: f64, q: f64| 0.5 * ((1.0 - t) * p - (1.0 + t) * q).max(0.0);
        let truth = curve(0.6, 0.5) + curve(0.4, 0.5);
        let slack = sampled(t, 0.55, n as f64, log);
        let mut failures = 0;
        for _ in 0..2000 {
            let mut heads = |chance| (0..n).filter(|_| random.random_bool(chance)).count() as f64 / n as f64;
            let (p, q) = (heads(0.6), heads(0.5));
            failures += usize::from(curve(p, q) + curve(1.0 - p, 1.0 - q) + slack < truth);
        }
        assert!(failures as f64 <= 2000.0 * (-log).exp(), "{failures}");
        assert!(slack < 0.1);
    }
}
