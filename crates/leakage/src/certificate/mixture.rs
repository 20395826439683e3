//! The law of noisy outputs that samples stand for, evaluated on the noise's own lattice.
//!
//! ```text
//! o_v(y) = p̂_v(y) / Σ_w p̂_w(y),   y ~ 1/V Σ_w p̂_w      V values
//! ```
//!
//! The normalisation of the noise cancels. Nothing is cut: the noise itself ends at its tail, and samples that
//! differ by no multiple of an output's step never overlap, so low bits count as what they tell.
//!
//! An output `x` is kept as `x = step·q + remainder`. Samples lie in groups of equal remainders and equal cell of
//! `q`, a cell being as wide as the noise reaches: only adjacent cells of the same remainders reach a point.

use super::kernel::{Axis, sums};
use super::maximal::NoisyOutput;
use super::sampler::Sampler;
use rand::{Rng, RngExt};
use rayon::prelude::*;
use std::ops::Range;

/// Points that are evaluated together, while the rows that they meet are near.
const TOGETHER: usize = 64;

struct Group {
    /// Remainders, then cells.
    key: Vec<i64>,
    /// Rows of every value, one range after the other.
    rows: Vec<Range<usize>>,
}

/// A point, on the lattice of the sample that it was drawn from.
struct Point {
    /// Remainders, then cells.
    key: Vec<i64>,
    quotients: Vec<i64>,
}

/// Samples of every value of the attribute within one main class.
pub(super) struct Mixture<'a> {
    noise: &'a [NoisyOutput],
    samplers: &'a [Sampler],
    axes: Vec<Axis>,
    /// For every output its quotients less the start of their cell, in the order of the groups.
    columns: Vec<Vec<i32>>,
    groups: Vec<Group>,
    /// For every value where its rows are: the group, and how many came before.
    places: Vec<Vec<(usize, usize)>>,
    /// Rows of every value.
    counts: Vec<usize>,
}

/// `deviation · tail`, in steps.
pub(super) fn reach(noise: &NoisyOutput) -> i64 {
    (i64::from(noise.deviation)).saturating_mul(i64::from(noise.tail))
}

fn step(noise: &NoisyOutput) -> i64 {
    noise.step.saturating_abs().max(1)
}

/// Width of a cell; a reach of 0 makes every quotient its own cell.
fn width(noise: &NoisyOutput) -> i64 {
    reach(noise).max(1)
}

fn cell(quotient: i64, noise: &NoisyOutput) -> i64 {
    quotient.div_euclid(width(noise))
}

impl<'a> Mixture<'a> {
    /// Samples `(outputs, value)`, values below `count`, each as wide as `noise`, with one sampler an output.
    pub(super) fn new(
        samples: &[(&[i64], usize)],
        count: usize,
        noise: &'a [NoisyOutput],
        samplers: &'a [Sampler],
    ) -> Self {
        let key = |outputs: &[i64]| -> Vec<i64> {
            let remainders = outputs.iter().zip(noise).map(|(x, n)| x.rem_euclid(step(n)));
            let cells = outputs.iter().zip(noise).map(|(x, n)| cell(x.div_euclid(step(n)), n));
            remainders.chain(cells).collect()
        };
        let mut keyed: Vec<_> = samples.iter().map(|(outputs, value)| (key(outputs), *value, *outputs)).collect();
        keyed.par_sort();
        let axis = |n: &NoisyOutput| Axis {
            factor: 1.0 / (f64::from(n.deviation) * std::f64::consts::SQRT_2),
            reach: reach(n) as i32,
        };
        let mut mixture = Self {
            noise,
            samplers,
            axes: noise.iter().map(axis).collect(),
            columns: vec![Vec::with_capacity(samples.len()); noise.len()],
            groups: Vec::new(),
            places: vec![Vec::new(); count],
            counts: vec![0; count],
        };
        for (row, (key, value, outputs)) in keyed.into_iter().enumerate() {
            for ((column, x), n) in mixture.columns.iter_mut().zip(outputs).zip(noise) {
                column.push(x.div_euclid(step(n)).rem_euclid(width(n)) as i32);
            }
            if mixture.groups.last().is_none_or(|group| group.key != key) {
                let rows = vec![row..row; count];
                mixture.groups.push(Group { key, rows });
            }
            let group = mixture.groups.len() - 1;
            let rows = &mut mixture.groups[group].rows;
            if rows[value].is_empty() {
                mixture.places[value].push((group, mixture.counts[value]));
                rows[value].start = row;
            }
            rows[value].end = row + 1;
            mixture.counts[value] += 1;
        }
        mixture
    }

