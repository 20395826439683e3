//! Simulated adversaries: nets that read the collateral attribute from the outputs during training.
//!
//! They steer the paper's defence and nothing else. What they reach is no measure of what leaks.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, linear, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::head;
use super::initial::uniform_by_fan_in;
use super::parameters::{Leaves, Parameter, Parameters};

/// Side of the image that the junction of [`Adversary::Convolutional`] makes from the outputs.
const SIDE: usize = 28;

/// One family of simulated adversary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Adversary {
    /// A feed-forward net with these hidden widths.
    FeedForward(Vec<usize>),
    /// The paper's CNN: linear junction to 28×28, two 5×5 convolutions (20, 50) with pooling, 500 hidden.
    Convolutional,
}

impl Adversary {
    /// Fresh weights for `outputs` numbers read and `values` of the attribute.
    pub(crate) fn initial(&self, outputs: usize, values: usize, rng: &mut impl Rng) -> Parameters {
        match self {
            Adversary::FeedForward(hidden) => {
                let mut widths = vec![outputs];
                widths.extend(hidden);
                widths.push(values);
                head::initial("adversary", &widths, rng)
            }
            Adversary::Convolutional => convolutional(outputs, values, rng),
        }
    }

    /// Logits `[batch, values]`.
    pub(crate) fn forward(&self, leaves: &Leaves, q: Tensor<2>) -> Tensor<2> {
        match self {
            Adversary::FeedForward(_) => head::forward(leaves, q),
            Adversary::Convolutional => convolve(leaves, q),
        }
    }
}

fn convolutional(outputs: usize, values: usize, rng: &mut impl Rng) -> Parameters {
    let layers: [(&str, &[usize], usize); 5] = [
        ("junction", &[outputs, SIDE * SIDE], outputs),
        ("convolution.0", &[20, 1, 5, 5], 25),
        ("convolution.1", &[50, 20, 5, 5], 500),
        ("hidden", &[800, 500], 800),
        ("last", &[500, values], 500),
    ];
    let mut parameters = Vec::new();
    for (name, shape, fan_in) in layers {
        let units = if shape.len() == 4 { shape[0] } else { shape[1] };
        let weight = uniform_by_fan_in(shape.iter().product(), fan_in, rng);
        let bias = uniform_by_fan_in(units, fan_in, rng);
        parameters.push(Parameter::new(format!("{name}.weight"), shape, weight));
        parameters.push(Parameter::new(format!("{name}.bias"), &[units], bias));
    }
    Parameters(parameters)
}

fn convolve(leaves: &Leaves, q: Tensor<2>) -> Tensor<2> {
    let batch = q.dims()[0];
    let mut image = linear(q, leaves.get(0), Some(leaves.get(1))).reshape([batch, 1, SIDE, SIDE]);
    for layer in 1..3 {
        let (weight, bias) = (leaves.get(2 * layer), leaves.get(2 * layer + 1));
        let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        image = relu(conv2d(image, weight, Some(bias), options));
        image = max_pool2d(image, MaxPoolOptions::new([2, 2]));
    }
    let hidden = relu(linear(image.reshape([batch, 800]), leaves.get(6), Some(leaves.get(7))));
    linear(hidden, leaves.get(8), Some(leaves.get(9)))
}
