//! De-censoring: undo the defence first, then attack.

use super::config::{AttackerConfig, Columns};
use super::neural;
use super::sample::{Beside, Sample, Uncensored};
use super::standard::{Standardiser, Whitener};
use crate::metrics::Scores;
use rand::RngExt;

/// Learns to map defended outputs to undefended ones of the same items, trains `then` on the true undefended outputs,
/// and scores the mapped test rows (Song and Shmatikov, "Overlearning reveals sensitive attributes", 2020).
pub(crate) fn attack(
    then: &AttackerConfig,
    train: &Sample,
    uncensored: Uncensored,
    test: &[f32],
    rng: &mut impl RngExt,
) -> Scores {
    let width = uncensored.width;
    let every: Vec<usize> = (0..train.len()).collect();
    let targets = Standardiser::fit(uncensored.rows, width, &every).apply(uncensored.rows, &every);
    let epochs = (200_000 / train.len().max(1)).clamp(8, 60);
    let map = neural::fit(&[train.width, 64, 64, width], &train.rows, &targets, epochs, rng, |out, target| {
        (out - target).square().mean()
    });
    let mut restored = neural::predict(&map, test, train.width);
    let mut targets = targets;
    let white = Whitener::of(&targets, width).filter(|_| then.columns() == Columns::Uncorrelated);
    if let Some(white) = white {
        (restored, targets) = (white.apply_to(&restored), white.apply_to(&targets));
    }
    let clear = Sample { rows: targets.into(), width, labels: train.labels.clone(), classes: train.classes };
    AttackerConfig::attack(std::slice::from_ref(then), &clear, Beside::default(), &restored, rng.random())
        .swap_remove(0)
}
