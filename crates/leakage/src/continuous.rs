//! Attributes whose values are numbers, such as years of age: how well they can be predicted as numbers.

use crate::attackers::Columns;
use crate::evaluate::Run;
use crate::examine::{EveryRun, hold_out};
use crate::linear::{cholesky, dot, gram, solve};
use crate::metrics::{Calibration, Scores};
use crate::observations::Observations;
use crate::report::Continuous;
use crate::slice::Slice;
use crate::training::Training;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// With fewer values they are treated as classes.
const LEAST_VALUES: usize = 11;
/// Maximum number of outputs whose pairwise products are features too.
const MOST_PAIRED: usize = 24;
/// Training items of a main class among which neighbours are sought.
const MOST_NEIGHBOURS: usize = 5000;
/// Numbers of neighbours whose mean is a prediction.
const NEIGHBOURS: [usize; 3] = [15, 51, 201];
const RESAMPLES: usize = 400;
const Z95: f64 = 1.959_964;

/// The values as numbers: at least eleven, all of them finite.
pub(crate) fn numbers(classes: &[String]) -> Option<Vec<f64>> {
    let parse = |text: &String| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    (classes.len() >= LEAST_VALUES).then(|| classes.iter().map(parse).collect()).flatten()
}

/// The best prediction, by R² on held-out training items: a regression on each main class, or the mean under the
/// probabilities of an attacker of the panel. `None` where the values are not numbers, or do not vary.
pub(crate) fn measure(runs: &[Run], test: &Observations, of: &EveryRun) -> Option<Continuous> {
    let numbers = numbers(&test.collateral_classes)?;
    let seed = *of.options.seeds.first()?;
    let run = runs.first()?;
    let base = means(&of.training.seen, &numbers);
    let (fit, held) = hold_out(of.training, of.options.held_out, seed);
    let mut held_guesses = regressions(&fit, &held, &numbers);
    let mut guesses = regressions(of.training, test, &numbers);
    for (at, family) in of.options.families.iter().enumerate() {
        let calibration = Calibration::fit(&run.held_scores[at], &run.held.collateral);
        let name = format!("mean of {family}");
        // The same split: `run.held` was drawn from the same seed.
        held_guesses.push((name.clone(), expected(&run.held_scores[at], &calibration, &numbers)));
        guesses.push((name, expected(&run.test_scores[at], &calibration, &numbers)));
    }
    let explained = |guess: &[f64], data: &Observations| Errors::of(guess, data, &numbers, &base).r2();
    let best = (0..guesses.len())
        .filter_map(|at| Some((at, explained(&held_guesses[at].1, &held)?)))
        .reduce(|a, b| if b.1 > a.1 { b } else { a })?
        .0;
    let (family, guess) = guesses.swap_remove(best);
    let errors = Errors::of(&guess, test, &numbers, &base);
    let (r2_low, r2_high) = errors.interval(seed)?;
    let (rank, rank_low, rank_high) = rank(&guess, test, &numbers);
    Some(Continuous {
        family,
        r2: errors.r2()?,
        r2_low,
        r2_high,
        rank,
        rank_low,
        rank_high,
        error: errors.absolute.0,
        error_blind: errors.absolute.1,
    })
}

/// The mean of every main class.
fn means(train: &Observations, numbers: &[f64]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); train.main_classes.len()];
    for (&main, &value) in train.main.iter().zip(&train.collateral) {
        let (sum, count) = &mut sums[main as usize];
        (*sum, *count) = (*sum + numbers[value as usize], *count + 1.0);
    }
    sums.into_iter().map(|(sum, count): (f64, f64)| sum / count.max(1.0)).collect()
}

fn expected(scores: &Scores, calibration: &Calibration, numbers: &[f64]) -> Vec<f64> {
    scores.rows().map(|row| dot(&calibration.probabilities(row), numbers)).collect()
}

