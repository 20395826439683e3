//! Networks that were trained elsewhere.

use std::collections::BTreeMap;

use dataset::{Dataset, Labels};
use encoder::Encoder;
use training::{Affine, Network, NetworkParts, PartsError, UnitKind, best_scale};

fn affine(inputs: usize, weight: &[f32], bias: &[f32]) -> Affine {
    Affine { inputs, weight: weight.to_vec(), bias: bias.to_vec() }
}

/// Pixels x, y; the class says which is larger.
fn data() -> Dataset {
    let pixels: Vec<u8> = (0..40_u8).flat_map(|item| [item * 6, 255 - item * 6]).collect();
    let values = pixels.chunks_exact(2).map(|pair| u32::from(pair[0] > pair[1])).collect();
    let classes = vec!["y".to_owned(), "x".to_owned()];
    Dataset::new(1, 2, pixels, vec![Labels { name: "larger".into(), classes, values }], BTreeMap::new()).unwrap()
}

/// Units (x − y)·1 and (x + y)²; outputs themselves; logits ±(x − y) / 2.
fn parts() -> NetworkParts {
    NetworkParts {
        left: affine(2, &[1.0, -1.0, 1.0, 1.0], &[0.0, 0.0]),
        right: Some(affine(2, &[0.0, 0.0, 1.0, 1.0], &[1.0, 0.0])),
        combine: affine(2, &[1.0, 0.0, 0.0, 1.0], &[0.25, 0.0]),
        head: vec![affine(2, &[-0.5, 0.0, 0.5, 0.0], &[0.125, -0.125])],
        encoder: Encoder::pixels(1, 2, 8).unwrap(),
        main: "larger".into(),
        collateral: vec![],
        source: "by hand".into(),
    }
}

#[test]
fn parts_compute_what_they_say() {
    let data = data();
    let network = Network::from_parts(parts(), &data).unwrap();
    assert_eq!((network.kind(), network.units(), network.width()), (UnitKind::Bilinear, 2, 2));
    assert_eq!(network.accuracy(&data).unwrap(), 100.0);
    assert_eq!(network.record().accuracy, 100.0);
    assert_eq!(network.record().data["generator"], "by hand");
    let outputs = network.outputs(&data).unwrap();
    for (item, output) in outputs.chunks_exact(2).enumerate() {
        let [x, y] = [0, 1].map(|place| f32::from(data.image(item)[place]) / 255.0);
        assert!((output[0] - (x - y)).abs() < 1e-5 && (output[1] - (x + y).powi(2)).abs() < 1e-5);
    }
    // The bias of D is in the head: logits are ∓(x − y + 0.25) / 2 ± 0.125.
    let probabilities = network.probabilities(&outputs);
    let logit = (probabilities[1] / probabilities[0]).ln();
    assert!((logit - outputs[0]).abs() < 1e-5, "{logit} {}", outputs[0]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    network.save(&path).unwrap();
    assert_eq!(Network::load(&path).unwrap(), network);
}

#[test]
fn squares_and_no_head_will_do() {
    let mut given = parts();
    given.right = None;
    given.head.clear();
    let network = Network::from_parts(given, &data()).unwrap();
    assert_eq!((network.kind(), network.record().options.head.len()), (UnitKind::Squares, 0));
}

#[test]
fn what_does_not_fit_is_named() {
    type Change = fn(&mut NetworkParts);
    let cases: [(Change, &str); 9] = [
        (|given| given.left.inputs = 3, "layer `left` has 3 inputs, and needs 2"),
        (|given| given.left.weight.truncate(3), "layer `left` has 3 weights, and needs 4"),
        (|given| given.right = Some(affine(2, &[0.0; 2], &[0.0])), "layer `right` has 1 outputs, and needs 2"),
        (|given| given.combine = affine(3, &[0.0; 6], &[0.0; 2]), "layer `combine` has 3 inputs, and needs 2"),
        (|given| given.combine = affine(2, &[], &[]), "layer `combine` has 0 outputs, and needs 1"),
        (|given| given.head.push(affine(5, &[0.0; 10], &[0.0; 2])), "layer `head.1` has 5 inputs, and needs 2"),
        (|given| given.head[0].bias[1] = f32::NAN, "layer `head.0` has a weight that is not a finite number"),
        (
            |given| given.head = vec![affine(2, &[0.0; 6], &[0.0; 3])],
            "the head gives 3 logits and label `larger` has 2",
        ),
        (|given| given.main = "colour".into(), "colour"),
    ];
    for (change, message) in cases {
        let mut given = parts();
        change(&mut given);
        let error: PartsError = Network::from_parts(given, &data()).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn scales_of_nothing_are_one() {
    assert_eq!(best_scale(&[0.0, 0.0], &[1.0, 1.0], 7), 1.0);
    assert_eq!(best_scale(&[f32::INFINITY], &[1.0], 7), 1.0);
    assert_eq!(best_scale(&[3.0, -6.0], &[1.0, 1.0], 2), 3.0);
}
