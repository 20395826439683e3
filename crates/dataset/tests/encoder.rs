//! The encoder: its equation, its ranges, its agreement with the float grid.

use std::collections::BTreeMap;

use dataset::Dataset;
use encoder::{EncodeError, Encoder, EncoderOptions};
use proptest::prelude::*;

fn images(height: usize, width: usize, pixels: Vec<u8>) -> Dataset {
    Dataset::new(height, width, pixels, vec![], BTreeMap::new()).unwrap()
}

fn fit(data: &Dataset, options: EncoderOptions) -> Encoder {
    Encoder::fit(data, &options).unwrap()
}

fn standardised(encoder: &Encoder, image: &[u8]) -> Vec<f32> {
    let mut z = vec![0.0; encoder.features()];
    encoder.standardise(image, &mut z).unwrap();
    z
}

#[test]
fn standardises_within_the_image() {
    let wide = EncoderOptions { low: -4.0, high: 4.0, drop_dead: false, ..Default::default() };
    let encoder = fit(&images(1, 4, vec![0, 0, 0, 8]), wide);
    // Mean 2, deviation √12.
    let root = 12f32.sqrt();
    let expected = [-2.0 / root, -2.0 / root, -2.0 / root, 6.0 / root];
    for (z, expected) in standardised(&encoder, &[0, 0, 0, 8]).iter().zip(expected) {
        assert!((z - expected).abs() < 1e-6, "{z} {expected}");
    }
}

#[test]
fn dark_ink_on_light_paper_gives_the_same_as_light_on_dark() {
    let light: Vec<u8> = vec![0, 0, 0, 0, 90, 0, 0, 200, 0, 0, 0, 0];
    let dark: Vec<u8> = light.iter().map(|pixel| 255 - pixel).collect();
    let on_dark = fit(&images(4, 3, light.clone()), EncoderOptions::default());
    let on_light = fit(&images(4, 3, dark.clone()), EncoderOptions::default());
    assert_eq!(on_dark.encode(&light).unwrap(), on_light.encode(&dark).unwrap());
}

#[test]
fn pools_cells_and_drops_those_that_never_change() {
    let first = vec![0, 0, 4, 8, 0, 0, 8, 4];
    let second = vec![0, 0, 9, 9, 0, 0, 9, 9];
    let data = images(2, 4, [first.clone(), second].concat());
    let options = EncoderOptions { pooling: 2, low: -2.0, high: 2.0, ..Default::default() };
    let encoder = fit(&data, options);
    assert_eq!(encoder.inputs(), (2, 2));
    // Mean 3, mean square 20: deviation √11; the right cell's mean is 6.
    let z = standardised(&encoder, &first)[0];
    assert!((z - 3.0 / 11f32.sqrt()).abs() < 1e-6, "{z}");
    let encoded = encoder.encode(&first).unwrap();
    assert_eq!(encoded.u[0], 1);
    assert_eq!(encoded.u[1], ((z + 2.0) / (4.0 / 15.0)).round() as i64);
}

#[test]
fn the_narrow_side_carries_the_columns_of_largest_variance() {
    let data = images(1, 3, vec![0, 10, 250, 1, 200, 0, 2, 20, 240, 0, 220, 3]);
    let encoder = fit(&data, EncoderOptions { right: Some(2), low: -2.0, high: 2.0, ..Default::default() });
    assert_eq!(encoder.right(), [1, 2]);
    let encoded = encoder.encode(data.image(0)).unwrap();
    assert_eq!(encoded.v, [1, encoded.u[2], encoded.u[3]]);
}

#[test]
fn a_flat_image_encodes_as_zeros() {
    let encoder = fit(&images(1, 2, vec![0, 9]), EncoderOptions::default());
    assert_eq!(standardised(&encoder, &[77, 77]), [0.0, 0.0]);
}

#[test]
fn wrong_sizes_and_options_are_errors() {
    let data = images(2, 2, vec![0, 1, 2, 3]);
    let encoder = fit(&data, EncoderOptions::default());
    assert!(matches!(encoder.encode(&[0; 5]), Err(EncodeError::Size { found: 5, height: 2, width: 2 })));
    assert!(matches!(encoder.standardise(&[0; 4], &mut [0.0; 3]), Err(EncodeError::Output { .. })));
    let fails = |options| matches!(Encoder::fit(&data, &options), Err(EncodeError::Field { .. }));
    assert!(fails(EncoderOptions { bits: 0, ..Default::default() }));
    assert!(fails(EncoderOptions { bits: 17, ..Default::default() }));
    assert!(fails(EncoderOptions { pooling: 0, ..Default::default() }));
    assert!(fails(EncoderOptions { pooling: 3, ..Default::default() }));
    assert!(fails(EncoderOptions { low: f32::NAN, ..Default::default() }));
    assert!(fails(EncoderOptions { high: -0.5, ..Default::default() }));
    assert!(fails(EncoderOptions { right: Some(0), ..Default::default() }));
    assert!(fails(EncoderOptions { right: Some(5), ..Default::default() }));
    let none = data.subset(&[]);
    assert_eq!(Encoder::fit(&none, &EncoderOptions::default()), Err(EncodeError::Empty));
}

#[test]
fn json_that_breaks_a_rule_is_refused() {
    let encoder = fit(&images(1, 4, vec![0, 1, 2, 3]), EncoderOptions::default());
    let json = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
    for (from, to) in [
        ("\"bits\":4", "\"bits\":40"),
        ("\"pooling\":1", "\"pooling\":0"),
        ("\"width\":4", "\"width\":3"),
        ("\"width\":4", "\"width\":99999999999"),
        ("\"low\":-0.5", "\"low\":8"),
        ("[0,1,2,3]", "[0,2,1,3]"),
        ("[0,1,2,3]", "[]"),
        ("\"bits\":4", "\"bits\":4,\"more\":1"),
    ] {
        assert!(json.contains(from), "{json}");
        assert!(serde_json::from_str::<Encoder>(&json.replace(from, to)).is_err(), "{to}");
    }
}

proptest! {
    #[test]
    fn levels_stay_in_range_and_on_the_grid(
        pixels in proptest::collection::vec(any::<u8>(), 3 * 16), other in proptest::collection::vec(any::<u8>(), 16),
        bits in 1u32..=16, low in -5f32..0.0, span in 0.1f32..12.0, pooling in prop_oneof![Just(1), Just(2), Just(4)],
    ) {
        let options = EncoderOptions { bits, pooling, low, high: low + span, ..Default::default() };
        let encoder = fit(&images(4, 4, pixels), options);
        let (low, step, highest) = encoder.grid();
        let z = standardised(&encoder, &other);
        let encoded = encoder.encode(&other).unwrap();
        let (left, right) = encoder.ranges();
        prop_assert_eq!((encoded.u.len(), encoded.v.len()), encoder.inputs());
        for (value, range) in encoded.u.iter().zip(&left).chain(encoded.v.iter().zip(&right)) {
            prop_assert!((range.0..=range.1).contains(value));
        }
        for (z, &level) in z.iter().zip(&encoded.u[1..]) {
            prop_assert!(level <= i64::from(highest));
            prop_assert!((z - (low + step * level as f32)).abs() <= step * 0.5 + 1e-5);
        }
    }
}
