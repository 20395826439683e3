//! Whether predictions differ between the values of an attribute.

use std::collections::BTreeMap;

use leakage::Observations;
use model::{CompiledNetwork, largest};
use serde::{Deserialize, Serialize};

use crate::ExperimentError;

/// How often each main class is predicted for items of each value of the attribute.
///
/// It concerns decisions, not what outputs reveal: a network whose outputs reveal nothing beyond the main label still
/// decides unequally if label and attribute depend on each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parity {
    /// Predictions of each main class for each value, percent of the items of that value.
    pub predicted: BTreeMap<String, BTreeMap<String, f64>>,
    /// Demographic-parity distance: the largest difference between two values for one class, 0 to 1.
    pub distance: f64,
    /// The same for the labels themselves: the distance of an error-free network.
    pub labels: f64,
    /// Equalised odds: the largest difference between two values for one class, at equal label, 0 to 1.
    pub odds: f64,
}

/// Counts the predictions of a network about `seen`, whose outputs are its own; values without items are left out.
///
/// # Errors
/// Outputs of another number than the network's.
pub fn parity(network: &CompiledNetwork, seen: &Observations) -> Result<Parity, ExperimentError> {
    let (classes, values) = (network.classes().len(), seen.collateral_classes.len());
    let mut counts = vec![vec![vec![0usize; classes]; seen.main_classes.len()]; values];
    for item in 0..seen.len() {
        let outputs: Vec<i64> = seen.outputs.integers().map_or_else(
            || seen.row(item).into_iter().map(|value| value as i64).collect(),
            |all| all[item * seen.width..(item + 1) * seen.width].to_vec(),
        );
        let class = largest(&network.probabilities(&outputs)?);
        counts[seen.collateral[item] as usize][seen.main[item] as usize][class] += 1;
    }
    let whole = |value: &Vec<Vec<usize>>| -> Vec<usize> {
        (0..classes).map(|class| value.iter().map(|label| label[class]).sum()).collect()
    };
    let predicted: Vec<Vec<usize>> = counts.iter().map(whole).collect();
    let labels: Vec<Vec<usize>> =
        counts.iter().map(|value| value.iter().map(|label| label.iter().sum()).collect()).collect();
    let at_label = |label: usize| counts.iter().map(|value| value[label].clone()).collect::<Vec<_>>();
    let odds = (0..seen.main_classes.len()).map(|label| furthest(&at_label(label))).fold(0.0, f64::max);
    let share = |counts: &[usize]| {
        let total = counts.iter().sum::<usize>().max(1) as f64;
        let percent = counts.iter().map(|&count| 100.0 * count as f64 / total);
        network.classes().iter().cloned().zip(percent).collect()
    };
    let occurs = |(_, counts): &(&String, &Vec<usize>)| counts.iter().sum::<usize>() > 0;
    let named = seen.collateral_classes.iter().zip(&predicted).filter(occurs);
    Ok(Parity {
        predicted: named.map(|(name, counts)| (name.clone(), share(counts))).collect(),
        distance: furthest(&predicted),
        labels: furthest(&labels),
        odds,
    })
}

/// The largest difference of one frequency between two rows that have items.
fn furthest(rows: &[Vec<usize>]) -> f64 {
    let share = |row: &Vec<usize>| {
        let total = row.iter().sum::<usize>();
        (total > 0).then(|| row.iter().map(|&count| count as f64 / total as f64).collect::<Vec<f64>>())
    };
    let shares: Vec<Vec<f64>> = rows.iter().filter_map(share).collect();
    let width = shares.first().map_or(0, Vec::len);
    let range = |at: usize| {
        let column = || shares.iter().map(move |row| row[at]);
        column().fold(0.0, f64::max) - column().fold(1.0, f64::min)
    };
    (0..width).map(range).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::furthest;

    #[test]
    fn the_distance_is_the_largest_difference_of_one_share() {
        assert!((furthest(&[vec![70, 30], vec![89, 11], vec![0, 0]]) - 0.19).abs() < 1e-12);
        assert_eq!(furthest(&[vec![3, 1]]), 0.0);
        assert_eq!(furthest(&[]), 0.0);
    }
}
