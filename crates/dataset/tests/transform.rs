//! Encoders that scale columns or project on fewer coordinates.

use std::collections::BTreeMap;

use dataset::{Dataset, handwriting};
use encoder::{EncodeError, Encoder, EncoderOptions, Normalise, Transform};

fn options(transform: Transform) -> EncoderOptions {
    EncoderOptions { low: -1e6, high: 1e6, bits: 8, transform, ..Default::default() }
}

fn table(columns: usize, bytes: Vec<u8>) -> Dataset {
    Dataset::new(1, columns, bytes, vec![], BTreeMap::new()).unwrap()
}

fn all(encoder: &Encoder, data: &Dataset) -> Vec<Vec<f64>> {
    let mut z = vec![0.0; encoder.features()];
    let row = |item| {
        encoder.standardise(data.image(item), &mut z).unwrap();
        z.iter().map(|&z| f64::from(z)).collect()
    };
    (0..data.len()).map(row).collect()
}

fn covariance(rows: &[Vec<f64>], a: usize, b: usize) -> f64 {
    let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
    let (first, second) = (mean(a), mean(b));
    rows.iter().map(|row| (row[a] - first) * (row[b] - second)).sum::<f64>() / rows.len() as f64
}

#[test]
fn columns_of_a_table_are_scaled_each_by_itself() {
    let data = table(3, vec![0, 200, 7, 2, 100, 7, 4, 0, 7]);
    let encoder = Encoder::fit(&data, &EncoderOptions { normalise: Normalise::PerColumn, ..options(Transform::Cells) });
    let encoder = encoder.unwrap();
    // The third column never changes.
    assert_eq!(encoder.features(), 2);
    let rows = all(&encoder, &data);
    let root = 1.5f64.sqrt();
    for (row, expected) in rows.iter().zip([[-root, root], [0.0, 0.0], [root, -root]]) {
        assert!((row[0] - expected[0]).abs() < 1e-5 && (row[1] - expected[1]).abs() < 1e-5, "{row:?}");
    }
}

#[test]
fn principal_components_are_uncorrelated_with_deviation_1() {
    let data = handwriting::digits();
    let encoder = Encoder::fit(&data, &options(Transform::Pca { components: 12 })).unwrap();
    assert_eq!(encoder.inputs(), (13, 13));
    let rows = all(&encoder, &data);
    for a in 0..12 {
        for b in 0..=a {
            let expected = f64::from(u8::from(a == b));
            assert!((covariance(&rows, a, b) - expected).abs() < 0.02, "{a} {b} {}", covariance(&rows, a, b));
        }
    }
}

/// The first component of points along a line is the line.
#[test]
fn the_first_component_is_the_direction_of_largest_variance() {
    let bytes: Vec<u8> = (0..100u8).flat_map(|t| [t, 2 * t, 50 + t % 3]).collect();
    let data = table(3, bytes);
    let pca = EncoderOptions { normalise: Normalise::PerColumn, ..options(Transform::Pca { components: 2 }) };
    let rows = all(&Encoder::fit(&data, &pca).unwrap(), &data);
    let line: Vec<Vec<f64>> = rows.iter().zip(0..100).map(|(row, t)| vec![row[0], f64::from(t)]).collect();
    let correlation = covariance(&line, 0, 1) / covariance(&line, 1, 1).sqrt();
    assert!(correlation.abs() > 0.9999, "{correlation}");
}

#[test]
fn low_frequencies_see_smooth_changes_only() {
    // Images that differ by a left-to-right wave of the first frequency, and by nothing else.
    let wave = |column: usize| (std::f64::consts::PI * (column as f64 + 0.5) / 8.0).cos();
    let pixel = |strength: f64, place: usize| (128.0 + strength * wave(place % 8)).round() as u8;
    let images: Vec<u8> = [-90.0, -20.0, 30.0, 100.0].iter().flat_map(|&s| (0..32).map(move |p| pixel(s, p))).collect();
    let data = Dataset::new(4, 8, images, vec![], BTreeMap::new()).unwrap();
    let dct = EncoderOptions {
        normalise: Normalise::PerColumn,
        right: Some(1),
        ..options(Transform::Dct { rows: 2, columns: 3 })
    };
    let encoder = Encoder::fit(&data, &dct).unwrap();
    let rows = all(&encoder, &data);
    let best = encoder.right()[0];
    let expected = [-90.0, -20.0, 30.0, 100.0].map(|strength: f64| (strength - 5.0) / 69.46);
    let sign = rows[3][best].signum();
    for (row, expected) in rows.iter().zip(expected) {
        assert!((sign * row[best] - expected).abs() < 0.02, "{row:?} {expected}");
    }
}

#[test]
fn a_fitted_range_holds_nearly_all_values() {
    let data = handwriting::digits();
    let options = EncoderOptions { transform: Transform::Pca { components: 10 }, ..Default::default() };
    let options = options.with_fitted_range(&data).unwrap();
    assert!(options.low < -2.0 && options.low > -8.0 && options.high > 2.0 && options.high < 8.0, "{options:?}");
    let encoder = Encoder::fit(&data, &options).unwrap();
    let json = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
    assert!(serde_json::from_str::<Encoder>(&json.replacen("\"offset\":[", "\"offset\":[0.5,", 1)).is_err());
}

#[test]
fn more_coordinates_than_cells_are_refused() {
    let data = handwriting::digits();
    let fails = |transform| matches!(Encoder::fit(&data, &options(transform)), Err(EncodeError::Field { .. }));
    assert!(fails(Transform::Pca { components: 65 }));
    assert!(fails(Transform::Pca { components: 0 }));
    assert!(fails(Transform::Dct { rows: 9, columns: 1 }));
    assert!(fails(Transform::Dct { rows: 1, columns: 0 }));
    let large =
        Dataset::new(70, 70, (0..9800).map(|p| (p * p % 251) as u8).collect(), vec![], BTreeMap::new()).unwrap();
    assert!(matches!(Encoder::fit(&large, &options(Transform::Pca { components: 2 })), Err(EncodeError::Field { .. })));
}
