//! Several items of one subject, priors and growth, on laws that are known exactly.

use leakage::certificate::{
    CertificateError, CertificateOptions, CertificateSamples, NoisyOutput, Prior, certify, growth, many_items,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NOISE: NoisyOutput = NoisyOutput { low: -100, high: 100, step: 1, deviation: 3, tail: 4 };
const REACH: i64 = 12;

/// One output: 0 or 1, and `shift` more for the second value of the attribute, of which there are `counts`.
fn shifted(shift: i64, counts: [usize; 2], seed: u64) -> CertificateSamples {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let collateral: Vec<u32> = (0..2).flat_map(|value| vec![value; counts[value as usize]]).collect();
    CertificateSamples {
        outputs: collateral.iter().map(|&value| random.random_range(0..2) + shift * i64::from(value)).collect(),
        main: vec![0; collateral.len()],
        collateral,
        main_classes: vec!["vowel".into()],
        collateral_classes: vec!["child".into(), "adult".into()],
    }
}

/// Laws of the noisy output for both values.
fn laws(shift: i64) -> [Vec<f64>; 2] {
    let weight = |r: i64| if r.abs() <= REACH { (-((r * r) as f64) / 18.0).exp() } else { 0.0 };
    let whole: f64 = (-REACH..=REACH).map(weight).sum();
    [0, shift].map(|shift| {
        (-REACH..=REACH + shift.max(8) + 1)
            .map(|y| (0..2).map(|x| weight(y - x - shift)).sum::<f64>() / 2.0 / whole)
            .collect()
    })
}

/// Accuracy of the best attacker on `k` items, summed over all results.
fn truth(shift: i64, k: u32) -> f64 {
    let [first, second] = laws(shift);
    let mut joint = vec![(1.0, 1.0)];
    for _ in 0..k {
        joint = joint.iter().flat_map(|(a, b)| first.iter().zip(&second).map(move |(p, q)| (a * p, b * q))).collect();
    }
    50.0 * joint.iter().map(|(a, b)| a.max(*b)).sum::<f64>()
}

fn options(points: usize, seed: u64) -> CertificateOptions {
    CertificateOptions { points, seed, votes: vec![2, 3, 20], ..CertificateOptions::default() }
}

#[test]
fn votes_never_fall_below_the_best_attacker() {
    for shift in [0, 1, 3] {
        let truth = [truth(shift, 2), truth(shift, 3)];
        for seed in 0..100 {
            let certificate = certify(&shifted(shift, [2000; 2], seed), &[NOISE], &options(500, seed)).unwrap();
            for (vote, truth) in certificate.votes.iter().zip(truth) {
                assert!(vote.bound >= truth, "shift {shift}, seed {seed}: {vote:?}, truth {truth}");
            }
        }
    }
}

/// Two main classes: one whose laws are `shifts[0]` apart, one whose laws are `shifts[1]` apart.
fn two_classes(shifts: [i64; 2], count: usize, seed: u64) -> CertificateSamples {
    let [mut all, other] = [0, 1].map(|main| shifted(shifts[main], [count; 2], 2 * seed + main as u64));
    all.outputs.extend(other.outputs);
    all.collateral.extend(other.collateral);
    all.main = (0..4 * count).map(|item| u32::from(item >= 2 * count)).collect();
    all.main_classes = vec!["vowel".into(), "consonant".into()];
    all
}

#[test]
fn votes_over_main_classes_at_random_lie_between_the_truth_and_those_of_any_classes() {
    for shifts in [[0, 0], [0, 3], [3, 1]] {
        let joint =
            |value: usize| shifts.iter().flat_map(|&shift| laws(shift)[value].clone()).map(|p| 0.5 * p).collect();
        let [first, second]: [Vec<f64>; 2] = [joint(0), joint(1)];
        let two = |p: &[f64]| p.iter().flat_map(|a| p.iter().map(move |b| a * b)).collect::<Vec<_>>();
        let truth: f64 = 50.0 * two(&first).iter().zip(two(&second)).map(|(p, q)| p.max(q)).sum::<f64>();
        for seed in 0..100 {
            let options = CertificateOptions { votes: vec![2], ..options(500, seed) };
            let certificate = certify(&two_classes(shifts, 1000, seed), &[NOISE], &options).unwrap();
            let (bound, mixed) = (certificate.votes[0].bound, certificate.votes[0].mixed.unwrap());
            assert!(truth <= mixed && mixed <= bound, "shifts {shifts:?}, seed {seed}: {truth} {mixed} {bound}");
            // Ways to mix classes are bounded by the worst one: both items of the class that tells most.
            assert!(bound >= worst_truth(&shifts), "shifts {shifts:?}, seed {seed}: {bound}");
        }
    }
}

/// Two items of whichever main class tells most.
fn worst_truth(shifts: &[i64]) -> f64 {
    shifts.iter().map(|&shift| truth(shift, 2)).fold(0.0, f64::max)
}

#[test]
fn a_large_sample_brings_votes_near_the_truth() {
    let options = CertificateOptions { votes: vec![3], ..options(8000, 4) };
    let certificate = certify(&shifted(1, [30_000; 2], 4), &[NOISE], &options).unwrap();
    let (bound, truth) = (certificate.votes[0].bound, truth(1, 3));
    assert!(bound >= truth && bound < truth + 5.0, "{bound} {truth}");
}

#[test]
fn many_items_are_bounded_better_than_by_adding_up() {
    let options = CertificateOptions { votes: vec![140], ..options(10_000, 1) };
    let certificate = certify(&shifted(0, [40_000; 2], 1), &[NOISE], &options).unwrap();
    let added = 50.0 + 50.0 * many_items(certificate.classes[0].total_variation, 140);
    let vote = certificate.votes[0].bound;
    assert!(vote < added - 5.0 && vote > 50.0, "{vote} {added}");
}

#[test]
fn a_prior_gives_the_laws_their_weights() {
    let [first, second] = laws(3);
    let known = |share: f64| -> f64 {
        100.0 * first.iter().zip(&second).map(|(p, q)| (share * p).max((1.0 - share) * q)).sum::<f64>()
    };
    for seed in 0..50 {
        let samples = shifted(3, [8000, 2000], seed);
        for (prior, share) in [(Prior::Sampled, 0.8), (Prior::Given(vec![vec![0.3, 0.7]]), 0.3)] {
            let options = CertificateOptions { prior: Some(prior), ..options(2000, seed) };
            let weighted = certify(&samples, &[NOISE], &options).unwrap().weighted.unwrap();
            let truth = known(share);
            assert!(weighted.bound >= truth && weighted.bound < truth + 10.0, "{weighted:?} {truth}");
            assert!((weighted.guessing - 100.0 * f64::max(share, 1.0 - share)).abs() < 1e-9);
        }
    }
}

#[test]
fn a_prior_that_is_none_is_refused() {
    for prior in [vec![vec![0.5, 0.4]], vec![vec![1.5, -0.5]], vec![vec![1.0]], vec![]] {
        let options = CertificateOptions { prior: Some(Prior::Given(prior)), ..options(500, 1) };
        let error = certify(&shifted(0, [500; 2], 1), &[NOISE], &options).unwrap_err();
        assert!(matches!(error, CertificateError::Option { field: "prior", .. }), "{error}");
    }
}

#[test]
fn more_samples_tighten_and_the_limit_is_near_the_truth() {
    let samples = shifted(2, [16_000; 2], 3);
    let found = growth(&samples, &[NOISE], &options(4000, 3), 5).unwrap();
    assert_eq!(found.points.iter().map(|point| point.items).collect::<Vec<_>>(), [2000, 4000, 8000, 16_000, 32_000]);
    assert!(found.points[0].bound > found.points[4].bound + 1.0);
    let (limit, truth) = (found.limit.unwrap(), truth(2, 1));
    assert!((limit - truth).abs() < 1.5, "{limit} {truth}");
    assert_eq!(growth(&samples, &[NOISE], &options(500, 3), 1).unwrap().limit, None);
}
