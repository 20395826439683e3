//! Metrics that depend on the order of scores only.

/// Probability that a positive item outranks a negative one, ties half (area under the ROC curve),
/// 0..1. `None` when one of the two kinds is missing.
pub(crate) fn auc(scores: &[f32], positive: &[bool]) -> Option<f64> {
    let positives = positive.iter().filter(|p| **p).count();
    let negatives = positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let order = descending(scores);
    let (mut above, mut wins) = (0usize, 0.0);
    for group in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let hits = group.iter().filter(|&&i| positive[i]).count();
        let misses = group.len() - hits;
        wins += misses as f64 * (above as f64 + hits as f64 / 2.0);
        above += hits;
    }
    Some(wins / (positives as f64 * negatives as f64))
}

/// Largest share of positives found by a threshold that accepts at most `fpr` of the negatives,
/// 0..1. `None` when one of the two kinds is missing.
///
/// Thresholds lie between distinct scores. With fewer than 1/`fpr` negatives none may be accepted.
pub(crate) fn tpr_at_fpr(scores: &[f32], positive: &[bool], fpr: f64) -> Option<f64> {
    let positives = positive.iter().filter(|p| **p).count();
    let negatives = positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let allowed = (fpr * negatives as f64 + 1e-9).floor() as usize;
    let order = descending(scores);
    let (mut hits, mut misses, mut found) = (0, 0, 0);
    for group in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let hit = group.iter().filter(|&&i| positive[i]).count();
        hits += hit;
        misses += group.len() - hit;
        if misses > allowed {
            break;
        }
        found = hits;
    }
    Some(found as f64 / positives as f64)
}

/// AUC and its standard error (Hanley and McNeil, "The meaning and use of the area under a ROC
/// curve", 1982): the chance of telling apart two items, one of each kind.
pub(crate) fn pair_win(scores: &[f32], positive: &[bool]) -> Option<(f64, f64)> {
    let a = auc(scores, positive)?;
    let p = positive.iter().filter(|p| **p).count() as f64;
    let n = positive.len() as f64 - p;
    let (q1, q2) = (a / (2.0 - a), 2.0 * a * a / (1.0 + a));
    let variance = (a * (1.0 - a) + (p - 1.0) * (q1 - a * a) + (n - 1.0) * (q2 - a * a)) / (p * n);
    Some((a, variance.max(0.0).sqrt()))
}

fn descending(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_counts_pairs_with_ties_half() {
        let positive = [true, false, true, false];
        assert_eq!(auc(&[3.0, 2.0, 1.0, 0.0], &positive), Some(0.75));
        assert_eq!(auc(&[1.0; 4], &positive), Some(0.5));
        assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
    }

    #[test]
    fn low_false_positive_rate_counts_whole_ties() {
        let mut scores: Vec<f32> = (0..2000).map(|i| i as f32).collect();
        let positive: Vec<bool> = (0..2000).map(|i| i >= 1000 || i == 500).collect();
        assert_eq!(tpr_at_fpr(&scores, &positive, 1e-3), Some(1000.0 / 1001.0));
        scores[998] = 999.0;
        assert_eq!(tpr_at_fpr(&scores, &positive, 1e-3), Some(1000.0 / 1001.0));
        scores[998] = 5000.0;
        scores[999] = 5000.0;
        assert_eq!(tpr_at_fpr(&scores, &positive, 1e-3), Some(0.0));
    }
}
