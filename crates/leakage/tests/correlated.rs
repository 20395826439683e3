//! An attribute that is correlated with the main label: what the correlation alone tells is the floor, not a leak.

mod common;

use common::silent;
use host::Silent;
use leakage::{AttackerConfig, AuditOptions, Observations, audit};

/// Outputs that tell nothing; the attribute has its second value in 90, 50 and 10 % of the items of the three classes.
fn correlated(items: usize, seed: u64) -> Observations {
    let mut data = silent(items, seed);
    let mut counts = [0; 3];
    for (main, value) in data.main.iter().zip(&mut data.collateral) {
        let count = &mut counts[*main as usize];
        *count += 1;
        *value = u32::from(*count % 10 < [9, 5, 1][*main as usize]);
    }
    data
}

#[test]
fn the_floor_of_correlation_is_reported_for_items_and_for_votes() {
    let families = vec![AttackerConfig::logistic(), AttackerConfig::qda(), AttackerConfig::neighbours(51)];
    let options = AuditOptions { families, vote: vec![1, 5], ..AuditOptions::default() };
    let report = audit(&correlated(6000, 1), &correlated(6000, 2), &options, &Silent).unwrap();
    let found = &report.strongest_pooled;
    // (90 + 50 + 90) / 3, where a blind guess is right half of the time.
    assert!((found.chance - 76.67).abs() < 0.1, "{found:?}");
    assert!((found.accuracy - found.chance).abs() < 2.0 && found.advantage.abs() < 0.1, "{found:?}");
    let floor = &report.controls.shuffled.as_ref().unwrap().vote;
    for (vote, floor) in report.vote.iter().zip(floor) {
        assert!((vote.accuracy - floor.accuracy).abs() < 4.0, "{vote:?} {floor:?}");
    }
    let five = &floor[1];
    assert!(five.accuracy > 80.0 && five.chance == 50.0, "{five:?}");
}
