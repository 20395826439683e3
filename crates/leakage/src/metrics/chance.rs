//! The best guess from the main label alone.

use super::normal_quantile;

/// Fraction of correct guesses on the test items, 0 to 1, without any output: always guess the attribute's most
/// frequent value.
///
/// `test` are the test items of each value within one main class, `both` those of both splits. The value is the most
/// frequent one of the test where its frequencies differ significantly from equal ones (χ² at 0.1 %), since no other
/// constant guess does better there. Otherwise it is that of both splits, where theirs differ. Where neither differ,
/// chance is one over the number of values, so that a random surplus of one value does not count as knowledge.
pub(crate) fn chance(test: &[usize], both: &[usize]) -> f64 {
    let present = both.iter().filter(|&&count| count > 0).count();
    if present <= 1 {
        return 1.0;
    }
    let total: usize = test.iter().sum();
    let differ = |counts: &[usize]| {
        let expected = counts.iter().sum::<usize>() as f64 / present as f64;
        let values = counts.iter().zip(both).filter(|(_, both)| **both > 0);
        let statistic: f64 = values.map(|(&count, _)| (count as f64 - expected).powi(2) / expected).sum();
        statistic > chi_square_quantile(present - 1, 0.999)
    };
    match [test, both].into_iter().find(|counts| total > 0 && differ(counts)) {
        Some(counts) => test[best(counts)] as f64 / total as f64,
        None => 1.0 / present as f64,
    }
}

/// The place of the largest value, the first of equal ones.
fn best(counts: &[usize]) -> usize {
    (0..counts.len()).reduce(|best, next| if counts[next] > counts[best] { next } else { best }).unwrap_or(0)
}

/// Whether the values' frequencies depend on the main class (χ² of independence, 0.1 %). `counts` is `[main classes,
/// values]`.
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
        let alike = |counts: &[usize]| chance(counts, counts);
        assert_eq!(alike(&[512, 488]), 0.5);
        assert_eq!(alike(&[900, 100]), 0.9);
        assert_eq!(alike(&[100, 100, 0]), 0.5);
        assert_eq!(alike(&[0, 70]), 1.0);
    }

    #[test]
    fn chance_is_that_of_the_test() {
        // Other frequencies than those that attackers learn from: always answering the first value is right on 90 %.
        assert_eq!(chance(&[900, 100], &[5900, 5100]), 0.9);
        // Trained on unequal frequencies, tested on equal ones: nobody is right on 90 % without outputs.
        assert_eq!(chance(&[500, 500], &[9500, 1500]), 0.5);
        // Too few test items to be significant by themselves; all items together show which value to guess.
        assert_eq!(chance(&[21, 9], &[721, 309]), 0.7);
        assert_eq!(chance(&[3, 0], &[53, 50]), 0.5);
        assert_eq!(chance(&[0, 0], &[50, 50]), 0.5);
    }

    #[test]
    fn frequent_values_are_no_dependence() {
        assert!(!depends(&[900, 100, 880, 120], 2));
        assert!(depends(&[900, 100, 500, 500], 2));
        assert!(!depends(&[900, 0, 400, 0], 2));
    }
}
