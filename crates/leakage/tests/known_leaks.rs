//! The audit against distributions whose answer is known.

mod common;

use common::{observe, parity, shifted, silent};
use host::Silent;
use leakage::{AttackerConfig, AuditOptions, AuditReport, Observations, Scope, audit};

fn run(train: &Observations, test: &Observations, options: &AuditOptions) -> AuditReport {
    audit(train, test, options, &Silent).expect("a sound data set")
}

fn accuracy(report: &AuditReport, family: &str) -> f64 {
    let mut rows = report.attackers.iter();
    let row = rows.find(|r| r.family == family && r.scope == Scope::Pooled);
    row.expect("the family was run").accuracy
}

#[test]
fn strongest_reaches_the_best_possible_rate_and_not_more() {
    // Φ(0.6) = 0.72575.
    let bayes = 72.575;
    let (train, test) = (shifted(6000, 0.6, 1), shifted(6000, 0.6, 2));
    let report = run(&train, &test, &AuditOptions::default());
    let found = &report.strongest_pooled;
    assert!(found.low <= bayes && bayes <= found.high, "{found:?}");
    assert_eq!(found.chance, 50.0);
    assert!((found.advantage - (2.0 * found.accuracy / 100.0 - 1.0)).abs() < 1e-9);
    // No attacker may beat Bayes beyond its own simultaneous interval.
    assert!(report.highest_pooled.low <= bayes, "{:?}", report.highest_pooled);
    let class = report.strongest_class.as_ref().expect("the attribute varies");
    assert!(class.low <= bayes && bayes <= class.high, "{class:?}");
    // Log-odds are N(±2·0.36, 4·0.36), so AUC = Φ(0.6·√2) = 0.80193.
    let linear = &report.attackers[0];
    assert!((linear.auc.expect("two values") - 0.80193).abs() < 0.02);
    let game = report.distinguisher.expect("two values");
    assert!(game.pair_low <= 80.193 && 80.193 <= game.pair_high, "{game:?}");
    assert!(game.low <= 0.4515 && 0.4515 <= game.high, "{game:?}");
    // Mutual information of two Gaussians at ±0.6: 0.2178 bits by numerical integration.
    assert!((linear.bits - 0.2178).abs() < 0.03, "{}", linear.bits);
    // Φ(0.6·√5) = 0.91014.
    let five = report.vote.iter().find(|v| v.k == 5).expect("k = 5 was asked for");
    assert!(five.low <= 91.014 && 91.014 <= five.high, "{five:?}");
}

#[test]
fn a_leak_that_no_line_sees_is_found_by_neighbours_and_trees() {
    let (train, test) = (parity(4000, 1), parity(4000, 2));
    let report = run(&train, &test, &AuditOptions::default());
    assert!(accuracy(&report, "logistic") < 54.0);
    for family in ["qda", "knn-15", "forest-5", "boosting", "mlp-64x32"] {
        assert!(accuracy(&report, family) > 95.0, "{family}: {}", accuracy(&report, family));
    }
    assert!(report.strongest.low > 95.0);
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let (train, test) = (silent(6000, 1), silent(6000, 2));
    let report = run(&train, &test, &AuditOptions::default());
    let found = &report.strongest_pooled;
    assert!(found.low <= 50.0 && 50.0 <= found.high, "{found:?}");
    assert!(report.highest_pooled.low <= 50.0);
    let control = report.controls.shuffled.as_ref().expect("on by default");
    assert!(control.highest_pooled.low <= 50.0);
    assert!((control.highest_pooled.accuracy - report.highest_pooled.accuracy).abs() < 2.5);
    assert!(report.attackers[0].bits < 0.005);
}

#[test]
fn a_leak_in_the_difference_of_two_like_outputs_is_found_by_distances() {
    let draw = |seed| {
        observe(3000, 1, 2, seed, |_, c, rng| {
            let (common, sign) = (30.0 * common::normal(rng), if c == 1 { 1.0 } else { -1.0 });
            vec![common, common + sign + common::normal(rng)]
        })
    };
    let options = AuditOptions {
        families: vec!["knn-51".parse().expect("a family"), "kde-0.4".parse().expect("a family")],
        shuffled_control: false,
        ..AuditOptions::default()
    };
    let report = run(&draw(1), &draw(2), &options);
    // Φ(1) = 84.1 %.
    for family in ["knn-51", "kde-0.4"] {
        assert!(accuracy(&report, family) > 81.0, "{family}: {}", accuracy(&report, family));
    }
}

