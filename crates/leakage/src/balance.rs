//! Accuracy as if every value were equally frequent: attackers answer by likelihood, not by frequency.

use crate::level::simultaneous;
use crate::metrics::{Balance, Calibration, Recall, Scores, balance};
use crate::observations::Observations;
use crate::report::{AttackerScore, Balanced, Finding, MainLabel, Scope};

/// Logarithms of the values' frequencies among training items. Those of values that do not occur are infinite, so that
/// they are never an answer.
pub(crate) struct Shares {
    values: usize,
    /// Within each main class.
    within: Vec<f64>,
    /// Over all.
    overall: Vec<f64>,
}

impl Shares {
    pub fn of(train: &Observations) -> Shares {
        let values = train.collateral_classes.len();
        let counts = counts(&[train]);
        let logs = |counts: &[f64]| {
            let total: f64 = counts.iter().sum();
            let log = |count: f64| if count > 0.0 { (count / total).ln() } else { f64::INFINITY };
            counts.iter().map(|&count| log(count)).collect::<Vec<f64>>()
        };
        let sums: Vec<f64> = (0..values).map(|value| counts.iter().skip(value).step_by(values).sum()).collect();
        Shares { values, within: counts.chunks_exact(values).flat_map(logs).collect(), overall: logs(&sums) }
    }

    /// The answer by likelihood within a main class.
    fn within(&self, main: u32, probabilities: &[f64]) -> usize {
        let at = main as usize * self.values;
        most_likely(probabilities, &self.within[at..at + self.values])
    }

    /// The answer by likelihood over all items, where the main label counts as evidence.
    fn overall(&self, probabilities: &[f64]) -> usize {
        most_likely(probabilities, &self.overall)
    }
}

fn most_likely(probabilities: &[f64], shares: &[f64]) -> usize {
    let evidence = |at: usize| probabilities[at].max(1e-300).ln() - shares[at];
    (0..shares.len()).reduce(|a, b| if evidence(b) > evidence(a) { b } else { a }).unwrap_or(0)
}

/// Correct answers of one attacker: for every main class and value, and for every value over all items.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    within: Vec<Vec<Recall>>,
    overall: Vec<Recall>,
}

impl Answers {
    pub fn of(scores: &Scores, data: &Observations, calibration: &Calibration, shares: &Shares) -> Answers {
        let values = data.collateral_classes.len();
        let mut within = vec![vec![Recall::default(); values]; data.main_classes.len()];
        let mut overall = vec![Recall::default(); values];
        for (row, (&main, &value)) in scores.rows().zip(data.main.iter().zip(&data.collateral)) {
            let probabilities = calibration.probabilities(row);
            let (own, all) = (&mut within[main as usize][value as usize], &mut overall[value as usize]);
            own.items += 1.0;
            own.right += f64::from(u8::from(shares.within(main, &probabilities) == value as usize));
            all.items += 1.0;
            all.right += f64::from(u8::from(shares.overall(&probabilities) == value as usize));
        }
        Answers { within, overall }
    }

    /// The mean over runs on the same items: each item counts once.
    pub fn mean(runs: &[Answers]) -> Answers {
        let Some(first) = runs.first() else { return Answers::default() };
        let share = 1.0 / runs.len() as f64;
        let mut mean = first.clone();
        let cells = |answers: &Answers| answers.within.iter().flatten().chain(&answers.overall).copied().collect();
        let all: Vec<Vec<Recall>> = runs.iter().map(cells).collect();
        for (at, cell) in mean.within.iter_mut().flatten().chain(&mut mean.overall).enumerate() {
            cell.right = share * all.iter().map(|run| run[at].right).sum::<f64>();
            cell.items = share * all.iter().map(|run| run[at].items).sum::<f64>();
        }
        mean
    }

    /// Within one main class, or over all with equal weight.
    pub fn balance(&self, class: Option<u32>, level: f64) -> Option<Balance> {
        match class {
            Some(class) => balance(&self.within[class as usize..=class as usize], level),
            None => balance(&self.within, level),
        }
    }

    /// Over all items, with the main label counted as evidence.
    fn whole(&self, level: f64) -> Option<Balance> {
        balance(std::slice::from_ref(&self.overall), level)
    }
}

/// One row of the report: `test` and `held` are the answers on those items.
pub(crate) fn row(test: &Answers, held: &Answers, class: Option<u32>, level: f64) -> Option<Balanced> {
    let found = test.balance(class, level)?;
    let held_out = held.balance(class, level).map_or(found.chance, |held| held.accuracy);
    Some(Balanced {
        accuracy: 100.0 * found.accuracy,
        low: 100.0 * found.low,
        high: 100.0 * found.high,
        chance: 100.0 * found.chance,
        advantage: advantage(&found),
        held_out: 100.0 * held_out,
        overall: if class.is_none() { test.whole(level).map(|whole| 100.0 * whole.accuracy) } else { None },
    })
}

