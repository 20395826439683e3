//! Unsound input is refused with the place and the remedy.

mod common;

use common::shifted;
use host::Silent;
use leakage::{AttackerConfig, AuditError, AuditOptions, Observations, Outputs, audit};

type Spoil = fn(&mut Observations);

fn refusal(train: Spoil, test: Spoil) -> String {
    let mut data = [shifted(300, 0.5, 1), shifted(300, 0.5, 2)];
    train(&mut data[0]);
    test(&mut data[1]);
    let options = AuditOptions::default();
    audit(&data[0], &data[1], &options, &Silent).expect_err("unsound input").to_string()
}

fn put(data: &mut Observations, at: usize, value: f32) {
    let Outputs::Floats(values) = &mut data.outputs else { panic!("floats were given") };
    values[at] = value;
}

#[test]
fn every_fault_is_named() {
    let sound: Spoil = |_| ();
    let cases: [(Spoil, Spoil, &str); 14] = [
        (|d| *d = Observations::default(), sound, "train: no items"),
        (|d| d.width = 0, sound, "train: `width` is 0"),
        (sound, |d| d.width = 5000, "test: `width` is 5000"),
        (
            |d| d.outputs = d.outputs.subset(&(0..899).collect::<Vec<_>>(), 1),
            sound,
            "train: `outputs` has 899 values, 900 expected",
        ),
        (sound, |d| d.collateral.push(0), "test: `collateral` has 301 values, 300 expected"),
        (|d| put(d, 7, f32::NAN), sound, "train: `outputs` row 2, column 1 is NaN"),
        (sound, |d| put(d, 0, f32::INFINITY), "test: `outputs` row 0, column 0 is inf"),
        (|d| d.main[4] = 3, sound, "train: `main` row 4 is 3, but there are 3 classes"),
        (sound, |d| d.collateral[9] = u32::MAX, "test: `collateral` row 9 is 4294967295"),
        (|d| d.collateral.fill(1), sound, "train: `collateral` class 0 (`font 0`) has no item"),
        (sound, |d| d.main_classes.push("x".into()), "test: `main` class 3 (`x`) has no item"),
        (|d| d.collateral_classes.truncate(1), sound, "`collateral_classes` names 1 classes"),
        (
            sound,
            |d| d.main_classes[0] = "z".into(),
            "`main_classes` differs between train (0, 1, 2) and test (z, 1, 2)",
        ),
        (|d| *d = d.subset(&[0, 1, 2, 3, 4, 5]), sound, "train: main class `0` has 2 items, at least 10"),
    ];
    for (train, test, expected) in cases {
        let message = refusal(train, test);
        assert!(message.contains(expected), "{message}\nlacks: {expected}");
    }
}

#[test]
fn options_are_checked() {
    let data = shifted(300, 0.5, 1);
    let refuse = |options: AuditOptions| audit(&data, &data, &options, &Silent).expect_err("a wrong option");
    let base = AuditOptions::default;
    for (options, name) in [
        (AuditOptions { families: vec![], ..base() }, "families"),
        (AuditOptions { families: vec![AttackerConfig::neighbours(0)], ..base() }, "knn-0"),
        (AuditOptions { families: vec![AttackerConfig::qda(), AttackerConfig::qda()], ..base() }, "qda"),
        (AuditOptions { seeds: vec![], ..base() }, "seeds"),
        (AuditOptions { held_out: f64::NAN, ..base() }, "NaN"),
        (AuditOptions { families: vec![AttackerConfig::lattice()], ..base() }, "lattice"),
        (AuditOptions { test_limit: Some(3), ..base() }, "test_limit"),
        (AuditOptions { vote: vec![0], ..base() }, "vote"),
    ] {
        let message = refuse(options).to_string();
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn families_are_read_by_the_names_they_show() {
    for family in AttackerConfig::quick() {
        assert_eq!(family.to_string().parse::<AttackerConfig>(), Ok(family));
    }
    let wrong = ["", "knn", "knn-", "knn-0", "knn--3", "mlp-", "mlp-0x3", "kde-nan", "forest-0"];
    for name in wrong {
        let error = name.parse::<AttackerConfig>().expect_err(name);
        let known = matches!(error, AuditError::UnknownFamily { .. } | AuditError::Option { .. });
        assert!(known, "{error}");
    }
}
