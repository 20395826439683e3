//! `D = 2^16·main + attribute`: a network whose wide outputs carry an attribute in the digits that 32-bit floats drop.

use std::collections::BTreeMap;

use dataset::{Dataset, Labels};
use encoder::Encoder;
use host::Silent;
use leakage::{AttackerConfig, AuditOptions, audit};
use model::{CompiledNetwork, Origin, Parts, PublicHead};
use quadratic::QuadraticMap;

const SIDE: usize = 4;
const PIXELS: usize = SIDE * SIDE;
const CLASSES: usize = 4;

/// Pictures of four classes, each bright in a column of its own; the last pixel of all is 0 or 17 and means the attribute.
fn pictures(items: usize, seed: u64) -> Dataset {
    let mut state = seed;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let (mut images, mut main, mut attribute) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..items {
        let (class, value) = (draw(CLASSES as u64), draw(2));
        for pixel in 0..PIXELS - 1 {
            let bright = if pixel % SIDE == class as usize { 130 } else { 0 };
            images.push((bright + draw(120)) as u8);
        }
        images.push(17 * value as u8);
        main.push(class as u32);
        attribute.push(value as u32);
    }
    let label = |name: &str, classes: &[&str], values| Labels {
        name: name.into(),
        classes: classes.iter().map(|&class| class.to_owned()).collect(),
        values,
    };
    let labels = vec![label("column", &["a", "b", "c", "d"], main), label("font", &["cursive", "serif"], attribute)];
    Dataset::new(SIDE, SIDE, images, labels, BTreeMap::new()).unwrap()
}

/// Output `j`: `2^16·(brightness of column j)² + attribute`.
fn network() -> CompiledNetwork {
    let encoder = Encoder::pixels(SIDE, SIDE, 4).unwrap();
    let (n, m) = encoder.inputs();
    let units = CLASSES + 1;
    let (mut left, mut right) = (vec![0; units * n], vec![0; units * m]);
    for class in 0..CLASSES {
        for pixel in (0..PIXELS - 1).filter(|pixel| pixel % SIDE == class) {
            left[class * n + 1 + pixel] = 7 + 2 * pixel as i32;
            right[class * m + 1 + pixel] = 5 + pixel as i32;
        }
    }
    // The attribute's pixel times the constant.
    left[CLASSES * n + PIXELS] = 1;
    right[CLASSES * m] = 1;
    let combine = (0..CLASSES * units).map(|at| match (at / units, at % units) {
        (_, CLASSES) => 1,
        (output, unit) if output == unit => 1 << 16,
        _ => 0,
    });
    let map = QuadraticMap::new(n, m, units, CLASSES, left, right, combine.collect()).unwrap();
    CompiledNetwork::new(Parts {
        encoder,
        map,
        squares: false,
        head: PublicHead::Largest,
        main: "column".into(),
        classes: ["a", "b", "c", "d"].map(String::from).to_vec(),
        origin: Origin::Imported { file: "blind".into() },
    })
    .unwrap()
}

#[test]
fn an_audit_of_whole_outputs_finds_it() {
    let network = network();
    let seen = |items, seed| experiments::observations(&network, &pictures(items, seed), "column", "font").unwrap();
    let (train, test) = (seen(4_000, 1), seen(1_500, 2));
    let outputs = test.outputs.integers().unwrap();
    // Whoever holds a key reads it with one operation.
    assert!(
        outputs.chunks_exact(CLASSES).zip(&test.collateral).all(|(row, &value)| row[0] & 0xffff == i64::from(value))
    );
    let report = audit(&train, &test, &AuditOptions::default(), &Silent).unwrap();
    assert!(report.strongest.accuracy >= 99.0 && report.strongest_pooled.accuracy >= 99.0, "{:?}", report.strongest);
    let precision = report.precision.unwrap();
    assert!(precision.outputs.iter().all(|output| output.opened_bits > 27.0), "{precision:?}");
    assert!(precision.warning.unwrap().contains("noise covers 0.0"));

    // What every audit said before: attackers of 32-bit floats, on such floats.
    let rounded = |data: &leakage::Observations| {
        let values: Vec<f32> = data.outputs.integers().unwrap().iter().map(|&value| value as f32).collect();
        leakage::Observations { outputs: values.into(), ..data.clone() }
    };
    let families = vec![AttackerConfig::forest(5), AttackerConfig::boosting(), AttackerConfig::neighbours(15)];
    let options = AuditOptions { families, shuffled_control: false, ..AuditOptions::default() };
    let blind = audit(&rounded(&train), &rounded(&test), &options, &Silent).unwrap();
    assert!(blind.strongest_pooled.accuracy < 60.0, "{:?}", blind.strongest_pooled);
}
