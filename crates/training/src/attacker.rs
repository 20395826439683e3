//! A k-nearest-neighbours attacker on held-out data: independent of every loss that training sees.
//!
//! Within each main class and value it stores every second item, and predicts the collateral values of the others from
//! the outputs. That is fair whatever the order of the data, and keeps paired drawings together. It only selects among
//! states of a run; an audit uses far stronger panels.

use rayon::prelude::*;

use crate::network::percent;

/// Numbers of neighbours that vote; the best one counts.
const NEIGHBOURS: [usize; 3] = [7, 15, 51];

/// Accuracy in percent over all classes, with the main class given. `outputs` is `[items, width]`.
pub(crate) fn neighbours(outputs: &[f32], width: usize, main: &[u32], collateral: &[u32], values: usize) -> f64 {
    let scaled = standardise(outputs, width);
    let classes = main.iter().max().map_or(0, |&class| class + 1);
    let counts: Vec<(usize, [usize; NEIGHBOURS.len()])> = (0..classes)
        .into_par_iter()
        .map(|class| {
            let mut met = vec![0_usize; values];
            let (mut stored, mut asked) = (Vec::new(), Vec::new());
            for item in (0..main.len()).filter(|&item| main[item] == class) {
                let met = &mut met[collateral[item] as usize];
                let half = if met.is_multiple_of(2) { &mut stored } else { &mut asked };
                half.push(item);
                *met += 1;
            }
            attack(&scaled, width, collateral, values, &stored, &asked)
        })
        .collect();
    let asked: usize = counts.iter().map(|(asked, _)| asked).sum();
    let right = |i: usize| counts.iter().map(|(_, right)| right[i]).sum::<usize>();
    let best = (0..NEIGHBOURS.len()).map(right).max().unwrap_or(0);
    percent(best, asked)
}

fn attack(
    outputs: &[f32],
    width: usize,
    collateral: &[u32],
    values: usize,
    stored: &[usize],
    asked: &[usize],
) -> (usize, [usize; NEIGHBOURS.len()]) {
    let mut right = [0; NEIGHBOURS.len()];
    let mut distances: Vec<(f32, u32)> = Vec::with_capacity(stored.len());
    for &item in asked {
        let point = &outputs[item * width..][..width];
        distances.clear();
        distances.extend(stored.iter().map(|&other| {
            let other_point = &outputs[other * width..][..width];
            let distance = point.iter().zip(other_point).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
            (distance, collateral[other])
        }));
        for (k, right) in NEIGHBOURS.into_iter().zip(&mut right) {
            let k = k.min(distances.len());
            if k == 0 {
                continue;
            }
            distances.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let mut votes = vec![0_usize; values];
            for &(_, value) in &distances[..k] {
                votes[value as usize] += 1;
            }
            let winner = (0..values).max_by_key(|&value| (votes[value], values - value));
            *right += usize::from(winner == Some(collateral[item] as usize));
        }
    }
    (asked.len(), right)
}

/// Every column to mean 0 and variance 1, so that no output outweighs the others.
fn standardise(outputs: &[f32], width: usize) -> Vec<f32> {
    let rows = (outputs.len() / width.max(1)).max(1) as f64;
    let mut scaled = outputs.to_vec();
    for column in 0..width {
        let values = || outputs.iter().skip(column).step_by(width).map(|&value| f64::from(value));
        let mean = values().sum::<f64>() / rows;
        let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows).sqrt().max(1e-30);
        for value in scaled.iter_mut().skip(column).step_by(width) {
            *value = ((f64::from(*value) - mean) / deviation) as f32;
        }
    }
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_nothing_else() {
        let items = 400;
        let value = |i: usize| (i / 2 % 2) as u32;
        let main: Vec<u32> = (0..items).map(|i| (i % 2) as u32).collect();
        let collateral: Vec<u32> = (0..items).map(value).collect();
        let noise = |i: usize| (i as f32 * 12.9898).sin() * 43758.547 % 1.0;
        let told: Vec<f32> = (0..items).map(|i| noise(i) + 5.0 * value(i) as f32).collect();
        let untold: Vec<f32> = (0..items).map(noise).collect();
        assert_eq!(neighbours(&told, 1, &main, &collateral, 2), 100.0);
        let blind = neighbours(&untold, 1, &main, &collateral, 2);
        assert!((35.0..65.0).contains(&blind), "{blind}");
    }

    /// The first half of every class, in the order of the data, held only one value, and the second half only the
    /// other.
    #[test]
    fn data_in_order_of_their_labels_tell_as_much() {
        let items = 400;
        let main: Vec<u32> = (0..items).map(|i| (i / 200) as u32).collect();
        let collateral: Vec<u32> = (0..items).map(|i| (i / 100 % 2) as u32).collect();
        let told: Vec<f32> =
            collateral.iter().zip(0..).map(|(&value, i)| value as f32 + (i % 7) as f32 / 50.0).collect();
        assert_eq!(neighbours(&told, 1, &main, &collateral, 2), 100.0);
    }
}
