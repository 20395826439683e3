//! Turns scores into the rows of the report, and chooses the strongest.

use crate::balance::{self, Answers, Shares};
use crate::level::{LEVEL, simultaneous};
use crate::metrics::{Calibration, Scores, auc, chance, tpr_at_fpr, wilson};
use crate::observations::Observations;
use crate::report::{AttackerScore, Finding, Scope};

const FALSE_POSITIVES: f64 = 1e-3;

/// Scores of every family of one run, with the items they belong to.
pub(crate) struct Run {
    pub held: Observations,
    pub held_scores: Vec<Scores>,
    pub test_scores: Vec<Scores>,
}

/// The items of one scope: all, or one main class.
pub(crate) struct View {
    pub scope: Scope,
    pub class: Option<u32>,
    /// Fraction of correct guesses from the main label alone, 0 to 1.
    pub chance: f64,
}

/// The pooled view, then one view for each main class in which the attribute varies.
pub(crate) fn views(train: &Observations, test: &Observations) -> Vec<View> {
    let classes = train.main_classes.len();
    let count = |splits: &[&Observations]| {
        let mut counts = vec![vec![0_usize; train.collateral_classes.len()]; classes];
        for (&main, &value) in splits.iter().flat_map(|split| split.main.iter().zip(&split.collateral)) {
            counts[main as usize][value as usize] += 1;
        }
        counts
    };
    let (tested, both) = (count(&[test]), count(&[train, test]));
    let present = |class: usize| both[class].iter().filter(|&&count| count > 0).count();
    let chances: Vec<f64> = tested.iter().zip(&both).map(|(tested, both)| chance(tested, both)).collect();
    let weights = tested.iter().map(|counts| counts.iter().sum::<usize>() as f64);
    let pooled = View {
        scope: Scope::Pooled,
        class: None,
        chance: chances.iter().zip(weights).map(|(c, w)| c * w).sum::<f64>() / test.len() as f64,
    };
    let varying = (0..classes).filter(|&class| present(class) > 1);
    // Where the value to predict happens to be rare among few test items, a blind guess does better.
    let within = varying.map(|class| View {
        scope: Scope::Class,
        class: Some(class as u32),
        chance: chances[class].max(1.0 / present(class) as f64),
    });
    std::iter::once(pooled).chain(within).collect()
}

/// The findings of all attackers.
pub(crate) struct Rows {
    /// One row per family and view, in that order: means over the runs.
    pub rows: Vec<AttackerScore>,
    /// The answers of every family on the test items, means over the runs.
    pub answers: Vec<Answers>,
}

/// Scores every family in every view.
pub(crate) fn attackers(
    names: &[String],
    views: &[View],
    runs: &[Run],
    train: &Observations,
    test: &Observations,
) -> Rows {
    let mut rows = Vec::with_capacity(names.len() * views.len());
    let mut answers = Vec::with_capacity(names.len());
    let (prior, shares) = (Prior::of(train), Shares::of(train));
    for (family, name) in names.iter().enumerate() {
        let calibrations: Vec<Calibration> =
            (runs.iter()).map(|run| Calibration::fit(&run.held_scores[family], &run.held.collateral)).collect();
        let answered = |run: (&Run, &Calibration)| {
            let (run, calibration) = run;
            let of = |scores, data| Answers::of(scores, data, calibration, &shares);
            (of(&run.test_scores[family], test), of(&run.held_scores[family], &run.held))
        };
        let (on_test, on_held): (Vec<Answers>, Vec<Answers>) = runs.iter().zip(&calibrations).map(answered).unzip();
        let (on_test, on_held) = (Answers::mean(&on_test), Answers::mean(&on_held));
        for view in views {
            let measured: Vec<Measured> = (runs.iter().zip(&calibrations))
                .map(|(run, calibration)| measure(view, family, run, calibration, test, &prior))
                .collect();
            let balanced = balance::row(&on_test, &on_held, view.class, LEVEL);
            rows.push(AttackerScore { balanced, ..row(name, view, &measured, test) });
        }
        answers.push(on_test);
    }
    Rows { rows, answers }
}

struct Measured {
    accuracy: f64,
    held_out: f64,
    items: f64,
    auc: Option<f64>,
    tpr: Option<f64>,
    bits: f64,
}

fn measure(
    view: &View,
    family: usize,
    run: &Run,
    calibration: &Calibration,
    test: &Observations,
    prior: &Prior,
) -> Measured {
    let select = |data: &Observations, scores: &Scores| {
        let in_view = |i: &usize| view.class.is_none_or(|class| data.main[*i] == class);
        let items: Vec<usize> = (0..data.len()).filter(in_view).collect();
        let labels: Vec<u32> = items.iter().map(|&i| data.collateral[i]).collect();
        (scores.subset(&items), labels, items)
    };
    let share = |scores: &Scores, labels: &[u32]| scores.correct(labels) as f64 / labels.len().max(1) as f64;
    let (held, held_labels, _) = select(&run.held, &run.held_scores[family]);
    let (scores, labels, items) = select(test, &run.test_scores[family]);
    let before = items.iter().map(|&i| prior.bits(test, i)).sum::<f64>() / items.len().max(1) as f64;
    let (auc, tpr) = ranking(&scores, &labels);
    Measured {
        accuracy: share(&scores, &labels),
        held_out: share(&held, &held_labels),
        items: items.len() as f64,
        auc,
        tpr,
        bits: (before - calibration.code_length(&scores, &labels)).max(0.0),
    }
}

