//! Every family of the full panel, and the attacks that need more than outputs.

mod common;

use common::{normal, observe, shifted};
use host::Silent;
use leakage::{
    AttackerConfig, Attribute, AuditError, AuditOptions, Extras, Inputs, Scope, Undefended, audit, audit_attributes,
    audit_with, reconstruct,
};

fn options(families: Vec<AttackerConfig>) -> AuditOptions {
    AuditOptions { families, vote: vec![1, 5], shuffled_control: false, ..AuditOptions::default() }
}

#[test]
fn every_family_comes_near_the_best_possible_rate() {
    // Two Gaussians with different spreads and means: quadratic boundary, smooth densities.
    let draw = |items, seed| {
        observe(items, 2, 2, seed, |m, c, rng| {
            let spread = if c == 1 { 0.5 } else { 1.5 };
            vec![m as f64 * 20.0 + spread * normal(rng) + c as f64, spread * normal(rng)]
        })
    };
    let (train, test) = (draw(3000, 1), draw(3000, 2));
    let report = audit(&train, &test, &options(AttackerConfig::full()), &Silent).expect("sound");
    let of = |family: &str| {
        let mut rows = report.attackers.iter();
        let row = rows.find(|r| r.family == family && r.scope == Scope::Pooled);
        row.map_or_else(|| panic!("{family} was not run"), |r| r.accuracy)
    };
    let best = of("qda");
    assert!((80.0..90.0).contains(&best), "{best}");
    for row in report.attackers.iter().filter(|r| r.scope == Scope::Pooled) {
        let slack = match row.family.as_str() {
            "logistic" | "ridge" => 25.0,
            // 201 of 750 neighbours of each value, and wide kernels, blur the boundary.
            "kde-0.8" => 10.0,
            "tree" | "forest-1" | "kde-0.05" | "knn-201" => 7.0,
            _ => 3.5,
        };
        assert!(row.accuracy > best - slack, "{}: {} against {best}", row.family, row.accuracy);
        assert!(row.accuracy < best + 1.5, "{}: {} against {best}", row.family, row.accuracy);
        assert!(row.bits < 0.6 && row.auc.is_some_and(|a| a > 0.5), "{row:?}");
    }
}

#[test]
fn several_values_work_with_every_family() {
    let draw = |items, seed| {
        observe(items, 1, 3, seed, |_, c, rng| vec![c as f64 * 3.0 + normal(rng), normal(rng), normal(rng)])
    };
    let (train, test) = (draw(900, 1), draw(900, 2));
    let report = audit(&train, &test, &options(AttackerConfig::full()), &Silent).expect("sound");
    for row in report.attackers.iter().filter(|r| r.scope == Scope::Pooled) {
        // Best possible: 1 − (4/3)(1 − Φ(1.5)) = 91.1 %; least squares masks the middle value.
        let least = if row.family == "ridge" { 55.0 } else { 80.0 };
        assert!(row.accuracy > least, "{}: {}", row.family, row.accuracy);
    }
}

#[test]
fn de_censoring_needs_and_uses_undefended_outputs() {
    let family: AttackerConfig = "decensor-knn-51".parse().expect("a family");
    let (train, test) = (shifted(1500, 0.9, 1), shifted(1500, 0.9, 2));
    let options = options(vec![AttackerConfig::qda(), family]);
    let refused = audit(&train, &test, &options, &Silent).expect_err("nothing to learn the map from");
    assert!(refused.to_string().contains("undefended"), "{refused}");

    // The undefended outputs carry the attribute plainly, beside what the defended ones say.
    let plain =
        (0..train.len()).flat_map(|i| [train.outputs.value(i * 3 + 1) as f32, train.collateral[i] as f32 * 4.0]);
    let plain: Vec<f32> = plain.collect();
    let (short, plain) = (plain[1..].to_vec().into(), plain.into());
    let undefended = Some(Undefended { outputs: &plain, width: 2 });
    let control = ("undefended".to_owned(), &train, &test);
    let extras = Extras { undefended, controls: vec![control], members: None };
    let report = audit_with(&train, &test, &extras, &options, &Silent).expect("sound");
    let pooled = |name: &str| report.attackers.iter().find(|r| r.family == name && r.scope == Scope::Pooled);
    let found = pooled("decensor-knn-51").expect("was run").accuracy;
    // Φ(0.9) = 81.6 %.
    assert!((76.0..84.0).contains(&found), "{found}");
    assert_eq!(report.controls.others.len(), 1);
    assert_eq!(report.controls.others[0].name, "undefended");

    let short = Some(Undefended { outputs: &short, width: 2 });
    let extras = Extras { undefended: short, ..Extras::default() };
    let error = audit_with(&train, &test, &extras, &options, &Silent).expect_err("a value short");
    assert!(matches!(error, AuditError::Length { field: "outputs", .. }), "{error}");
}

