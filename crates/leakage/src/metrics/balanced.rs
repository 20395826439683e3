//! Balanced accuracy: the mean fraction of correct answers over the values, however frequent each of them is.

use super::wilson;

/// Answers for the items of one value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Recall {
    pub right: f64,
    pub items: f64,
}

/// Fractions from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Balance {
    pub accuracy: f64,
    pub low: f64,
    pub high: f64,
    /// The accuracy of guessing: one over the number of values.
    pub chance: f64,
}

/// The mean over groups, with equal weight, of the mean recall over the values that occur in the group. Groups with one
/// value are ignored. `None` where no group has two.
///
/// The interval adds the squared distances of every recall's own Wilson interval (Zou and Donner, "Construction of
/// confidence limits about effect measures", 2008), so that few items give a wide one.
pub(crate) fn balance(groups: &[Vec<Recall>], level: f64) -> Option<Balance> {
    let present = |group: &&[Recall]| group.iter().filter(|value| value.items > 0.0).count() > 1;
    let groups: Vec<&[Recall]> = groups.iter().map(Vec::as_slice).filter(present).collect();
    let (mut accuracy, mut chance, mut below, mut above) = (0.0, 0.0, 0.0, 0.0);
    for group in &groups {
        let values = || group.iter().filter(|value| value.items > 0.0);
        let alike = 1.0 / values().count() as f64;
        let weight = alike / groups.len() as f64;
        chance += weight;
        for value in values() {
            let share = value.right / value.items;
            let (low, high) = wilson(value.right, value.items, level);
            accuracy += weight * share;
            below += (weight * (share - low)).powi(2);
            above += (weight * (high - share)).powi(2);
        }
    }
    if groups.is_empty() {
        return None;
    }
    let (low, high) = (accuracy - below.sqrt(), accuracy + above.sqrt());
    Some(Balance { accuracy, low: low.max(0.0), high: high.min(1.0), chance })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall(right: f64, items: f64) -> Recall {
        Recall { right, items }
    }

    #[test]
    fn frequent_values_do_not_count_more_than_rare_ones() {
        // Always the frequent value: 90 % correct, without information.
        let found = balance(&[vec![recall(900.0, 900.0), recall(0.0, 100.0)]], 0.95).unwrap();
        assert_eq!((found.accuracy, found.chance), (0.5, 0.5));
        let found = balance(&[vec![recall(90.0, 100.0), recall(7.0, 10.0)], vec![recall(5.0, 5.0)]], 0.95).unwrap();
        assert!((found.accuracy - 0.8).abs() < 1e-12, "a group of one value counts for nothing");
        assert_eq!(balance(&[vec![recall(5.0, 5.0)]], 0.95), None);
    }

    #[test]
    fn intervals_hold_and_few_items_make_them_wide() {
        // A difference of two proportions is twice a balanced accuracy less one: Newcombe's tenth method, 56/70 − 48/80.
        let found = balance(&[vec![recall(56.0, 70.0), recall(32.0, 80.0)]], 0.95).unwrap();
        let (low, high) = (2.0 * found.low - 1.0, 2.0 * found.high - 1.0);
        assert!((low - 0.0524).abs() < 1e-3 && (high - 0.3339).abs() < 1e-3, "{low} {high}");
        let few = balance(&[vec![recall(3.0, 5.0), recall(2.0, 5.0)]], 0.95).unwrap();
        assert!(few.low < 0.3 && few.high > 0.7 && few.low >= 0.0 && few.high <= 1.0);
    }
}
