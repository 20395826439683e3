//! Bounds for several items of one subject.

use super::compose::many;
use super::curve::{Curve, EVENTS, Excess};
use super::report::VoteBound;
use super::statistics::Evaluated;
use super::terms::{contrast_bound, many_contrasts, many_items, mean_bound};

/// Gathers what all main classes and pairs of values tell: their curves, and their contrasts. Curves are better where
/// laws differ in few outputs, contrasts where they hardly differ at all and items are many.
pub(super) struct Votes {
    values: usize,
    classes: usize,
    /// Chance of every event that a curve rests on.
    delta: f64,
    /// The highest curve of all classes and pairs.
    worst: Option<Curve>,
    /// Terms of every pair, all classes together.
    mixed: Vec<[Excess; 2]>,
    /// Chance of every event that a contrast rests on.
    contrast_delta: f64,
    /// The largest contrast of all classes and pairs, and that of every pair over all classes: a bound and a sum.
    contrasts: (f64, Vec<f64>),
    /// Evaluation points of all classes.
    points: usize,
    /// Fewest samples of a class and value.
    least: usize,
    rounding: f64,
}

impl Votes {
    /// For so many classes and values; one of all bounds fails with chance `delta` at most.
    pub(super) fn new(classes: usize, values: usize, delta: f64) -> Self {
        let pairs = values * values.saturating_sub(1) / 2;
        let bounds = (pairs.max(1) * (classes + 1)) as f64;
        Self {
            values,
            classes,
            delta: 0.5 * delta / (EVENTS as f64 * bounds),
            worst: None,
            mixed: vec![Default::default(); pairs],
            contrast_delta: 0.5 * delta / (2.0 * bounds),
            contrasts: (0.0, vec![0.0; pairs]),
            points: 0,
            least: usize::MAX,
            rounding: 0.0,
        }
    }

    /// Counts a main class, whose laws are at most `tv` apart.
    pub(super) fn add(&mut self, points: &Evaluated, counts: &[usize], tv: f64, rounding: f64) {
        let rounding = self.values as f64 * rounding;
        for (((v, w), sides), mixed) in points.excesses().iter().zip(&mut self.mixed) {
            let least = counts[*v].min(counts[*w]);
            let curve = Curve::new([&sides[0], &sides[1]], tv, least as f64, self.delta, rounding);
            self.worst = Some(match self.worst.take() {
                Some(worst) => worst.higher(&curve),
                None => curve,
            });
            mixed.iter_mut().zip(sides).for_each(|(all, own)| all.add(own));
            self.least = self.least.min(least);
        }
        self.rounding = self.rounding.max(rounding);
        let contrasts = points.contrasts();
        for (((v, w), mean), sum) in contrasts.iter().zip(&mut self.contrasts.1) {
            *sum += mean / self.classes as f64;
            let apart =
                apart(*mean, points.len(), counts[*v].min(counts[*w]), self.values, rounding, self.contrast_delta);
            self.contrasts.0 = self.contrasts.0.max(apart);
        }
        self.points += points.len();
    }

    /// The bounds for these numbers of items, where one item's laws are at most `worst` apart in any class and `mixed`
    /// over all of them.
    pub(super) fn bounds(&self, ks: &[u32], worst: f64, mixed: f64) -> Vec<VoteBound> {
        if ks.is_empty() {
            return Vec::new();
        }
        let least = (self.classes as f64) * self.least as f64;
        let curve = |sides: &[Excess; 2]| Curve::new([&sides[0], &sides[1]], mixed, least, self.delta, self.rounding);
        let all = self.mixed.iter().map(curve).reduce(|all, curve| all.higher(&curve));
        let law = |curve: &Option<Curve>| curve.as_ref().map_or_else(Vec::new, Curve::law);
        let (worst_law, mixed_law) = (law(&self.worst), law(&all));
        let accuracy = |tv: f64| 100.0 * (1.0 + (self.values as f64 - 1.0) * tv) / self.values as f64;
        let least = self.classes * self.least;
        let apart = |mean: f64| apart(mean, self.points, least, self.values, self.rounding, self.contrast_delta);
        let apart = self.contrasts.1.iter().map(|mean| apart(*mean)).fold(0.0, f64::max);
        let vote = |&k: &u32| {
            let bound = many(&worst_law, k).min(many_items(worst, k)).min(many_contrasts(self.contrasts.0, k));
            let mixed = match self.classes {
                1 => bound,
                _ => many(&mixed_law, k).min(many_items(mixed, k)).min(many_contrasts(apart, k)).min(bound),
            };
            VoteBound { k, bound: accuracy(bound), mixed: Some(accuracy(mixed)) }
        };
        ks.iter().map(vote).collect()
    }
}

/// The contrast that a mean over points allows.
fn apart(mean: f64, points: usize, least: usize, values: usize, rounding: f64, delta: f64) -> f64 {
    contrast_bound(values as f64 * mean_bound(mean, points, delta) + 6.0 * rounding, least, delta)
}