fn advantage(found: &Balance) -> f64 {
    (found.accuracy - found.chance) / (1.0 - found.chance)
}

/// The pooled attacker with the largest balanced accuracy on held-out items.
pub(crate) fn strongest(rows: &[AttackerScore]) -> Option<Finding> {
    let pooled = rows.iter().filter(|row| row.scope == Scope::Pooled);
    let pooled = pooled.filter_map(|row| Some((row, row.balanced.as_ref()?)));
    let (row, found) = pooled.reduce(|a, b| if b.1.held_out > a.1.held_out { b } else { a })?;
    Some(finding(rows, row, found, (found.low, found.high)))
}

/// The largest balanced accuracy on the test items, with its interval widened to hold for all attackers, and for
/// `comparisons` attributes, at once. `answers` are those of the pooled rows, in their order.
pub(crate) fn highest(rows: &[AttackerScore], answers: &[Answers], comparisons: usize) -> Option<Finding> {
    let level = simultaneous(answers.len() * comparisons.max(1));
    let pooled = rows.iter().filter(|row| row.scope == Scope::Pooled).zip(answers);
    let pooled = pooled.filter_map(|(row, answers)| Some((row, row.balanced.as_ref()?, answers)));
    let (row, found, answers) = pooled.reduce(|a, b| if b.1.accuracy > a.1.accuracy { b } else { a })?;
    let wide = answers.balance(None, level)?;
    Some(finding(rows, row, found, (100.0 * wide.low, 100.0 * wide.high)))
}

/// The area under the curve is also the mean over main classes: over all items it would count what the main label
/// reveals.
fn finding(rows: &[AttackerScore], row: &AttackerScore, found: &Balanced, (low, high): (f64, f64)) -> Finding {
    let within = rows.iter().filter(|other| other.scope == Scope::Class && other.family == row.family);
    let areas: Vec<f64> = within.filter_map(|other| other.auc).collect();
    let auc = if areas.is_empty() { row.auc } else { Some(areas.iter().sum::<f64>() / areas.len() as f64) };
    Finding {
        family: row.family.clone(),
        scope: row.scope,
        class: None,
        accuracy: found.accuracy,
        low,
        high,
        chance: found.chance,
        advantage: found.advantage,
        auc,
    }
}

/// The best prediction from the main label alone, without any output.
pub(crate) fn main_label(train: &Observations, test: &Observations) -> MainLabel {
    let values = train.collateral_classes.len();
    let counts = counts(&[train, test]);
    let total: f64 = counts.iter().sum();
    let sums: Vec<f64> = (0..values).map(|value| counts.iter().skip(value).step_by(values).sum()).collect();
    let present = sums.iter().filter(|&&sum| sum > 0.0).count().max(1) as f64;
    let (mut accuracy, mut balanced) = (0.0, 0.0);
    for class in counts.chunks_exact(values) {
        accuracy += class.iter().copied().fold(0.0, f64::max);
        let shares = class.iter().zip(&sums).map(|(count, sum)| if *sum > 0.0 { count / sum } else { 0.0 });
        balanced += shares.fold(0.0, f64::max) / present;
    }
    let most = sums.iter().copied().fold(0.0, f64::max);
    MainLabel {
        accuracy: 100.0 * accuracy / total,
        balanced_accuracy: 100.0 * balanced,
        most_frequent: 100.0 * most / total,
    }
}

/// Items of every main class and value.
fn counts(splits: &[&Observations]) -> Vec<f64> {
    let (classes, values) = (splits[0].main_classes.len(), splits[0].collateral_classes.len());
    let mut counts = vec![0.0; classes * values];
    for split in splits {
        for (&main, &value) in split.main.iter().zip(&split.collateral) {
            counts[main as usize * values + value as usize] += 1.0;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in the census: 30 of 100 men and 11 of 100 women, two men for every woman.
    #[test]
    fn the_main_label_alone_tells_what_arithmetic_says() {
        let cells = [(0, 0, 140), (1, 0, 60), (0, 1, 89), (1, 1, 11)];
        let items = cells.iter().flat_map(|&(main, value, count)| std::iter::repeat_n((main, value), count));
        let (main, collateral): (Vec<u32>, Vec<u32>) = items.unzip();
        let data = Observations {
            outputs: vec![0i64; main.len()].into(),
            width: 1,
            main,
            collateral,
            main_classes: vec!["low".into(), "high".into()],
            collateral_classes: vec!["man".into(), "woman".into()],
        };
        let floor = main_label(&data, &data);
        assert!((floor.balanced_accuracy - 50.0 * (1.0 + 0.3 - 0.11)).abs() < 1e-9);
        assert!((floor.accuracy - 100.0 * 200.0 / 300.0).abs() < 1e-9);
        assert!((floor.most_frequent - 100.0 * 200.0 / 300.0).abs() < 1e-9);
    }
}
