//! Periods of any length with which the attribute repeats along the outputs.

use super::config::{AttackerConfig, Kind};
use super::hidden::{Hidden, Reading, combinations, cosines};
use super::reader::Reader;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::f64::consts::TAU;

pub(super) static KIND: Kind = Kind::of_one(
    "period",
    "hidden periods",
    "Looks in the outputs, their pairwise sums and differences for periods of any length, whole or not, in which \
           the attribute comes back: a spectrum of pairs of items.",
    |name, _| (name == "period").then(AttackerConfig::period),
    || vec![AttackerConfig::period()],
);

/// The most columns used.
const WORDS: usize = 16;
/// The most rows used.
const ROWS: usize = 32_768;
/// log2 of the length of a spectrum, and of the coarsest step of differences above the previous one.
const LENGTH: u32 = 18;
const COARSER: u32 = 14;
/// Pairs of items in a spectrum, and in one step of refining a frequency.
const PAIRS: usize = 1 << 18;
const PRECISE: usize = 2_048;
/// Number of pairs within main classes below which items of different classes are compared too: each class may hide it
/// differently.
const ENOUGH: usize = 1 << 13;
/// Standard deviations above noise, of 2^17 frequencies.
const PEAK: f32 = 5.0;
/// Frequencies of a column that are refined.
const PEAKS: usize = 3;
const ARCS: u16 = 32;

#[derive(Debug)]
struct Period;

impl AttackerConfig {
    /// Remainders modulo a number that it finds in the spectrum of pairs of items. Reads integers.
    pub fn period() -> AttackerConfig {
        AttackerConfig::new(Period)
    }
}

impl Reader for Period {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn cost(&self) -> usize {
        8
    }

    fn columns(&self, width: usize) -> Vec<Vec<(usize, i64)>> {
        combinations(width, WORDS)
    }

    fn readings(&self, hidden: &Hidden, rng: &mut ChaCha8Rng) -> Vec<Reading> {
        let likeness = Likeness::new(hidden);
        let seeds: Vec<u64> = hidden.train.columns.iter().map(|_| rng.random()).collect();
        let readings = seeds.par_iter().enumerate().flat_map_iter(|(word, &seed)| {
            let origin = hidden.train.columns[word].first().copied().unwrap_or(0);
            let column = Column::new(hidden, &likeness, word);
            let found = column.frequencies(&mut ChaCha8Rng::seed_from_u64(seed));
            found.into_iter().map(move |frequency| Reading::Phase { word, origin, frequency, arcs: ARCS })
        });
        hidden.strongest(readings.collect(), ROWS, 24)
    }
}

/// How much more alike the attributes of two items are than their main classes predict: 1 or 0, minus the expectation.
struct Likeness {
    /// Frequency of every value in every main class.
    shares: Vec<f32>,
    /// Probability that items of two main classes agree; the deviation from each class's frequencies enters twice.
    agree: Vec<f32>,
    mains: usize,
    values: usize,
}

/// The most main classes that are distinguished.
const CLASSES: usize = 64;

impl Likeness {
    fn new(hidden: &Hidden) -> Likeness {
        let labels = &hidden.labels;
        let (mains, values) = (if labels.mains <= CLASSES { labels.mains } else { 1 }, labels.values);
        let mut shares = vec![0.0_f32; mains * values];
        for (&main, &value) in labels.main.iter().zip(&labels.value) {
            shares[(main as usize).min(mains - 1) * values + value as usize] += 1.0;
        }
        for class in shares.chunks_exact_mut(values) {
            let total: f32 = class.iter().sum();
            class.iter_mut().for_each(|share| *share /= total.max(1.0));
        }
        let rows = || shares.chunks_exact(values);
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let agree = rows().flat_map(|a| rows().map(move |b| product(a, b))).collect();
        Likeness { shares, agree, mains, values }
    }

    fn of(&self, (main_a, value_a): (u32, u32), (main_b, value_b): (u32, u32)) -> f32 {
        let [a, b] = [main_a, main_b].map(|main| (main as usize).min(self.mains - 1));
        let share = |main: usize, value: u32| self.shares[main * self.values + value as usize];
        let same = f32::from(u8::from(value_a == value_b));
        same - share(a, value_b) - share(b, value_a) + self.agree[a * self.mains + b]
    }
}

/// One column sorted by value.
struct Column<'a> {
    likeness: &'a Likeness,
    /// Value, main class and attribute: within main classes, and over all.
    within: Vec<(i64, u32, u32)>,
    all: Vec<(i64, u32, u32)>,
    spread: f64,
}

/// A frequency with which the attribute seems to repeat.
struct Peak {
    /// In standard deviations.
    height: f32,
    /// Turns per unit.
    frequency: f64,
    /// Largest difference that it was estimated from.
    window: f64,
    /// Whether pairs may be of any main classes.
    any: bool,
}

/// A pair of items: their distance, and how much more alike they are than expected.
type Pair = (i64, f32);

