//! One subject, k items: the combined evidence of several outputs.

use crate::evaluate::Run;
use crate::metrics::{Scores, best, depends, log_sum, wilson};
use crate::observations::Observations;
use crate::report::Vote;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Subjects drawn per value of the attribute.
const SUBJECTS: usize = 2000;

/// For every k that the test items allow, the family that is strongest on the held-out items of the runs, and its
/// accuracy on the test items. An item drawn twice for one subject would add no evidence, so every value needs k test
/// items.
///
/// A subject has one value of the attribute and k random items of any main label. The attacker sums `(s_v − c_mv) + ln
/// P(m | v)` over the items and takes the largest. Here `s` are its log-probabilities, `c_m` their mean over items of
/// main class m with every value equally likely, and the last term is the evidence of the main label itself, 0 where
/// label and attribute are independent. So neither a bias of the attacker nor the frequencies of the values count as
/// evidence. The interval is Wilson's for the number of disjoint subjects that the items allow, because subjects drawn
/// from the same items are not independent.
pub(crate) fn vote(
    names: &[String],
    runs: &[Run],
    train: &Observations,
    test: &Observations,
    ks: &[usize],
    seed: u64,
) -> Vec<Vote> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let classes = first.test_scores.first().map_or(2, |s| s.classes);
    let labels = &test.collateral;
    let of_value = |value: u32| labels.iter().filter(|&&label| label == value).count();
    let counts: Vec<usize> = (0..classes as u32).map(of_value).filter(|&count| count > 0).collect();
    let least = counts.iter().copied().min().unwrap_or(0);
    let ks: Vec<usize> = ks.iter().copied().filter(|&k| k <= least).collect();
    let mut of_held = vec![vec![0.0; ks.len()]; names.len()];
    let mut of_test = of_held.clone();
    let told_by_label = told_by_label(train);
    for run in runs {
        let (held, test) = evidence(run, test, &told_by_label);
        let sides = [(&mut of_held, held, &run.held.collateral), (&mut of_test, test, labels)];
        for (sums, evidence, labels) in sides {
            let rates = success(&evidence, classes, labels, &ks, seed);
            for (sums, rates) in sums.iter_mut().zip(rates) {
                let rates = rates.iter().map(|r| r / runs.len() as f64);
                sums.iter_mut().zip(rates).for_each(|(s, r)| *s += r);
            }
        }
    }
    let row = |(at, &k): (usize, &usize)| {
        let family = (0..names.len()).reduce(|a, b| if of_held[b][at] > of_held[a][at] { b } else { a })?;
        let subjects: usize = counts.iter().map(|count| count / k).sum();
        let rate = of_test[family][at];
        let (low, high) = wilson(rate * subjects as f64, subjects as f64, 0.95);
        Some(Vote {
            k,
            accuracy: 100.0 * rate,
            low: 100.0 * low,
            high: 100.0 * high,
            family: names[family].clone(),
            chance: 100.0 / counts.len() as f64,
            subjects,
        })
    };
    ks.iter().enumerate().filter_map(row).collect()
}

/// Fraction of subjects identified correctly, per family and k, mean over values of the attribute.
fn success(evidence: &[Vec<f32>], classes: usize, labels: &[u32], ks: &[usize], seed: u64) -> Vec<Vec<f64>> {
    let mut right = vec![vec![0.0; ks.len()]; evidence.len()];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let present = (0..classes as u32).filter(|v| labels.contains(v)).count() as f64;
    for value in 0..classes as u32 {
        let of_value = labels.iter().enumerate().filter(|(_, l)| **l == value);
        let mut items: Vec<usize> = of_value.map(|(i, _)| i).collect();
        if items.is_empty() {
            continue;
        }
        for (at, &k) in ks.iter().enumerate() {
            for _ in 0..SUBJECTS {
                // Without repeats among the test items; repeats among few held-out items only affect the choice of
                // attacker.
                let drawn: Vec<usize> = if k <= items.len() {
                    items.partial_shuffle(&mut rng, k).0.to_vec()
                } else {
                    let any = 0..items.len();
                    (0..k).map(|_| items[rng.random_range(any.clone())]).collect()
                };
                for (right, evidence) in right.iter_mut().zip(evidence) {
                    let mut sums = vec![0.0f32; classes];
                    for &item in &drawn {
                        let row = &evidence[item * classes..(item + 1) * classes];
                        sums.iter_mut().zip(row).for_each(|(s, x)| *s += x);
                    }
                    if best(&sums) == value as usize {
                        right[at] += 1.0 / (SUBJECTS as f64 * present);
                    }
                }
            }
        }
    }
    right
}

