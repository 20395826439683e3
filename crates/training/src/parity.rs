//! Losses, gradients and optimiser steps against PyTorch's (`tests/vectors/parity.py` made the values).

use burn::tensor::{Device, Tensor};
use serde_json::Value;

use crate::defences::loss::discrepancy::{Layout, Matched, Measure, matching};
use crate::float::adversary::Adversary;
use crate::float::head;
use crate::float::parameters::{Trained, matrix, to_host};
use crate::float::private;
use crate::train::optimiser::Optimiser;
use model::{Parameter, Parameters};

fn stored() -> Value {
    serde_json::from_str(include_str!("../tests/vectors/parity.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|entry| entry.as_f64().unwrap()).collect()
}

fn pattern(seed: f64, count: usize, scale: f64) -> Vec<f32> {
    (0..count).map(|i| (scale * (seed + 0.7 * i as f64).sin()) as f32).collect()
}

fn parameter(name: &str, shape: &[usize], seed: f64, scale: f64) -> Parameter {
    Parameter::new(name, shape, pattern(seed, shape.iter().product(), scale))
}

fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-3_f64, |size, value| size.max(value.abs()));
    for (i, (&found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(found) - expected).abs() < tolerance * size, "{what}[{i}]: {found} against {expected}");
    }
}

#[test]
fn private_part_and_head() {
    let device = Device::flex().autodiff();
    let (batch, features, units, outputs, hidden, classes) = (6, 5, 4, 3, 7, 4);
    let inputs = pattern(1.0, batch * features, 1.0);
    let x: Vec<f32> = inputs.chunks(features).flat_map(|row| [&[1.0], row].concat()).collect();
    for case in stored()["networks"].as_array().unwrap() {
        let mut weights = vec![parameter("left", &[1 + features, units], 2.0, 0.6)];
        if case["kind"] == "bilinear" {
            weights.push(parameter("right", &[1 + features, units], 3.0, 0.6));
        }
        weights.push(parameter("combine", &[units, outputs], 4.0, 0.8));
        let private = Parameters(weights);
        let public = Parameters(vec![
            parameter("head.0.weight", &[outputs, hidden], 5.0, 1.0),
            parameter("head.0.bias", &[hidden], 6.0, 1.0),
            parameter("head.1.weight", &[hidden, classes], 7.0, 1.0),
            parameter("head.1.bias", &[classes], 8.0, 1.0),
        ]);
        let (bound, bound_head) = (private.bind(&device, true), public.bind(&device, true));
        let mut q = private::forward(&bound, matrix(x.clone(), batch, 1 + features, &device), None);
        if case["normalised"] == true {
            q = private::normalise(q);
        }
        assert_close(&to_host(q.clone()), &numbers(&case["q"]), 1e-5, "q");
        let targets = head::one_hot(&[0, 1, 2, 3, 1, 2], classes, None, &device);
        let loss = head::cross_entropy(head::forward(&bound_head, q), targets);
        assert_close(&to_host(loss.clone()), &[case["loss"].as_f64().unwrap()], 1e-5, "loss");
        let mut gradients = loss.backward();
        for (parameters, leaves) in [(private, bound), (public, bound_head)] {
            for (parameter, gradient) in parameters.0.iter().zip(leaves.gradients(&mut gradients)) {
                let what = format!("gradient of {} ({})", parameter.name, case["kind"]);
                assert_close(&gradient, &numbers(&case["gradients"][&parameter.name]), 1e-4, &what);
            }
        }
    }
}

#[test]
fn convolutional_adversary() {
    let device = Device::flex().autodiff();
    let case = &stored()["convolutional"];
    let layers: [(&str, &[usize]); 5] = [
        ("junction", &[4, 784]),
        ("convolution.0", &[20, 1, 5, 5]),
        ("convolution.1", &[50, 20, 5, 5]),
        ("hidden", &[800, 500]),
        ("last", &[500, 2]),
    ];
    let mut weights = Vec::new();
    for (index, (name, shape)) in layers.iter().enumerate() {
        let units = if shape.len() == 4 { shape[0] } else { shape[1] };
        weights.push(parameter(&format!("{name}.weight"), shape, index as f64, 0.1));
        weights.push(parameter(&format!("{name}.bias"), &[units], (index + 10) as f64, 0.1));
    }
    let weights = Parameters(weights);
    let leaves = weights.bind(&device, true);
    let q: Tensor<2> = matrix(pattern(20.0, 12, 1.0), 3, 4, &device).require_grad();
    let logits = Adversary::Convolutional.forward(&leaves, q.clone());
    assert_close(&to_host(logits.clone()), &numbers(&case["logits"]), 1e-4, "logits");
    let loss = head::cross_entropy(logits, head::one_hot(&[0, 1, 1], 2, None, &device));
    let mut gradients = loss.backward();
    assert_close(&to_host(q.grad(&gradients).unwrap()), &numbers(&case["input"]), 1e-3, "input");
    for (parameter, gradient) in weights.0.iter().zip(leaves.gradients(&mut gradients)) {
        let probe = pattern(30.0, gradient.len(), 1.0);
        let sum: f64 = gradient.iter().map(|&g| f64::from(g)).sum();
        let product: f64 = gradient.iter().zip(probe).map(|(&g, p)| f64::from(g) * f64::from(p)).sum();
        let expected = numbers(&case["gradients"][&parameter.name]);
        assert_close(&[sum as f32, product as f32], &expected, 2e-3, &parameter.name);
    }
}

#[test]
fn matching_losses() {
    for case in stored()["matching"].as_array().unwrap() {
        let values = case["values"].as_u64().unwrap() as usize;
        let paired = case["paired"] == true;
        let whiten = case["whiten"] == true;
        let items = case["items"].as_u64().unwrap() as usize;
        let q = pattern(40.0, 2 * values * items * 3, 1.3);
        let layout = Layout { cells: &[values, values], items, paired };
        let (matched, gradient) =
            matching(&q, 3, layout, Measure { scales: 4, pairing: 0.3, whiten, floor: 0.0, discriminant: None }, 1.0);
        let what = format!("{values} values, paired {paired}, whitened {whiten}");
        let mean = |part: fn(&Matched) -> f64| matched.iter().map(part).sum::<f64>() / matched.len() as f64;
        let mmd = mean(|class| class.mmd);
        assert!((mmd - case["mmd"].as_f64().unwrap()).abs() < 1e-5, "mmd, {what}: {mmd}");
        if paired {
            let pairing = mean(|class| class.pairing);
            assert!((pairing - case["pairing"].as_f64().unwrap()).abs() < 1e-5, "pairing, {what}");
        }
        assert_close(&gradient, &numbers(&case["gradient"]), 1e-4, &what);
    }
}

#[test]
fn optimisers() {
    let vectors = stored();
    let start = Parameters(vec![parameter("weight", &[6], 50.0, 1.0)]);
    for (name, mut optimiser) in [("sgd", Optimiser::sgd(&start, 0.5)), ("adam", Optimiser::adam(&start))] {
        let mut weights = start.clone();
        for (step, expected) in vectors["optimisers"][name].as_array().unwrap().iter().enumerate() {
            let shift = pattern(60.0 + step as f64, 6, 1.0);
            let gradient = weights.0[0].values.iter().zip(shift).map(|(w, s)| w * w + s).collect();
            optimiser.step(&mut weights, &[gradient], 0.1);
            assert_close(&weights.0[0].values, &numbers(expected), 1e-5, name);
        }
    }
}
