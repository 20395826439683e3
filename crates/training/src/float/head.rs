//! Feed-forward nets in the clear: the public head and the weak simulated adversary.
//!
//! `width₀ → ReLU → … → classes`, without activation on the input (a ReLU there would hide negative outputs from the
//! net) or on the logits.

use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::initial::uniform_by_fan_in;
use super::parameters::{Leaves, matrix};
use model::{Parameter, Parameters};

/// Initial weights for the given widths, including input and classes; weights are `[in, out]`.
pub(crate) fn initial(prefix: &str, widths: &[usize], rng: &mut impl Rng) -> Parameters {
    let mut parameters = Vec::new();
    for (layer, pair) in widths.windows(2).enumerate() {
        let (input, output) = (pair[0], pair[1]);
        let weight = uniform_by_fan_in(input * output, input, rng);
        let bias = uniform_by_fan_in(output, input, rng);
        parameters.push(Parameter::new(format!("{prefix}.{layer}.weight"), &[input, output], weight));
        parameters.push(Parameter::new(format!("{prefix}.{layer}.bias"), &[output], bias));
    }
    Parameters(parameters)
}

/// Logits `[batch, classes]`.
pub(crate) fn forward(leaves: &Leaves, mut x: Tensor<2>) -> Tensor<2> {
    let layers = leaves.len() / 2;
    for layer in 0..layers {
        x = linear(x, leaves.get(2 * layer), Some(leaves.get(2 * layer + 1)));
        if layer + 1 < layers {
            x = relu(x);
        }
    }
    x
}

/// `targets` for [`cross_entropy`]: row `i` has `weights[i]` (1 if none) at column `labels[i]`.
pub(crate) fn one_hot(labels: &[u32], classes: usize, weights: Option<&[f32]>, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0; labels.len() * classes];
    for (row, &label) in labels.iter().enumerate() {
        values[row * classes + label as usize] = weights.map_or(1.0, |weights| weights[row]);
    }
    matrix(values, labels.len(), classes, device)
}

/// `−mean over rows of Σ_c targets·log softmax(logits)`, a tensor of one element.
pub(crate) fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let rows = logits.dims()[0] as f64;
    (log_softmax(logits, 1) * targets).sum() * (-1.0 / rows)
}
