//! Certificates of laws whose best attacker is known exactly.

use leakage::certificate::{
    Certificate, CertificateError, CertificateOptions, CertificateSamples, NoisyOutput, VoteBound, certify,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NOISE: NoisyOutput = NoisyOutput { low: -10_000, high: 10_000, step: 1, deviation: 3, tail: 4 };

/// `items` for each class and value; `draw(class, value, random)` gives the outputs without noise.
fn observe(
    classes: usize,
    values: usize,
    items: usize,
    seed: u64,
    draw: impl Fn(usize, usize, &mut ChaCha8Rng) -> Vec<i64>,
) -> CertificateSamples {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut samples = CertificateSamples {
        main_classes: (0..classes).map(|m| format!("digit {m}")).collect(),
        collateral_classes: (0..values).map(|c| format!("font {c}")).collect(),
        ..CertificateSamples::default()
    };
    for i in 0..classes * values * items {
        let (main, value) = (i % classes, i / classes % values);
        samples.outputs.extend(draw(main, value, &mut random));
        samples.main.push(main as u32);
        samples.collateral.push(value as u32);
    }
    samples
}

fn options(points: usize, seed: u64) -> CertificateOptions {
    CertificateOptions { points, seed, ..CertificateOptions::default() }
}

fn shifted(shift: i64, items: usize, seed: u64) -> CertificateSamples {
    observe(1, 2, items, seed, |_, value, random| vec![random.random_range(0..4) + shift * value as i64])
}

/// Accuracy in percent of the best attacker on [`shifted`] under [`NOISE`], summed over all results.
fn truth(shift: i64) -> f64 {
    let bound = i64::from(NOISE.deviation * NOISE.tail);
    let weight = |r: i64| if r.abs() <= bound { (-((r * r) as f64) / 18.0).exp() } else { 0.0 };
    let whole: f64 = (-bound..=bound).map(weight).sum();
    let law = |y: i64, shift: i64| (0..4).map(|x| weight(y - x - shift)).sum::<f64>() / 4.0 / whole;
    (-100..=100).map(|y| 50.0 * law(y, 0).max(law(y, shift))).sum()
}

#[test]
fn equal_laws_are_certified_near_guessing_and_never_below() {
    let samples = observe(2, 2, 5_000, 1, |main, _, random| vec![100 * main as i64 + random.random_range(0..4)]);
    let certificate = certify(&samples, &[NOISE], &options(4_000, 1)).unwrap();
    let pooled = &certificate.pooled;
    assert!(pooled.bound > 50.0 && pooled.bound < 53.0 && pooled.items == 20_000, "{pooled:?}");
    for class in &certificate.classes {
        assert!(class.bound > 50.0 && class.bound < 54.0 && class.items == 10_000, "{class:?}");
        assert!((class.plug_in + class.slack - class.bound).abs() < 1e-9);
    }
    assert!(pooled.slack < certificate.classes[0].slack);
}

#[test]
fn three_equal_laws_are_certified_near_a_third() {
    let samples = observe(1, 3, 5_000, 1, |_, _, random| vec![random.random_range(0..4)]);
    let bound = certify(&samples, &[NOISE], &options(4_000, 1)).unwrap().pooled.bound;
    assert!(bound > 100.0 / 3.0 && bound < 37.0, "{bound}");
}

#[test]
fn a_thousand_certificates_never_fall_below_the_best_attacker() {
    for shift in [0, 1, 2, 4, 7] {
        let truth = truth(shift);
        let mut plug_ins = 0.0;
        for seed in 0..200 {
            let options = CertificateOptions { votes: vec![5], ..options(500, seed) };
            let certificate = certify(&shifted(shift, 400, seed), &[NOISE], &options).unwrap();
            let pooled = &certificate.pooled;
            assert!(pooled.bound >= truth, "shift {shift}, seed {seed}: {pooled:?}, truth {truth}");
            assert!(certificate.votes.iter().all(|vote| vote.bound >= truth));
            plug_ins += pooled.plug_in / 200.0;
        }
        // The plug-in errs upward, by less than its known bias.
        assert!(plug_ins > truth - 0.2 && plug_ins < truth + 2.5, "shift {shift}: {plug_ins}, truth {truth}");
    }
}

#[test]
fn a_large_sample_comes_close_to_the_best_attacker() {
    let truth = truth(4);
    let bound = certify(&shifted(4, 20_000, 7), &[NOISE], &options(4_000, 7)).unwrap().pooled.bound;
    assert!(bound >= truth && bound < truth + 3.0, "{bound}, truth {truth}");
}

#[test]
fn disjoint_laws_are_read_for_certain() {
    let certificate = certify(&shifted(200, 200, 1), &[NOISE], &options(500, 1)).unwrap();
    assert!(certificate.pooled.plug_in > 100.0 - 1e-9 && certificate.pooled.bound == 100.0);
    assert!(certificate.votes.iter().all(|vote| vote.bound == 100.0));
}

#[test]
fn a_low_bit_below_the_step_is_read_for_certain() {
    let samples = observe(1, 2, 400, 1, |_, value, random| vec![16 * random.random_range(0..4) + value as i64]);
    let coarse = certify(&samples, &[NoisyOutput { step: 16, ..NOISE }], &options(500, 1)).unwrap();
    assert_eq!(coarse.pooled.bound, 100.0);
    let fine = certify(&samples, &[NoisyOutput { deviation: 48, ..NOISE }], &options(500, 1)).unwrap();
    assert!(fine.pooled.plug_in < 60.0, "{:?}", fine.pooled);
}

#[test]
fn scaling_outputs_and_step_alike_changes_nothing() {
    let draw = |scale: i64| {
        observe(2, 2, 300, 5, move |main, value, random| {
            let (a, b) = (random.random_range(-9..30), random.random_range(-9..9));
            vec![scale * (a + 2 * value as i64), scale * (b + 7 * main as i64)]
        })
    };
    let noise = |step| [NoisyOutput { step, ..NOISE }, NoisyOutput { step, deviation: 2, ..NOISE }];
    let plain = certify(&draw(1), &noise(1), &options(500, 3)).unwrap();
    for scale in [5, 12] {
        let scaled = certify(&draw(scale), &noise(scale), &options(500, 3)).unwrap();
        assert_eq!((&scaled.pooled, &scaled.classes), (&plain.pooled, &plain.classes));
    }
    let turned = certify(&draw(5), &noise(-5), &options(500, 3)).unwrap();
    assert_eq!(turned.pooled, plain.pooled);
}

#[test]
fn a_second_output_that_tells_is_counted() {
    let noise = [NOISE, NOISE];
    let samples = observe(1, 2, 400, 2, |_, value, _| vec![0, 60 * value as i64]);
    assert_eq!(certify(&samples, &noise, &options(500, 1)).unwrap().pooled.bound, 100.0);
}

#[test]
fn unsound_input_gets_no_number() {
    let samples = shifted(1, 200, 1);
    let refusal =
        |samples: &CertificateSamples, noise: &[NoisyOutput]| certify(samples, noise, &options(500, 1)).unwrap_err();
    for silent in [NoisyOutput { step: 0, ..NOISE }, NoisyOutput { deviation: 0, ..NOISE }] {
        let error = refusal(&samples, &[silent]);
        assert_eq!(error, CertificateError::NoNoise { output: 0 });
        assert!(error.to_string().contains("nothing can be certified without noise under encryption"));
    }
    assert_eq!(refusal(&samples, &[]), CertificateError::NoOutputs);
    let wide = NoisyOutput { deviation: u32::MAX, tail: u32::MAX, ..NOISE };
    let refused = refusal(&samples, &[wide]);
    assert!(matches!(refused, CertificateError::WideNoise { output: 0, .. }));
    assert!(refused.to_string().contains("fewer bits"), "{refused}");
    let far = NoisyOutput { high: i64::MAX, ..NOISE };
    assert!(matches!(refusal(&samples, &[far]), CertificateError::Range { output: 0, .. }));
    let narrow = NoisyOutput { low: 1, ..NOISE };
    assert!(matches!(refusal(&samples, &[narrow]), CertificateError::OutOfRange { value: 0, low: 1, .. }));

    let spoilt = |spoil: fn(&mut CertificateSamples)| {
        let mut samples = samples.clone();
        spoil(&mut samples);
        refusal(&samples, &[NOISE]).to_string()
    };
    assert_eq!(spoilt(|s| s.outputs.truncate(9)), "`outputs` has 9 values, 400 expected for the items in `main`");
    assert_eq!(spoilt(|s| s.collateral.push(0)), "`collateral` has 401 values, 400 expected for the items in `main`");
    assert_eq!(spoilt(|s| s.main[3] = 4), "`main` row 3 is 4, but there are 1 classes");
    assert_eq!(spoilt(|s| s.collateral_classes.truncate(1)), "`collateral_classes` has 1 names; at least 2 needed");
    for confidence in [0.0, 1.0, f64::NAN] {
        let options = CertificateOptions { confidence, ..options(500, 1) };
        let error = certify(&samples, &[NOISE], &options).unwrap_err();
        assert!(matches!(error, CertificateError::Option { field: "confidence", .. }));
    }
    for (field, options) in
        [("points", options(1, 1)), ("votes", CertificateOptions { votes: vec![5, 0], ..options(500, 1) })]
    {
        let error = certify(&samples, &[NOISE], &options).unwrap_err();
        assert!(matches!(error, CertificateError::Option { field: found, .. } if found == field));
    }
}

#[test]
fn too_few_samples_are_refused_with_how_many_are_needed() {
    let refused = |items| certify(&shifted(1, items, 1), &[NOISE], &options(500, 1));
    let Err(CertificateError::TooFewSamples { class, value, found: 5, needed }) = refused(5) else {
        panic!("five samples were certified")
    };
    assert_eq!((class.as_str(), value.as_str()), ("digit 0", "font 0"));
    assert!(refused(needed - 1).is_err() && refused(needed).is_ok());
}

#[test]
fn the_contract_has_these_fields() {
    let certificate: Certificate = certify(&shifted(1, 200, 1), &[NOISE], &options(500, 1)).unwrap();
    let json = serde_json::to_value(&certificate).unwrap();
    let names = |value: &serde_json::Value| {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names(&json), "assumptions classes confidence maximal_leakage_bits pooled votes");
    assert_eq!(names(&json["pooled"]), "auc bound items plug_in slack total_variation");
    assert_eq!(names(&json["classes"][0]), "auc bound class items plug_in slack total_variation");
    assert_eq!(names(&json["votes"][0]), "bound k mixed");
    let older: VoteBound = serde_json::from_str(r#"{"k": 20, "bound": 81.5}"#).unwrap();
    assert_eq!(older, VoteBound { k: 20, bound: 81.5, mixed: None });
    assert!(certificate.maximal_leakage_bits > 10.0 && certificate.maximal_leakage_bits < 12.0);
}
