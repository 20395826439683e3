//! What someone guesses who knows the main label only.

use super::normal_quantile;

/// Share of right guesses, 0..1, that needs no output: the attribute's most frequent value.
///
/// `counts` are the items of each value, over all items of one main class. While they do not differ
/// significantly from equal shares (χ² at 0.1 %), chance is one over the number of values present,
/// so that the random surplus of one value is not taken for knowledge.
pub(crate) fn chance(counts: &[usize]) -> f64 {
    let total: usize = counts.iter().sum();
    let present = counts.iter().filter(|&&c| c > 0).count();
    if present <= 1 {
        return 1.0;
    }
    let expected = total as f64 / present as f64;
    let statistic: f64 = (counts.iter().filter(|&&c| c > 0)).map(|&c| (c as f64 - expected).powi(2) / expected).sum();
    if statistic <= chi_square_quantile(present - 1, 0.999) {
        return 1.0 / present as f64;
    }
    *counts.iter().max().unwrap_or(&0) as f64 / total as f64
}

/// Whether the values' shares depend on the main class (χ² of independence, 0.1 %). `counts` is `[main classes, values]`.
pub(crate) fn depends(counts: &[usize], values: usize) -> bool {
    let rows: Vec<usize> = counts.chunks_exact(values).map(|row| row.iter().sum()).collect();
    let columns: Vec<usize> = (0..values).map(|v| counts.iter().skip(v).step_by(values).sum()).collect();
    let total: usize = rows.iter().sum();
    let statistic = counts.iter().enumerate().map(|(at, &count)| {
        let expected = rows[at / values] as f64 * columns[at % values] as f64 / total.max(1) as f64;
        if expected > 0.0 { (count as f64 - expected).powi(2) / expected } else { 0.0 }
    });
    let present = |sums: &[usize]| sums.iter().filter(|&&sum| sum > 0).count().saturating_sub(1);
    let freedom = present(&rows) * present(&columns);
    freedom > 0 && statistic.sum::<f64>() > chi_square_quantile(freedom, 0.999)
}

/// Wilson and Hilferty's approximation (1931), within 1 % at this level.
fn chi_square_quantile(freedom: usize, level: f64) -> f64 {
    let k = freedom as f64;
    let a = 2.0 / (9.0 * k);
    k * (1.0 - a + normal_quantile(level) * a.sqrt()).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_surplus_is_no_knowledge_and_imbalance_is() {
        assert_eq!(chance(&[512, 488]), 0.5);
        assert_eq!(chance(&[900, 100]), 0.9);
        assert_eq!(chance(&[100, 100, 0]), 0.5);
        assert_eq!(chance(&[0, 70]), 1.0);
    }

    #[test]
    fn frequent_values_are_no_dependence() {
        assert!(!depends(&[900, 100, 880, 120], 2));
        assert!(depends(&[900, 100, 500, 500], 2));
        assert!(!depends(&[900, 0, 400, 0], 2));
    }
}