    /// Samples in all.
    pub(super) fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// `o_v` for every value, at points drawn from the mixture, point after point; `random(i)` draws point `i`: a
    /// value, one of its samples, fresh noise.
    pub(super) fn evaluate<R: Rng>(&self, count: usize, random: impl Fn(usize) -> R) -> Vec<f64> {
        let points: Vec<Point> = (0..count).map(|index| self.draw(&mut random(index))).collect();
        self.shares(&points)
    }

    fn draw(&self, random: &mut impl Rng) -> Point {
        let value = random.random_range(0..self.counts.len());
        let index = random.random_range(0..self.counts[value]);
        let places = &self.places[value];
        let (group, before) = places[places.partition_point(|place| place.1 <= index) - 1];
        let group = &self.groups[group];
        let row = group.rows[value].start + index - before;
        let (remainders, cells) = group.key.split_at(self.noise.len());
        let quotients = cells.iter().zip(self.noise).zip(&self.columns).zip(self.samplers);
        let quotients: Vec<i64> = quotients
            .map(|(((cell, n), column), sampler)| cell * width(n) + i64::from(column[row]) + sampler.draw(random))
            .collect();
        self.point(remainders, quotients)
    }

    fn point(&self, remainders: &[i64], quotients: Vec<i64>) -> Point {
        let cells = quotients.iter().zip(self.noise).map(|(q, n)| cell(*q, n));
        Point { key: remainders.iter().copied().chain(cells).collect(), quotients }
    }