#[test]
fn shuffled_labels_give_chance_on_average() {
    let rates = (0..24).map(|seed| {
        let options = AuditOptions {
            families: vec![AttackerConfig::qda(), AttackerConfig::neighbours(15), AttackerConfig::forest(20)],
            seeds: vec![seed],
            ..AuditOptions::default()
        };
        let report = run(&shifted(600, 1.5, 2 * seed), &shifted(1200, 1.5, 2 * seed + 1), &options);
        report.controls.shuffled.map_or(0.0, |c| c.strongest_pooled.accuracy)
    });
    let mean = rates.sum::<f64>() / 24.0;
    // 28,800 guesses: standard error 0.29.
    assert!((mean - 50.0).abs() < 0.9, "{mean}");
}

#[test]
fn several_values_and_unequal_shares_have_their_own_chance() {
    let draw = |items, seed| {
        observe(items, 1, 4, seed, |_, c, rng| vec![c as f64 * 1.5 + common::normal(rng), common::normal(rng)])
    };
    let options = AuditOptions {
        families: vec![AttackerConfig::logistic(), AttackerConfig::qda(), AttackerConfig::forest(5)],
        shuffled_control: false,
        ..AuditOptions::default()
    };
    let report = run(&draw(4000, 1), &draw(4000, 2), &options);
    assert_eq!(report.strongest.chance, 25.0);
    // Four Gaussians 1.5 apart: 1 − 1.5·(1 − Φ(0.75)) = 0.66007.
    let found = &report.strongest_pooled;
    assert!(found.low <= 66.007 && 66.007 <= found.high, "{found:?}");

    // Three quarters of the items have value 0 whatever the outputs.
    let skewed = |seed| {
        let mut data = silent(4000, seed);
        (0..data.len()).filter(|i| i % 4 < 2).for_each(|i| data.collateral[i] = 0);
        data
    };
    let report = run(&skewed(1), &skewed(2), &options);
    assert!((report.strongest_pooled.chance - 75.0).abs() < 1.0);
    assert!(report.strongest_pooled.advantage.abs() < 0.05);
}

#[test]
fn an_attribute_that_the_main_label_decides_leaks_nothing_more() {
    let decided = |seed| {
        let mut data = silent(900, seed);
        (0..data.len()).for_each(|i| data.collateral[i] = u32::from(data.main[i] == 1));
        data
    };
    let report = run(&decided(1), &decided(2), &AuditOptions::default());
    assert_eq!(report.strongest.chance, 100.0);
    assert_eq!(report.strongest.accuracy, 100.0);
    assert_eq!(report.strongest.advantage, 0.0);
    assert_eq!(report.strongest_class, None);
    assert_eq!(report.distinguisher, None);
}

#[test]
fn the_seed_decides_and_the_number_of_threads_does_not() {
    let (train, test) = (shifted(900, 0.5, 1), shifted(600, 0.5, 2));
    let options = AuditOptions::default();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| run(&train, &test, &options))
    };
    let report = with(1);
    assert_eq!(report, with(3));
    let other = AuditOptions { seeds: vec![9], ..AuditOptions::default() };
    assert_ne!(report.attackers, run(&train, &test, &other).attackers);
}

#[test]
fn votes_are_those_that_every_value_has_test_items_for() {
    let options = AuditOptions {
        families: vec![AttackerConfig::qda()],
        shuffled_control: false,
        vote: vec![1, 5, 20, 50, 140],
        ..AuditOptions::default()
    };
    // Thirty test items of either value: fifty items of one subject would be some of them twice.
    let report = run(&shifted(900, 0.4, 1), &shifted(60, 0.4, 2), &options);
    assert_eq!(report.vote.iter().map(|vote| (vote.k, vote.subjects)).collect::<Vec<_>>(), [(1, 60), (5, 12), (20, 2)]);
    assert_eq!(report.vote_left_out, [50, 140]);
    assert!(report.vote.iter().all(|vote| vote.high - vote.low < 100.0), "{:?}", report.vote);
}

#[test]
fn intervals_hold_for_all_attributes_that_are_compared() {
    let (train, test) = (shifted(900, 0.4, 1), shifted(900, 0.4, 2));
    let width = |comparisons| {
        let families = vec![AttackerConfig::qda(), AttackerConfig::logistic()];
        let options = AuditOptions { families, comparisons, shuffled_control: false, ..AuditOptions::default() };
        let report = run(&train, &test, &options);
        [report.strongest_pooled, report.highest_pooled].map(|found| found.high - found.low)
    };
    let (one, ten) = (width(1), width(10));
    // Deviations that the normal distribution stays within: 95 and 99.5 %, and of two attackers 97.5 and 99.75 %.
    assert!((ten[0] / one[0] - 2.807 / 1.960).abs() < 0.01, "{one:?} {ten:?}");
    assert!((ten[1] / one[1] - 3.023 / 2.241).abs() < 0.01, "{one:?} {ten:?}");
}
