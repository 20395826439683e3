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

/// Fraction of positives found where `fpr` of the negatives are accepted, 0 to 1. `None` if one of the two kinds is
/// missing.
///
/// Of equal scores an attacker accepts as many as allowed, at random: the ROC curve is a straight line between its
/// thresholds. If all scores are equal the result is `fpr`.
pub(crate) fn tpr_at_fpr(scores: &[f32], positive: &[bool], fpr: f64) -> Option<f64> {
    let positives = positive.iter().filter(|p| **p).count();
    let negatives = positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let allowed = fpr * negatives as f64;
    let order = descending(scores);
    let (mut hits, mut misses) = (0.0, 0.0);
    for group in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let hit = group.iter().filter(|&&i| positive[i]).count() as f64;
        let miss = group.len() as f64 - hit;
        if misses + miss > allowed {
            hits += hit * (allowed - misses) / miss;
            break;
        }
        (hits, misses) = (hits + hit, misses + miss);
    }
    Some(hits / positives as f64)
}

/// AUC and its standard error (Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982): the
/// probability of distinguishing two items, one of each kind.
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
    fn low_false_positive_rate_shares_ties() {
        let mut scores: Vec<f32> = (0..2000).map(|i| i as f32).collect();
        let positive: Vec<bool> = (0..2000).map(|i| i >= 1000).collect();
        assert_eq!(tpr_at_fpr(&scores, &positive, 1e-3), Some(1.0));
        // Two negatives above all positives: the one that may be accepted is one of them.
        (scores[998], scores[999]) = (5000.0, 5000.0);
        assert_eq!(tpr_at_fpr(&scores, &positive, 1e-3), Some(0.0));
        // An eighth of the positives and of eight negatives tie at the top: one eighth of them is found.
        let scores: Vec<f32> = (0..2000).map(|i| if (8..1875).contains(&i) { 0.0 } else { 1.0 }).collect();
        assert_eq!(tpr_at_fpr(&scores, &positive, 1e-3), Some(125.0 / 8.0 / 1000.0));
        // An uninformed attacker finds as many positives as it accepts negatives.
        let blind = tpr_at_fpr(&[0.0; 2000], &positive, 1e-3).unwrap();
        assert!((blind - 1e-3).abs() < 1e-12, "{blind}");
    }
}