/// Evidence of every family for the held-out items and for the test items of a run, `[N, values]`.
fn evidence(run: &Run, test: &Observations, told_by_label: &[f32]) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let both = run.held_scores.iter().zip(&run.test_scores).map(|(held_scores, test_scores)| {
        let (held, new) = (log_probabilities(held_scores), log_probabilities(test_scores));
        let classes = held_scores.classes;
        let (of_held, of_test) = (Means::of(&held, classes, &run.held), Means::of(&new, classes, test));
        let told = |values: Vec<f32>, centre: &[f64], main: &[u32]| -> Vec<f32> {
            let rows = values.chunks_exact(classes).zip(main);
            let row = |(row, &main): (&[f32], &u32)| {
                let from = main as usize * classes;
                let terms = row.iter().zip(&centre[from..]).zip(&told_by_label[from..]);
                terms.map(|((x, centre), label)| x - *centre as f32 + label).collect::<Vec<f32>>()
            };
            rows.flat_map(row).collect()
        };
        (told(held, &of_held.balanced(), &run.held.main), told(new, &of_test.balanced_by(&of_held), &test.main))
    });
    both.unzip()
}

/// ln P(main | value), `[main classes, values]`; all 0 where the attribute's frequencies do not depend on the main
/// label.
fn told_by_label(train: &Observations) -> Vec<f32> {
    let (mains, values) = (train.main_classes.len(), train.collateral_classes.len());
    let mut counts = vec![0_usize; mains * values];
    for (&main, &value) in train.main.iter().zip(&train.collateral) {
        counts[main as usize * values + value as usize] += 1;
    }
    let of_value = |value: usize| (0..mains).map(|main| counts[main * values + value]).sum::<usize>();
    let totals: Vec<usize> = (0..values).map(of_value).collect();
    if !depends(&counts, values) {
        return vec![0.0; mains * values];
    }
    let share =
        |(at, &count): (usize, &usize)| ((count as f32 + 0.5) / (totals[at % values] as f32 + 0.5 * mains as f32)).ln();
    counts.iter().enumerate().map(share).collect()
}

fn log_probabilities(scores: &Scores) -> Vec<f32> {
    let row = |row: &[f32]| {
        let total = log_sum(row.iter().copied());
        row.iter().map(|x| (x - total).max(-30.0)).collect::<Vec<f32>>()
    };
    scores.rows().flat_map(row).collect()
}

/// Mean log-probabilities and number of the items of each main class and true value, `[main classes, values]`.
struct Means {
    values: usize,
    cells: Vec<Cell>,
}

/// Number of rows and their mean.
type Cell = (f64, Vec<f64>);

impl Means {
    fn of(probabilities: &[f32], values: usize, data: &Observations) -> Means {
        let mut cells = vec![(0.0, vec![0.0_f64; values]); data.main_classes.len() * values];
        for ((row, &main), &value) in probabilities.chunks_exact(values).zip(&data.main).zip(&data.collateral) {
            let (count, mean) = &mut cells[main as usize * values + value as usize];
            *count += 1.0;
            mean.iter_mut().zip(row).for_each(|(mean, &x)| *mean += (f64::from(x) - *mean) / *count);
        }
        Means { values, cells }
    }

    /// The mean of each main class with every value equally likely.
    fn balanced(&self) -> Vec<f64> {
        let class = |cells: &[Cell]| {
            let present = cells.iter().filter(|(count, _)| *count > 0.0);
            self.mean(present.map(|(_, mean)| (1.0, mean)))
        };
        self.cells.chunks_exact(self.values).flat_map(class).collect()
    }

