//! Audits of people: rare values, few rows, years of age, and those whom the network learned from.

mod common;

use common::normal;
use host::Silent;
use leakage::{AttackerConfig, AuditOptions, Extras, Observations, audit, audit_with};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Two main classes; one value in five is rare, and lies `apart` deviations from the other. In the second main class it
/// is rarer still.
fn rare(items: usize, apart: f64, seed: u64) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut data = Observations {
        width: 1,
        main_classes: vec!["low".into(), "high".into()],
        collateral_classes: vec!["frequent".into(), "rare".into()],
        ..Observations::default()
    };
    let mut outputs = Vec::new();
    for item in 0..items {
        let main = item % 2;
        let value = usize::from(rng.random::<f64>() < [0.3, 0.1][main]);
        outputs.push((10.0 * main as f64 + apart * value as f64 + normal(&mut rng)) as f32);
        data.main.push(main as u32);
        data.collateral.push(value as u32);
    }
    data.outputs = outputs.into();
    data
}

fn options(families: Vec<AttackerConfig>) -> AuditOptions {
    AuditOptions { families, vote: vec![], shuffled_control: false, ..AuditOptions::default() }
}

/// One deviation apart, the best balanced accuracy is Φ(½) = 69.1 %; the best plain accuracy is hardly above chance.
#[test]
fn a_leak_about_a_rare_value_shows_in_balanced_accuracy() {
    let families = vec![AttackerConfig::logistic(), AttackerConfig::qda(), AttackerConfig::neighbours(51)];
    let report = audit(&rare(12_000, 1.0, 1), &rare(12_000, 1.0, 2), &options(families), &Silent).unwrap();
    let plain = &report.strongest_pooled;
    assert!(plain.accuracy < plain.chance + 3.0, "{plain:?}");
    let found = report.strongest_balanced.as_ref().unwrap();
    assert!((67.5..70.5).contains(&found.accuracy) && found.low <= 69.15 && found.high >= 69.15, "{found:?}");
    assert_eq!(found.chance, 50.0);
    assert!((found.advantage - 2.0 * (found.accuracy / 100.0 - 0.5)).abs() < 1e-9);
    assert!(found.auc.unwrap() > 0.74, "{found:?}");
    let highest = report.highest_balanced.as_ref().unwrap();
    assert!(highest.accuracy >= found.accuracy && highest.high - highest.low > found.high - found.low);
    // The main label alone: ½·(P(low | rare) + P(high | frequent)).
    let floor = report.main_label.as_ref().unwrap();
    assert!((floor.balanced_accuracy - 50.0 * (0.75 + 0.5625)).abs() < 1.5, "{floor:?}");
    let row = report.attackers.iter().find(|row| row.family == found.family && row.class.is_none()).unwrap();
    let overall = row.balanced.as_ref().unwrap().overall.unwrap();
    assert!(overall > floor.balanced_accuracy + 3.0, "output and main label together: {overall} over {floor:?}");
}

#[test]
fn two_hundred_rows_give_wide_intervals_rather_than_nonsense() {
    let families = vec![AttackerConfig::logistic(), AttackerConfig::neighbours(7), AttackerConfig::forest(5)];
    let mut covered = 0;
    for seed in 0..10 {
        let (train, test) = (rare(200, 0.0, 100 + seed), rare(200, 0.0, 200 + seed));
        let report = audit(&train, &test, &options(families.clone()), &Silent).unwrap();
        let found = report.highest_balanced.unwrap();
        assert!((0.0..=100.0).contains(&found.low) && found.high <= 100.0 && found.low <= found.accuracy);
        assert!(found.high - found.low > 12.0, "{found:?}");
        covered += usize::from(found.low <= 50.0);
    }
    assert!(covered >= 8, "nothing was there to find, and {covered} of 10 intervals say so");
}

/// Ages from 20 to 69; outputs are the age in decades with `noise`, and nothing else.
fn ages(items: usize, noise: f64, seed: u64) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut data = Observations {
        width: 2,
        main_classes: vec!["a".into(), "b".into()],
        collateral_classes: (20..70).map(|age| age.to_string()).collect(),
        ..Observations::default()
    };
    let mut outputs = Vec::new();
    for item in 0..items {
        let age = rng.random_range(0..50u32);
        // Both classes are alike except for a shift, which the main label reveals.
        outputs.push((f64::from(age) / 14.43 + noise * normal(&mut rng) + 5.0 * (item % 2) as f64) as f32);
        outputs.push(normal(&mut rng) as f32);
        data.main.push((item % 2) as u32);
        data.collateral.push(age);
    }
    data.outputs = outputs.into();
    data
}

#[test]
fn years_are_guessed_as_numbers() {
    let families = vec![AttackerConfig::qda(), AttackerConfig::forest(5)];
    // Signal and noise have one deviation each: the best R² of a line is ½.
    let report = audit(&ages(6000, 1.0, 1), &ages(6000, 1.0, 2), &options(families.clone()), &Silent).unwrap();
    let found = report.continuous.unwrap();
    assert!((0.46..0.56).contains(&found.r2) && found.r2_low < found.r2 && found.r2 < found.r2_high, "{found:?}");
    assert!(found.rank_low > 0.66 && found.rank_high < 0.78, "{found:?}");
    assert!(found.error < 0.8 * found.error_blind, "{found:?}");
    let blind = audit(&ages(3000, 1e6, 3), &ages(3000, 1e6, 4), &options(families), &Silent).unwrap();
    let found = blind.continuous.unwrap();
    assert!(found.r2_high < 0.02 && found.rank_low < 0.0 && found.rank_high > 0.0, "{found:?}");
    let classes = audit(&rare(400, 1.0, 1), &rare(400, 1.0, 2), &options(vec![AttackerConfig::qda()]), &Silent);
    assert!(classes.unwrap().continuous.is_none(), "names are no numbers");
}

#[test]
fn what_a_network_memorised_shows_in_the_control_attack() {
    let options = options(vec![AttackerConfig::logistic(), AttackerConfig::qda()]);
    let (train, test) = (rare(8000, 0.5, 1), rare(8000, 0.5, 2));
    let measured = |members: &Observations| {
        let extras = Extras { members: Some(members), ..Extras::default() };
        audit_with(&train, &test, &extras, &options, &Silent).unwrap().members.unwrap()
    };
    let alike = measured(&rare(8000, 0.5, 3));
    assert!(alike.low < 0.0 && alike.high > 0.0 && alike.risk < 0.1, "{alike:?}");
    let memorised = measured(&rare(8000, 1.5, 4));
    assert!(memorised.low > 3.0 && memorised.risk > 0.1 && memorised.items == 8000, "{memorised:?}");
    let report = audit(&train, &test, &options, &Silent).unwrap();
    assert_eq!(report.strongest_balanced.unwrap().accuracy, memorised.control);
    let missing = Observations { main: vec![0; 8000], ..rare(8000, 0.5, 3) };
    let extras = Extras { members: Some(&missing), ..Extras::default() };
    assert!(audit_with(&train, &test, &extras, &options, &Silent).is_err());
}
