//! A folder belongs to one search, whatever its points are.

use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use experiments::ExperimentError;
use experiments::search::{Search, Setting};
use host::Silent;
use training::{Defence, MatchOptions, TrainOptions};

fn digits(seed: u64) -> Dataset {
    Generator::new(&DrawSpec::default()).unwrap().draw(20, seed, &Silent)
}

fn options(weight: f32) -> TrainOptions {
    let defence = Defence::matching(MatchOptions { weight, ..MatchOptions::default() });
    TrainOptions { collateral: vec!["font".into()], ..TrainOptions::quick(defence) }
}

#[test]
fn other_points_share_a_folder_and_other_data_or_options_do_not() {
    let [train, other] = [digits(1), digits(2)];
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("found");
    let open = |train, options: TrainOptions, compile_steps| {
        let (validation, attackers) = (&other, &other);
        Search::open(Setting { train, validation, attackers, options, compile_steps, folder: &folder }).map(|_| ())
    };
    open(&train, options(30.0), 10).unwrap();
    // What points vary.
    open(&train, TrainOptions { outputs: 7, units: 9, noise: 0.5, ..options(1.0) }, 10).unwrap();
    for refused in [
        open(&other, options(30.0), 10),
        open(&train, TrainOptions { steps: 1, ..options(30.0) }, 10),
        open(&train, options(30.0), 11),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(&error, ExperimentError::OtherSearch { folder: named } if *named == folder), "{error}");
    }
}

#[test]
fn a_search_needs_a_leak_to_measure() {
    let data = digits(1);
    let folder = tempfile::tempdir().unwrap();
    let options = TrainOptions { collateral: Vec::new(), ..options(1.0) };
    let (train, validation, attackers) = (&data, &data, &data);
    let setting = Setting { train, validation, attackers, options, compile_steps: 1, folder: folder.path() };
    assert!(matches!(Search::open(setting), Err(ExperimentError::NoCollateral)));
    assert!(!folder.path().join("search.txt").exists(), "the folder is still free");
}