    /// The same for items without labels: their own mean, corrected by what other items show of the values where the
    /// values' frequencies, which are assumed known, are not equal.
    fn balanced_by(&self, known: &Means) -> Vec<f64> {
        let class = |(cells, known): (&[Cell], &[Cell])| {
            let plain = self.mean(cells.iter().map(|(count, mean)| (*count, mean)));
            let both = || cells.iter().zip(known).filter(|((count, _), (seen, _))| *count > 0.0 && *seen > 0.0);
            let balanced = self.mean(both().map(|(_, (_, mean))| (1.0, mean)));
            let shared = self.mean(both().map(|((count, _), (_, mean))| (*count, mean)));
            (0..self.values).map(move |at| plain[at] + balanced[at] - shared[at]).collect::<Vec<f64>>()
        };
        self.cells.chunks_exact(self.values).zip(known.cells.chunks_exact(self.values)).flat_map(class).collect()
    }

    /// Weighted mean; 0 if there are none.
    fn mean<'a>(&self, parts: impl Iterator<Item = (f64, &'a Vec<f64>)>) -> Vec<f64> {
        let (mut sums, mut total) = (vec![0.0; self.values], 0.0);
        for (weight, mean) in parts {
            sums.iter_mut().zip(mean).for_each(|(sum, x)| *sum += weight * x);
            total += weight;
        }
        sums.into_iter().map(|sum| if total > 0.0 { sum / total } else { 0.0 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attackers::gaussian_number;
    use crate::metrics::normal_cdf;

    #[test]
    fn agrees_with_the_closed_form() {
        // Log-odds N(±μ, 1) of an item give a subject's sum N(±kμ, k): accuracy Φ(√k·μ).
        let mu = 0.1;
        let run = run(mu, |i| i % 2);
        let ks = [1, 20, 140];
        for (rate, k) in rates(&run, &ks).iter().zip(ks) {
            let expected = normal_cdf((k as f64).sqrt() * mu);
            assert!((rate - expected).abs() < 0.02, "k {k}: {rate} {expected}");
        }
    }

    /// Evidence was once measured from the mean of all items, which a frequent value pulls to its side.
    #[test]
    fn a_rare_value_is_voted_for_as_well() {
        let mu = 0.2;
        let run = run(mu, |i| u32::from(i % 10 == 0));
        let expected = normal_cdf(20_f64.sqrt() * mu);
        let rate = rates(&run, &[20])[0];
        assert!((rate - expected).abs() < 0.02, "{rate} {expected}");
    }

    /// Fraction of subjects identified correctly, for each number of items.
    fn rates(run: &Run, ks: &[usize]) -> Vec<f64> {
        let names = ["attacker".to_owned()];
        let found = vote(&names, std::slice::from_ref(run), &run.held, &run.held, ks, 0);
        found.iter().map(|vote| vote.accuracy / 100.0).collect()
    }

    /// 200,000 items of two main classes, and an attacker whose log-odds are N(±μ, 1) plus a bias of each class.
    fn run(mu: f64, value: impl Fn(u32) -> u32) -> Run {
        let items = 200_000;
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let labels: Vec<u32> = (0..items).map(value).collect();
        let main: Vec<u32> = (0..items).map(|i| i / 2 % 2).collect();
        let odds = labels.iter().zip(&main).map(|(&label, &main)| {
            let sign = if label == 1 { 1.0 } else { -1.0 };
            [0.4, -0.7][main as usize] + sign * mu + gaussian_number(&mut rng)
        });
        // log p1 − log p0 = odds.
        let values = odds.flat_map(|o| {
            let p1 = -(1.0 + (-o).exp()).ln();
            [(p1 - o) as f32, p1 as f32]
        });
        let scores = vec![Scores { values: values.collect(), classes: 2 }];
        let classes = || ["0", "1"].map(str::to_owned).to_vec();
        let held = Observations {
            outputs: vec![0.0_f32; labels.len()].into(),
            width: 1,
            main,
            collateral: labels,
            main_classes: classes(),
            collateral_classes: classes(),
        };
        Run { held, held_scores: scores.clone(), test_scores: scores }
    }
}
