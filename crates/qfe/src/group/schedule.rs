//! Independent tasks of unequal size on all threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

/// `[f(0), f(1), …]`, where each thread takes the first task that nobody has taken:
/// with the largest ones first, no thread ends later than the average by more than
/// one of the last ones. (Halving ranges, as rayon does, keeps no such order.)
pub(crate) fn in_order<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&task| task < count);
    let mut done: Vec<(usize, T)> = (0..rayon::current_num_threads().min(count))
        .into_par_iter()
        .with_max_len(1)
        .flat_map_iter(|_| std::iter::from_fn(take).map(|task| (task, f(task))))
        .collect();
    done.sort_unstable_by_key(|(task, _)| *task);
    done.into_iter().map(|(_, value)| value).collect()
}

/// Neighbours in groups whose weights add up to `room` at most; what exceeds it has a group of its own.
#[cfg(feature = "verify")]
pub(crate) fn groups<T>(items: &[T], room: usize, weight: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut sum = items.first().map_or(0, &weight);
    let joins = |_: &T, next: &T| {
        sum += weight(next);
        let fits = sum <= room;
        sum = if fits { sum } else { weight(next) };
        fits
    };
    items.chunk_by(joins).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_the_room_that_there_is() {
        let cut = |weights: &[usize]| -> Vec<Vec<usize>> {
            groups(weights, 6, |&weight| weight).iter().map(|group| group.to_vec()).collect()
        };
        assert_eq!(cut(&[3, 3, 2, 2, 2, 0]), [vec![3, 3], vec![2, 2, 2, 0]]);
        assert_eq!(cut(&[9, 1, 6, 5]), [[9], [1], [6], [5]]);
        assert!(cut(&[]).is_empty());
    }

    #[test]
    fn results_keep_their_places() {
        assert_eq!(in_order(100, |k| k * k), (0..100).map(|k| k * k).collect::<Vec<_>>());
        assert!(in_order(0, |k| k).is_empty());
    }
}