/// Predictions for the items of `test` by each regression, fitted within each main class.
fn regressions(train: &Training, test: &Observations, numbers: &[f64]) -> Vec<(String, Vec<f64>)> {
    let names = std::iter::once("ridge on products".to_owned());
    let names = names.chain(NEIGHBOURS.iter().map(|k| format!("mean of {k} neighbours")));
    let mut all: Vec<(String, Vec<f64>)> = names.map(|name| (name, vec![0.0; test.len()])).collect();
    for class in 0..test.main_classes.len() as u32 {
        let slice = Slice::new(train, test, class);
        let (sample, rows) = slice.tables(numbers.len(), Columns::Standardised);
        if sample.len() == 0 {
            continue;
        }
        let targets: Vec<f64> = sample.labels.iter().map(|&label| numbers[label as usize]).collect();
        let width = sample.width;
        let ridge = ridge(&sample.rows, &targets, rows, width);
        let near = neighbours(&sample.rows, &targets, rows, width);
        for (place, &item) in slice.test_items.iter().enumerate() {
            all[0].1[item] = ridge[place];
            for (guesses, near) in all[1..].iter_mut().zip(&near[place]) {
                guesses.1[item] = *near;
            }
        }
    }
    all
}

/// Least squares on the outputs and their products, with a penalty of one item.
fn ridge(rows: &[f32], targets: &[f64], asked: &[f32], width: usize) -> Vec<f64> {
    let expand = |rows: &[f32]| -> Vec<f64> {
        let mut out = Vec::new();
        for row in rows.chunks_exact(width) {
            out.push(1.0);
            out.extend(row.iter().map(|&x| f64::from(x)));
            if width <= MOST_PAIRED {
                let pairs = (0..width).flat_map(|i| (0..=i).map(move |j| (i, j)));
                out.extend(pairs.map(|(i, j)| f64::from(row[i]) * f64::from(row[j])));
            }
        }
        out
    };
    let (learned, asked) = (expand(rows), expand(asked));
    let d = learned.len() / targets.len();
    let mut matrix = gram(&learned, d);
    (1..d).for_each(|i| matrix[i * d + i] += 1.0);
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let mut weights = vec![0.0; d];
    for (row, target) in learned.chunks_exact(d).zip(targets) {
        weights.iter_mut().zip(row).for_each(|(w, x)| *w += (target - mean) * x);
    }
    solve(&cholesky(&matrix, d, 1e-9), d, &mut weights);
    let (least, most) = targets.iter().fold((mean, mean), |(a, b), &t| (a.min(t), b.max(t)));
    asked.chunks_exact(d).map(|row| (mean + dot(&weights, row)).clamp(least, most)).collect()
}

/// Means over the nearest rows, for every number of [`NEIGHBOURS`].
fn neighbours(rows: &[f32], targets: &[f64], asked: &[f32], width: usize) -> Vec<Vec<f64>> {
    // Rows come in random order: the first are as good as any.
    let known = targets.len().min(MOST_NEIGHBOURS);
    let most = NEIGHBOURS[NEIGHBOURS.len() - 1].min(known);
    let near = |row: &[f32]| {
        let square = |other: &[f32]| row.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let mut found: Vec<(f32, usize)> =
            rows.chunks_exact(width).take(known).map(square).enumerate().map(|(at, square)| (square, at)).collect();
        found.select_nth_unstable_by(most - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.truncate(most);
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mean = |k: usize| {
            let k = k.min(known);
            found[..k].iter().map(|&(_, at)| targets[at]).sum::<f64>() / k as f64
        };
        NEIGHBOURS.map(mean).to_vec()
    };
    asked.par_chunks_exact(width).map(near).collect()
}

/// Squared errors of a prediction and of the mean of the main class, item by item.
struct Errors {
    pairs: Vec<(f64, f64)>,
    /// Mean absolute errors of both.
    absolute: (f64, f64),
}

impl Errors {
    fn of(guess: &[f64], data: &Observations, numbers: &[f64], base: &[f64]) -> Errors {
        let apart: Vec<(f64, f64)> = (0..data.len())
            .map(|item| {
                let number = numbers[data.collateral[item] as usize];
                (number - guess[item], number - base[data.main[item] as usize])
            })
            .collect();
        let n = apart.len().max(1) as f64;
        let absolute = apart.iter().fold((0.0, 0.0), |sum, error| (sum.0 + error.0.abs(), sum.1 + error.1.abs()));
        Errors {
            pairs: apart.into_iter().map(|(a, b)| (a * a, b * b)).collect(),
            absolute: (absolute.0 / n, absolute.1 / n),
        }
    }

    fn r2(&self) -> Option<f64> {
        share(self.pairs.iter())
    }

    /// The middle 95 % of R² over items drawn with replacement.
    fn interval(&self, seed: u64) -> Option<(f64, f64)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xb007);
        let n = self.pairs.len();
        let mut found: Vec<f64> = (0..RESAMPLES)
            .filter_map(|_| {
                let drawn: Vec<usize> = (0..n).map(|_| rng.random_range(0..n)).collect();
                share(drawn.iter().map(|&at| &self.pairs[at]))
            })
            .collect();
        found.sort_by(f64::total_cmp);
        let at = |share: f64| found.get((share * found.len() as f64) as usize).copied();
        at(0.025).zip(at(0.975))
    }
}

