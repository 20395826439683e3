//! Splits, derived labels, and bytes that stand for measured values.

use std::collections::BTreeMap;

use dataset::{Dataset, DatasetError, Features, Labels, handwriting};
use proptest::prelude::*;

#[test]
fn a_random_split_keeps_every_item_once_and_every_class_in_proportion() {
    let data = handwriting::digits();
    let (train, test) = data.split(0.25, &["digit"], 3).unwrap();
    assert_eq!((train.len(), test.len()), (1348, 449));
    for class in 0..10 {
        let count =
            |part: &Dataset| part.labels("digit").unwrap().values.iter().filter(|&&value| value == class).count();
        assert!((43..=46).contains(&count(&test)), "{class}");
    }
    let mut images: Vec<&[u8]> = (0..train.len()).map(|item| train.image(item)).collect();
    images.extend((0..test.len()).map(|item| test.image(item)));
    let mut before: Vec<&[u8]> = (0..data.len()).map(|item| data.image(item)).collect();
    images.sort();
    before.sort();
    assert_eq!(images, before);
    assert_eq!(data.split(0.25, &["digit"], 3).unwrap(), (train.clone(), test));
    assert_ne!(data.split(0.25, &["digit"], 4).unwrap().0, train);
}

#[test]
fn groups_of_one_still_give_the_share() {
    let values: Vec<u32> = (0..40).collect();
    let classes = values.iter().map(u32::to_string).collect();
    let labels = vec![Labels { name: "id".into(), classes, values }];
    let data = Dataset::new(1, 1, vec![0; 40], labels, BTreeMap::new()).unwrap();
    assert_eq!(data.split(0.2, &["id"], 1).unwrap().1.len(), 8);
    assert_eq!(data.split(0.0, &[], 1).unwrap().1.len(), 0);
    assert_eq!(data.split(1.0, &[], 1).unwrap().0.len(), 0);
    assert!(matches!(data.split(f64::NAN, &[], 1), Err(DatasetError::Share { .. })));
}

#[test]
fn a_split_by_label_separates_its_classes() {
    let (train, test) = handwriting::digits().split_by("digit", &["3", "8"]).unwrap();
    assert_eq!(test.len(), 183 + 174);
    assert!(train.labels("digit").unwrap().values.iter().all(|digit| ![3, 8].contains(digit)));
    let error = handwriting::digits().split_by("loop", &["wide"]).unwrap_err().to_string();
    assert!(error.contains("no class `wide`: it has open, closed"), "{error}");
}

#[test]
fn labels_are_derived_class_by_class() {
    let parity: BTreeMap<String, String> =
        (0..10).map(|digit| (digit.to_string(), ["even", "odd"][digit % 2].to_string())).collect();
    let data = handwriting::digits().with_derived("digit", "parity", &parity).unwrap();
    let (digits, parities) = (data.labels("digit").unwrap(), data.labels("parity").unwrap());
    assert!(digits.values.iter().zip(&parities.values).all(|(digit, parity)| digit % 2 == *parity));
    let short = parity.into_iter().take(9).collect();
    assert!(matches!(handwriting::digits().with_derived("digit", "p", &short), Err(DatasetError::NoClass { .. })));
}

#[test]
fn classes_that_are_numbers_are_in_numerical_order() {
    let texts = |list: &[&str]| list.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    assert_eq!(Labels::from_texts("a", &texts(&["10", "9", "-1"])).classes, ["-1", "9", "10"]);
    let labels = Labels::from_texts("a", &texts(&["b", "10", "9", "b"]));
    assert_eq!((labels.classes, labels.values), (texts(&["10", "9", "b"]), vec![2, 0, 1, 2]));
}

#[test]
fn an_outlier_does_not_blur_the_rest() {
    let mut values: Vec<f32> = (0..5000).map(|item| item as f32 / 5000.0).collect();
    values[7] = 1e9;
    let (bytes, features) = Features::quantise(&values, 1, vec!["income".into()]);
    assert_eq!(bytes[7], 255);
    assert!((features.value(0, bytes[2500]) - 0.5).abs() < 1.0 / 500.0);
}

#[test]
fn features_survive_the_file_and_bad_ones_are_refused() {
    let features =
        Features { names: vec!["a".into(), "b".into()], low: vec![0.1, -3.0], step: vec![0.5, 2.0], sound: None };
    let plain = Dataset::new(1, 2, vec![1, 2, 3, 4], vec![], BTreeMap::new()).unwrap();
    let data = plain.clone().with_features(features.clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("features.safetensors");
    data.save(&path).unwrap();
    assert_eq!(Dataset::load(&path).unwrap(), data);
    assert_eq!(Dataset::load(&path).unwrap().features(), Some(&features));
    for bad in [
        Features { names: vec!["a".into()], ..features.clone() },
        Features { low: vec![0.0; 3], step: vec![1.0; 3], ..features.clone() },
        Features { low: vec![], step: vec![], ..features.clone() },
        Features { step: vec![1.0, 0.0], ..features.clone() },
        Features { low: vec![f32::NAN, 0.0], ..features.clone() },
    ] {
        assert!(matches!(plain.clone().with_features(bad), Err(DatasetError::Features { .. })));
    }
}

proptest! {
    #[test]
    fn a_quantised_value_is_within_half_a_step(values in proptest::collection::vec(-1e6f32..1e6, 30)) {
        let (bytes, features) = Features::quantise(&values, 3, vec![]);
        for (place, (&value, &byte)) in values.iter().zip(&bytes).enumerate() {
            let half = features.step[place % 3] / 2.0;
            prop_assert!((features.value(place % 3, byte) - value).abs() <= half * 1.001 + 0.1);
        }
    }
}