    fn shares(&self, points: &[Point]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|a, b| points[*a].key.cmp(&points[*b].key));
        let same = |a: &usize, b: &usize| points[*a].key == points[*b].key;
        let runs: Vec<&[usize]> = order.chunk_by(same).flat_map(|run| run.chunks(TOGETHER)).collect();
        let found: Vec<Vec<f64>> = runs.par_iter().map(|run| self.together(points, run)).collect();
        let values = self.counts.len();
        let mut shares = vec![0.0; points.len() * values];
        for (run, found) in runs.iter().zip(found) {
            for (&index, found) in run.iter().zip(found.chunks_exact(values)) {
                shares[index * values..(index + 1) * values].copy_from_slice(found);
            }
        }
        shares
    }

    /// The shares at some points of one cell.
    fn together(&self, points: &[Point], run: &[usize]) -> Vec<f64> {
        let values = self.counts.len();
        let mut shares = vec![0.0; run.len() * values];
        let mut sum = vec![0.0; run.len()];
        for group in self.adjacent(&points[run[0]].key) {
            let cells = &group.key[self.noise.len()..];
            let from = |index: &usize| {
                let quotients = points[*index].quotients.iter().zip(cells).zip(self.noise);
                quotients.map(|((q, cell), n)| (q - cell * width(n)) as i32)
            };
            let near: Vec<i32> = run.iter().flat_map(from).collect();
            for (value, rows) in group.rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
                let columns: Vec<&[i32]> = self.columns.iter().map(|column| &column[rows.clone()]).collect();
                sum.fill(0.0);
                sums(&columns, &self.axes, &near, &mut sum);
                for (own, sum) in shares.chunks_exact_mut(values).zip(&sum) {
                    own[value] += sum / self.counts[value] as f64;
                }
            }
        }
        for own in shares.chunks_exact_mut(values) {
            let sum: f64 = own.iter().sum();
            own.iter_mut().for_each(|share| *share /= sum);
            if sum <= 0.0 {
                // No sample reaches it, which only rounding can bring about: the safe side is certainty.
                own.fill(0.0);
                own[0] = 1.0;
            }
        }
        shares
    }

    /// Groups that may reach a point of this key.
    fn adjacent(&self, key: &[i64]) -> Vec<&Group> {
        let outputs = self.noise.len();
        let neighbours = u32::try_from(outputs).ok().and_then(|outputs| 3_usize.checked_pow(outputs));
        if let Some(neighbours) = neighbours.filter(|neighbours| *neighbours < self.groups.len()) {
            let near = |mut code: usize| {
                let mut near = key.to_vec();
                for cell in &mut near[outputs..] {
                    *cell += (code % 3) as i64 - 1;
                    code /= 3;
                }
                let found = self.groups.binary_search_by(|group| group.key.cmp(&near));
                found.ok().map(|group| &self.groups[group])
            };
            (0..neighbours).filter_map(near).collect()
        } else {
            let near = |group: &&Group| {
                let cells = group.key[outputs..].iter().zip(&key[outputs..]);
                group.key[..outputs] == key[..outputs] && cells.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1)
            };
            self.groups.iter().filter(near).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(step: i64, deviation: u32, tail: u32) -> Vec<NoisyOutput> {
        vec![NoisyOutput { low: -100, high: 100, step, deviation, tail }]
    }

    /// The larger share of two at one point.
    fn larger(mixture: &Mixture, remainders: &[i64], quotients: Vec<i64>) -> f64 {
        let shares = mixture.shares(&[mixture.point(remainders, quotients)]);
        shares[0].max(shares[1])
    }

    #[test]
    fn the_mean_of_the_larger_share_is_the_sum_of_the_larger_likelihoods() {
        let noise = noise(2, 2, 3);
        let outputs = [0, 1, 5, 2, 7].map(|x| [x]);
        let samples: Vec<_> = outputs.iter().zip([0, 0, 0, 1, 1]).map(|(x, v)| (x.as_slice(), v)).collect();
        let mixture = Mixture::new(&samples, 2, &noise, &[]);
        let weight = |d: i64| if d % 2 == 0 && d.abs() <= 12 { (-((d / 2) as f64).powi(2) / 8.0).exp() } else { 0.0 };
        let whole: f64 = (-12..=12).map(weight).sum();
        let (mut direct, mut mean) = (0.0, 0.0);
        for y in -12..=19_i64 {
            let chance = |v: usize, n: f64| {
                let reached = samples.iter().filter(|s| s.1 == v).map(|s| weight(y - s.0[0]));
                0.5 * reached.sum::<f64>() / n / whole
            };
            let (a, b) = (chance(0, 3.0), chance(1, 2.0));
            direct += f64::max(a, b);
            mean += (a + b) * larger(&mixture, &[y.rem_euclid(2)], vec![y.div_euclid(2)]);
        }
        assert!((direct - mean).abs() < 1e-12 && direct < 0.99, "{direct} {mean}");
    }

    #[test]
    fn the_grid_finds_what_a_full_scan_finds() {
        let noise = [noise(1, 3, 2), noise(1, 2, 3)].concat();
        let outputs: Vec<[i64; 2]> = (0..400).map(|i| [i * 37 % 101 - 50, i * 53 % 97 - 40]).collect();
        let samples: Vec<_> = outputs.iter().enumerate().map(|(i, x)| (x.as_slice(), i % 2)).collect();
        let mixture = Mixture::new(&samples, 2, &noise, &[]);
        assert!(mixture.groups.len() > 9);
        for (x, y) in (-55..=55).step_by(7).zip((-45..=60).step_by(5)) {
            let mut sums = [0.0; 2];
            for (outputs, value) in &samples {
                let (a, b) = (x - outputs[0], y - outputs[1]);
                if a.abs() <= 6 && b.abs() <= 6 {
                    sums[*value] += (-((a * a) as f64) / 18.0 - (b * b) as f64 / 8.0).exp();
                }
            }
            let known = if sums[0] + sums[1] > 0.0 { sums[0].max(sums[1]) / (sums[0] + sums[1]) } else { 1.0 };
            assert!((larger(&mixture, &[0, 0], vec![x, y]) - known).abs() < 1e-12);
        }
    }

    #[test]
    fn every_sample_is_drawn_as_often_as_the_others_of_its_value() {
        use rand::SeedableRng;
        let noise = noise(1, 1, 1);
        let still = [Sampler::new(1, 0)];
        let outputs = [-7, -3, 0, 2, 2, 9].map(|x| [x]);
        let samples: Vec<_> = outputs.iter().zip([0, 1, 0, 1, 0, 1]).map(|(x, v)| (x.as_slice(), v)).collect();
        let mixture = Mixture::new(&samples, 2, &noise, &still);
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut counts = std::collections::BTreeMap::<i64, u32>::new();
        for _ in 0..60_000 {
            *counts.entry(mixture.draw(&mut random).quotients[0]).or_default() += 1;
        }
        let expected = [(-7, 10_000), (-3, 10_000), (0, 10_000), (2, 20_000), (9, 10_000)];
        for ((value, count), (known, times)) in counts.into_iter().zip(expected) {
            assert!(value == known && count.abs_diff(times) < 600, "{value}: {count}");
        }
    }
}