/// One value against the rest: the mean over the values that occur together with others.
fn ranking(scores: &Scores, labels: &[u32]) -> (Option<f64>, Option<f64>) {
    let each = (0..scores.classes).filter_map(|class| {
        let odds = scores.odds(class);
        let positive: Vec<bool> = labels.iter().map(|&l| l as usize == class).collect();
        auc(&odds, &positive).zip(tpr_at_fpr(&odds, &positive, FALSE_POSITIVES))
    });
    let each: Vec<(f64, f64)> = each.collect();
    if each.is_empty() {
        return (None, None);
    }
    let n = each.len() as f64;
    let auc = each.iter().map(|x| x.0).sum::<f64>() / n;
    (Some(auc), Some(each.iter().map(|x| x.1).sum::<f64>() / n))
}

fn row(name: &str, view: &View, measured: &[Measured], test: &Observations) -> AttackerScore {
    let n = measured.len() as f64;
    let mean = |of: fn(&Measured) -> f64| measured.iter().map(of).sum::<f64>() / n;
    let some = |of: fn(&Measured) -> Option<f64>| {
        let values: Option<Vec<f64>> = measured.iter().map(of).collect();
        values.map(|v| v.iter().sum::<f64>() / n)
    };
    let accuracy = mean(|m| m.accuracy);
    let items = measured.first().map_or(0.0, |m| m.items);
    let (low, high) = wilson(accuracy * items, items, LEVEL);
    let least = measured.iter().map(|m| m.accuracy).fold(1.0, f64::min);
    let most = measured.iter().map(|m| m.accuracy).fold(0.0, f64::max);
    AttackerScore {
        family: name.to_owned(),
        scope: view.scope,
        class: view.class.map(|m| test.main_classes[m as usize].clone()),
        accuracy: 100.0 * accuracy,
        low: 100.0 * low,
        high: 100.0 * high,
        chance: 100.0 * view.chance,
        advantage: advantage(accuracy, view.chance),
        auc: some(|m| m.auc),
        tpr_at_fpr: some(|m| m.tpr),
        bits: mean(|m| m.bits),
        held_out: 100.0 * mean(|m| m.held_out),
        spread: 100.0 * (most - least),
        balanced: None,
    }
}

/// The fraction of the gap between chance and certainty; 0 where chance is certainty.
fn advantage(accuracy: f64, chance: f64) -> f64 {
    if chance >= 1.0 {
        return 0.0;
    }
    (accuracy - chance) / (1.0 - chance)
}

/// The row whose held-out accuracy is farthest above chance by the lower bound of its interval, and that bound. The
/// interval holds for all rows of the scope at once: there are many more class rows than pooled ones, on fewer items,
/// and the luckiest of them must not outrank a pooled one that is certain.
///
/// The reported interval holds for `comparisons` such findings at once.
pub(crate) fn strongest(
    rows: &[AttackerScore],
    scope: Scope,
    (held, test): (&Observations, &Observations),
    comparisons: usize,
) -> Option<(Finding, f64)> {
    let level = simultaneous(rows.iter().filter(|row| row.scope == scope).count());
    let floor = |row: &AttackerScore| {
        let items = items_of(row, held);
        let (low, _) = wilson(row.held_out / 100.0 * items, items, level);
        advantage(low, row.chance / 100.0)
    };
    let rows = rows.iter().filter(|row| row.scope == scope);
    let (best, floor) = rows.map(|row| (row, floor(row))).reduce(|a, b| if b.1 > a.1 { b } else { a })?;
    Some((finding(best, test, simultaneous(comparisons)), floor))
}

/// The largest accuracy above chance on the test items, with its interval widened to hold for all rows of the scope,
/// and for `comparisons` such scopes, at once (Bonferroni).
pub(crate) fn highest(
    rows: &[AttackerScore],
    scope: Scope,
    test: &Observations,
    comparisons: usize,
) -> Option<Finding> {
    let rows: Vec<&AttackerScore> = rows.iter().filter(|row| row.scope == scope).collect();
    let best = (rows.iter().copied()).reduce(|a, b| if b.advantage > a.advantage { b } else { a })?;
    Some(finding(best, test, simultaneous(rows.len() * comparisons.max(1))))
}

/// The number of items of `data` that a row covers.
fn items_of(row: &AttackerScore, data: &Observations) -> f64 {
    let class = row.class.as_ref().and_then(|name| data.main_classes.iter().position(|class| class == name));
    let items = class.map_or(data.len(), |class| data.main.iter().filter(|&&main| main as usize == class).count());
    items as f64
}

fn finding(row: &AttackerScore, test: &Observations, level: f64) -> Finding {
    let items = items_of(row, test);
    let (low, high) = wilson(row.accuracy / 100.0 * items, items, level);
    Finding {
        family: row.family.clone(),
        scope: row.scope,
        class: row.class.clone(),
        accuracy: row.accuracy,
        low: 100.0 * low,
        high: 100.0 * high,
        chance: row.chance,
        advantage: row.advantage,
        auc: row.auc,
    }
}

/// Frequencies of the attribute's values within each main class of the training items.
struct Prior {
    values: usize,
    bits: Vec<f64>,
}

impl Prior {
    fn of(train: &Observations) -> Prior {
        let values = train.collateral_classes.len();
        let mut counts = vec![0.5; train.main_classes.len() * values];
        for (&main, &value) in train.main.iter().zip(&train.collateral) {
            counts[main as usize * values + value as usize] += 1.0;
        }
        let bits = counts.chunks_exact(values).flat_map(|counts| {
            let total: f64 = counts.iter().sum();
            counts.iter().map(move |c| -(c / total).log2())
        });
        Prior { values, bits: bits.collect() }
    }

    fn bits(&self, data: &Observations, item: usize) -> f64 {
        self.bits[data.main[item] as usize * self.values + data.collateral[item] as usize]
    }
}