fn share<'a>(pairs: impl Iterator<Item = &'a (f64, f64)>) -> Option<f64> {
    let (own, blind) = pairs.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    (blind > 0.0).then(|| 1.0 - own / blind)
}

/// Spearman's correlation within main classes with its interval (Fisher's transform; Fieller, Hartley and Pearson, 1957).
fn rank(guess: &[f64], data: &Observations, numbers: &[f64]) -> (f64, f64, f64) {
    let (mut sum, mut items, mut classes) = (0.0, 0.0, 0.0);
    for class in 0..data.main_classes.len() as u32 {
        let members: Vec<usize> = (0..data.len()).filter(|&item| data.main[item] == class).collect();
        let guessed: Vec<f64> = members.iter().map(|&item| guess[item]).collect();
        let told: Vec<f64> = members.iter().map(|&item| numbers[data.collateral[item] as usize]).collect();
        if let Some(found) = correlation(&ranks(&guessed), &ranks(&told)) {
            let n = members.len() as f64;
            (sum, items, classes) = (sum + n * found, items + n, classes + 1.0);
        }
    }
    if items == 0.0 {
        return (0.0, -1.0, 1.0);
    }
    let rank: f64 = sum / items;
    let centre = rank.clamp(-0.999_999, 0.999_999).atanh();
    let half = Z95 * (1.06 / (items - 3.0 * classes).max(1.0)).sqrt();
    (rank, (centre - half).tanh(), (centre + half).tanh())
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let middle = from as f64 + (group.len() as f64 - 1.0) / 2.0;
        group.iter().for_each(|&at| ranks[at] = middle);
        from += group.len();
    }
    ranks
}

/// `None` for fewer than four values, or where either side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let sum = |of: fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| of(x - mean_a, y - mean_b)).sum::<f64>();
    let (aa, bb) = (sum(|x, _| x * x), sum(|_, y| y * y));
    (a.len() >= 4 && aa > 0.0 && bb > 0.0).then(|| sum(|x, y| x * y) / (aa * bb).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_many_numbers_are_a_number() {
        let names = |count: usize| (0..count).map(|i| format!("{}", 20 + i)).collect::<Vec<_>>();
        assert_eq!(numbers(&names(10)), None);
        assert_eq!(numbers(&names(12)).unwrap()[3], 23.0);
        assert_eq!(numbers(&[names(12), vec!["old".into()]].concat()), None);
        assert_eq!(numbers(&[names(12), vec!["inf".into()]].concat()), None);
    }

    #[test]
    fn ranks_share_ties_and_order_is_what_counts() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
        let cubes: Vec<f64> = (0..9).map(|i| f64::from(i).powi(3)).collect();
        let line: Vec<f64> = (0..9).map(f64::from).collect();
        assert!((correlation(&ranks(&cubes), &ranks(&line)).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(correlation(&line, &[1.0; 9]), None);
    }
}