impl<'a> Column<'a> {
    fn new(hidden: &Hidden, likeness: &'a Likeness, word: usize) -> Column<'a> {
        let labels = &hidden.labels;
        let rows = hidden.train.columns[word].iter().zip(&labels.main).zip(&labels.value);
        let mut all: Vec<(i64, u32, u32)> = rows.map(|((&x, &main), &value)| (x, main, value)).take(ROWS).collect();
        all.sort_unstable();
        let mut within = all.clone();
        within.sort_by_key(|&(x, main, _)| (main, x));
        let spread = match (all.first(), all.last()) {
            (Some(first), Some(last)) => last.0 as f64 - first.0 as f64,
            _ => 0.0,
        };
        Column { likeness, within, all, spread }
    }

    /// Pairs of one main class at most `window` apart, about `most` of them; `any`: of all classes.
    fn pairs(&self, any: bool, window: f64, most: usize, rng: &mut ChaCha8Rng) -> Vec<Pair> {
        let rows = if any { &self.all } else { &self.within };
        self.pairs_of(rows, !any, window, most, rng)
    }

    fn pairs_of(
        &self,
        rows: &[(i64, u32, u32)],
        within: bool,
        window: f64,
        most: usize,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Pair> {
        let mut end = 0;
        let ends: Vec<usize> = rows
            .iter()
            .enumerate()
            .map(|(at, &(x, main, _))| {
                end = end.max(at + 1);
                while rows.get(end).is_some_and(|row| (!within || row.1 == main) && row.0 as f64 - x as f64 <= window) {
                    end += 1;
                }
                end
            })
            .collect();
        let count: usize = ends.iter().enumerate().map(|(at, end)| end - at - 1).sum();
        let share = (most as f64 / count.max(1) as f64).min(1.0);
        let mut pairs = Vec::with_capacity(count.min(2 * most));
        let mut due = 0.0;
        for (at, &end) in ends.iter().enumerate() {
            let near = end - at - 1;
            let (x, main, value) = rows[at];
            let mut push = |other: usize| {
                let (y, other_main, other_value) = rows[other];
                pairs.push((y.wrapping_sub(x), self.likeness.of((main, value), (other_main, other_value))));
            };
            if share == 1.0 {
                (at + 1..end).for_each(push);
                continue;
            }
            due += share * near as f64;
            while due >= 1.0 {
                due -= 1.0;
                push(rng.random_range(at + 1..end));
            }
        }
        pairs
    }

    /// The most significant frequencies, in turns per unit, with which the attribute repeats.
    fn frequencies(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let mut peaks: Vec<Peak> = Vec::new();
        let mut shift = 0;
        while shift == 0 || self.spread > f64::from(1_u32 << COARSER.min(31)) * 2_f64.powi(shift as i32) {
            let window = 2_f64.powi((LENGTH - 1 + shift) as i32);
            let unit = 2_f64.powi(-((LENGTH + shift) as i32));
            for any in [false, true] {
                let pairs = self.pairs(any, window, PAIRS, rng);
                let found = highest(&spectrum(&pairs, shift)).into_iter();
                peaks.extend(found.map(|(height, k)| Peak { height, frequency: k as f64 * unit, window, any }));
                if pairs.len() >= ENOUGH {
                    break;
                }
            }
            shift += COARSER;
        }
        peaks.sort_by(|a, b| b.height.total_cmp(&a.height));
        peaks.truncate(PEAKS);
        peaks.into_iter().map(|peak| self.precise(peak, rng)).collect()
    }

    /// A frequency refined as far as the spread of the column allows: the window becomes four times wider each time.
    fn precise(&self, peak: Peak, rng: &mut ChaCha8Rng) -> f64 {
        let Peak { mut frequency, mut window, any, .. } = peak;
        while window < self.spread {
            window *= 4.0;
            let pairs = self.pairs(any, window, PRECISE, rng);
            let strength = |frequency: f64| -> f64 {
                pairs.iter().map(|&(d, alike)| f64::from(alike) * (TAU * (frequency * d as f64).fract()).cos()).sum()
            };
            let tried = (-14..=14).map(|step| frequency + f64::from(step) / (8.0 * window));
            let with: Vec<(f64, f64)> = tried.map(|frequency| (strength(frequency), frequency)).collect();
            frequency = with.into_iter().fold((f64::MIN, frequency), |a, b| if b.0 > a.0 { b } else { a }).1;
        }
        frequency
    }
}

/// `Σ alike·cos(2π·f·d)` in standard deviations, differences rounded down to multiples of `2^shift`.
fn spectrum(pairs: &[Pair], shift: u32) -> Vec<f32> {
    let mut sums = vec![0.0_f32; 1 << LENGTH];
    let mut variance = 0.0_f64;
    for &(d, alike) in pairs {
        if let Some(sum) = usize::try_from(d >> shift).ok().and_then(|at| sums.get_mut(at)) {
            *sum += alike;
            variance += 0.5 * f64::from(alike * alike);
        }
    }
    let deviation = variance.sqrt().max(1e-9) as f32;
    cosines(sums).into_iter().map(|x| x / deviation).collect()
}

/// Peaks with their places, the highest first, without those of long periods, which other attackers find.
fn highest(spectrum: &[f32]) -> Vec<(f32, usize)> {
    const APART: usize = 4;
    let is_peak = |&at: &usize| {
        let (from, to) = (at.saturating_sub(APART), (at + APART + 1).min(spectrum.len()));
        spectrum[at] > PEAK && spectrum[from..to].iter().all(|&x| x <= spectrum[at])
    };
    let mut peaks: Vec<(f32, usize)> = (APART..spectrum.len()).filter(is_peak).map(|at| (spectrum[at], at)).collect();
    peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
    peaks.truncate(PEAKS);
    peaks
}