#[test]
fn attributes_nobody_listed_are_audited_one_by_one() {
    let (train, test) = (shifted(900, 1.0, 1), shifted(900, 1.0, 2));
    let blind = |n: usize| (0..n).map(|i| (i / 7 % 2) as u32).collect::<Vec<u32>>();
    let (a, b) = (blind(train.len()), blind(test.len()));
    let attribute = |name: &str, train: &[u32], test: &[u32]| Attribute {
        name: name.into(),
        classes: vec!["no".into(), "yes".into()],
        train: train.to_vec(),
        test: test.to_vec(),
    };
    let attributes = [attribute("font", &train.collateral, &test.collateral), attribute("noise", &a, &b)];
    let options = options(vec![AttackerConfig::logistic()]);
    let reports = audit_attributes(&train, &test, &attributes, &options, &Silent).expect("sound");
    assert_eq!(reports[0].attribute, "font");
    assert!(reports[0].strongest_pooled.low > 75.0);
    assert!(reports[1].strongest_pooled.low < 50.0);
}

#[test]
fn inputs_are_rebuilt_as_far_as_outputs_tell() {
    // A bar's height is in the output; a speck of noise is not.
    let (height, across) = (8, 6);
    let make = |items: usize, seed: u64| {
        let data = observe(items, 2, 2, seed, |_, _, rng| vec![normal(rng), normal(rng)]);
        let mut pixels = vec![0u8; items * height * across];
        for i in 0..items {
            let bar = (data.outputs.value(2 * i) * 1.5 + 4.0).clamp(0.0, 8.0) as usize;
            let picture = &mut pixels[i * height * across..(i + 1) * height * across];
            picture[..bar * across].fill(200);
            picture[(i * 31) % (height * across)] ^= 90;
        }
        (data, pixels)
    };
    let (train, train_pixels) = make(1500, 1);
    let (test, test_pixels) = make(600, 2);
    fn view<'a>(data: &'a leakage::Observations, pixels: &'a [u8]) -> Inputs<'a> {
        Inputs { outputs: &data.outputs, width: 2, pixels, height: 8, across: 6, main: &data.main, classes: 2 }
    }
    let bar = Silent;
    let found = reconstruct(&view(&train, &train_pixels), &view(&test, &test_pixels), 0, &bar).expect("sound");
    assert!(found.mse < 0.4 * found.mse_class_mean, "{} {}", found.mse, found.mse_class_mean);
    assert!(found.ssim > found.ssim_class_mean);
    assert!(found.median_rank < 0.5 * found.median_rank_class_mean);
    assert_eq!(found.candidates, 600);
    assert_eq!(found, reconstruct(&view(&train, &train_pixels), &view(&test, &test_pixels), 0, &bar).expect("sound"));

    let short = view(&test, &test_pixels[1..]);
    let error = reconstruct(&view(&train, &train_pixels), &short, 0, &bar).expect_err("a pixel short");
    assert!(matches!(error, AuditError::Length { field: "pixels", .. }), "{error}");
}
