//! The integrand of the plug-in bound, evaluated on the noise's own lattice.
//!
//! ```text
//! Â = E_{y ~ 1/V Σ_v p̂_v} [ max_v p̂_v(y) / Σ_v p̂_v(y) ]      V values, equally likely
//! ```
//!
//! The normalisation of the noise cancels. Nothing is cut: the noise itself ends at its tail, and samples that
//! differ by no multiple of an output's step never overlap, so low bits count as what they tell.
//!
//! An output `x` is kept as `x = step·q + remainder`. Samples lie in groups of equal remainders and equal cell of
//! `q`, a cell being as wide as the noise reaches: only adjacent cells of the same remainders reach a point.

use super::maximal::NoisyOutput;
use super::sampler::Sampler;
use rand::{Rng, RngExt};
use std::ops::Range;

struct Group {
    /// Remainders, then cells.
    key: Vec<i64>,
    rows: Range<usize>,
}

/// Samples of every value of the attribute within one main class.
pub(super) struct Mixture<'a> {
    noise: &'a [NoisyOutput],
    samplers: &'a [Sampler],
    /// Quotients `q`, row after row, in the order of the groups.
    quotients: Vec<i64>,
    /// Value of every row.
    values: Vec<usize>,
    /// Rows of every value.
    rows: Vec<Vec<usize>>,
    groups: Vec<Group>,
}

/// `deviation · tail`, in steps.
pub(super) fn reach(noise: &NoisyOutput) -> i64 {
    (i64::from(noise.deviation)).saturating_mul(i64::from(noise.tail))
}

fn step(noise: &NoisyOutput) -> i64 {
    noise.step.saturating_abs().max(1)
}

/// Cell of a quotient; a reach of 0 makes every quotient its own cell.
fn cell(quotient: i64, noise: &NoisyOutput) -> i64 {
    quotient.div_euclid(reach(noise).max(1))
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
        let mut keyed: Vec<_> = samples.iter().map(|sample| (key(sample.0), sample)).collect();
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        let mut mixture = Self {
            noise,
            samplers,
            quotients: Vec::with_capacity(samples.len() * noise.len()),
            values: Vec::with_capacity(samples.len()),
            rows: vec![Vec::new(); count],
            groups: Vec::new(),
        };
        for (row, (key, (outputs, value))) in keyed.into_iter().enumerate() {
            mixture.quotients.extend(outputs.iter().zip(noise).map(|(x, n)| x.div_euclid(step(n))));
            mixture.values.push(*value);
            mixture.rows[*value].push(row);
            match mixture.groups.last_mut() {
                Some(group) if group.key == key => group.rows.end = row + 1,
                _ => mixture.groups.push(Group { key, rows: row..row + 1 }),
            }
        }
        mixture
    }

    /// Samples in all.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The integrand at one point drawn from the mixture: a value, one of its samples, fresh noise.
    pub(super) fn draw(&self, random: &mut impl Rng) -> f64 {
        let rows = &self.rows[random.random_range(0..self.rows.len())];
        let row = rows[random.random_range(0..rows.len())];
        let group = self.groups.partition_point(|group| group.rows.end <= row);
        let remainders = &self.groups[group].key[..self.noise.len()];
        let point: Vec<i64> = self.row(row).iter().zip(self.samplers).map(|(q, s)| q + s.draw(random)).collect();
        self.ratio(remainders, &point)
    }

    fn row(&self, row: usize) -> &[i64] {
        &self.quotients[row * self.noise.len()..(row + 1) * self.noise.len()]
    }

    /// Chance that the best guess at a point is right; `1`, the safe side, where no sample reaches it.
    pub(super) fn ratio(&self, remainders: &[i64], point: &[i64]) -> f64 {
        let mut likelihoods = vec![0.0; self.rows.len()];
        let cells: Vec<i64> = point.iter().zip(self.noise).map(|(q, n)| cell(*q, n)).collect();
        let adjacent = u32::try_from(cells.len()).ok().and_then(|width| 3_usize.checked_pow(width));
        match adjacent.filter(|adjacent| *adjacent < self.groups.len()) {
            Some(adjacent) => {
                let mut key = [remainders, &cells].concat();
                for mut code in 0..adjacent {
                    for (part, cell) in key[cells.len()..].iter_mut().zip(&cells) {
                        *part = cell + (code % 3) as i64 - 1;
                        code /= 3;
                    }
                    if let Ok(found) = self.groups.binary_search_by(|group| group.key.cmp(&key)) {
                        self.add(&self.groups[found], point, &mut likelihoods);
                    }
                }
            }
            None => {
                let near = |group: &&Group| {
                    let (own, others) = group.key.split_at(cells.len());
                    own == remainders && others.iter().zip(&cells).all(|(a, b)| a.abs_diff(*b) <= 1)
                };
                self.groups.iter().filter(near).for_each(|group| self.add(group, point, &mut likelihoods));
            }
        }
        let sum: f64 = likelihoods.iter().sum();
        if sum > 0.0 { likelihoods.into_iter().fold(0.0, f64::max) / sum } else { 1.0 }
    }

    fn add(&self, group: &Group, point: &[i64], likelihoods: &mut [f64]) {
        for row in group.rows.clone() {
            let mut exponent = 0.0;
            for ((y, x), noise) in point.iter().zip(self.row(row)).zip(self.noise) {
                let difference = y - x;
                if difference.abs() > reach(noise) {
                    exponent = f64::INFINITY;
                    break;
                }
                let deviations = difference as f64 / f64::from(noise.deviation);
                exponent += 0.5 * deviations * deviations;
            }
            let value = self.values[row];
            likelihoods[value] += (-exponent).exp() / self.rows[value].len() as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(step: i64, deviation: u32, tail: u32) -> Vec<NoisyOutput> {
        vec![NoisyOutput { low: -100, high: 100, step, deviation, tail }]
    }

    #[test]
    fn the_mean_ratio_is_the_sum_of_the_larger_likelihoods() {
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
            mean += (a + b) * mixture.ratio(&[y.rem_euclid(2)], &[y.div_euclid(2)]);
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
            assert!((mixture.ratio(&[0, 0], &[x, y]) - known).abs() < 1e-12);
        }
    }
}
