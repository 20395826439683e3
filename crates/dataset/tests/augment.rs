//! Changed copies of pictures.

use std::collections::BTreeMap;

use dataset::{AugmentError, AugmentOptions, Dataset, Features, Labels};
use host::Silent;

const STILL: AugmentOptions = AugmentOptions {
    copies: 1,
    shift: 0.0,
    rotation: 0.0,
    scale: 0.0,
    shear: 0.0,
    elastic_alpha: 0.0,
    elastic_sigma: 4.0,
    seed: 1,
};

/// One bright spot off the middle of 21 × 21 pixels.
fn spot(row: usize, column: usize) -> Dataset {
    let mut image = vec![0; 21 * 21];
    for place in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        image[(row + place.0) * 21 + column + place.1] = 200;
    }
    let labels = Labels { name: "place".into(), classes: vec!["a".into()], values: vec![0] };
    Dataset::new(21, 21, image, vec![labels], BTreeMap::new()).unwrap()
}

/// Where the light of an item lies, from the middle, in pixels down and right.
fn centre(data: &Dataset, item: usize) -> (f64, f64) {
    let (mut sums, mut total) = ((0.0, 0.0), 0.0);
    for (place, &pixel) in data.image(item).iter().enumerate() {
        let light = f64::from(pixel);
        sums.0 += light * (place / 21) as f64;
        sums.1 += light * (place % 21) as f64;
        total += light;
    }
    (sums.0 / total - 10.0, sums.1 / total - 10.0)
}

fn augmented(data: &Dataset, options: AugmentOptions) -> Dataset {
    data.augmented(&options, &Silent).unwrap()
}

#[test]
fn nothing_to_change_changes_nothing() {
    let data = augmented(&spot(4, 12), STILL);
    assert_eq!(data.image(0), data.image(1));
    assert_eq!(data.labels("copy").unwrap().values, [0, 1]);
}

#[test]
fn each_change_moves_a_spot_as_it_says() {
    let original = spot(4, 12);
    let (down, right) = centre(&original, 0);
    let radius = down.hypot(right);
    let far = |data: &Dataset| -> Vec<(f64, f64)> { (1..data.len()).map(|copy| centre(data, copy)).collect() };

    let shifted = far(&augmented(&original, AugmentOptions { copies: 200, shift: 3.0, ..STILL }));
    let most = shifted.iter().map(|at| (at.0 - down).abs().max((at.1 - right).abs())).fold(0.0, f64::max);
    assert!((2.7..3.05).contains(&most), "{most}");

    let turned = far(&augmented(&original, AugmentOptions { copies: 200, rotation: 30.0, ..STILL }));
    for at in &turned {
        assert!((at.0.hypot(at.1) - radius).abs() < 0.2, "{at:?}");
    }
    let angle = |at: &(f64, f64)| (at.0 * right - at.1 * down).atan2(at.0 * down + at.1 * right).to_degrees();
    let (least, most) = turned.iter().map(angle).fold((0.0, 0.0), |ends: (f64, f64), a| (ends.0.min(a), ends.1.max(a)));
    assert!((-30.5..-27.0).contains(&least) && (27.0..30.5).contains(&most), "{least} {most}");

    let sized = far(&augmented(&original, AugmentOptions { copies: 200, scale: 0.2, ..STILL }));
    let largest = sized.iter().map(|at| at.0.hypot(at.1) / radius).fold(0.0, f64::max);
    assert!((1.15..1.23).contains(&largest), "{largest}");

    let slanted = far(&augmented(&original, AugmentOptions { copies: 50, shear: 0.3, ..STILL }));
    assert!(slanted.iter().all(|at| (at.0 - down).abs() < 0.05));
    assert!(slanted.iter().any(|at| (at.1 - right).abs() > 1.0));

    let warped = far(&augmented(&original, AugmentOptions { copies: 200, elastic_alpha: 30.0, ..STILL }));
    let squares: f64 = warped.iter().map(|at| (at.0 - down).powi(2) + (at.1 - right).powi(2)).sum();
    let deviation = (squares / 400.0).sqrt();
    assert!((0.4..2.5).contains(&deviation), "{deviation}");
}

#[test]
fn features_are_not_turned() {
    let features = Features { names: vec![], low: vec![0.0], step: vec![1.0], sound: None };
    let data = spot(4, 4).with_features(features).unwrap();
    let error = data.augmented(&STILL, &Silent).unwrap_err();
    assert_eq!(error, AugmentError::NotPictures);
}
