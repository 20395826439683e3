//! Simulated adversaries: nets that predict the collateral attribute from the outputs during training.
//!
//! They drive the paper's defence and nothing else. Their accuracy is no measure of what leaks.

use burn::tensor::activation::relu;
use burn::tensor::module::linear;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::head;
use super::initial::uniform_by_fan_in;
use super::parameters::Leaves;
use model::{Parameter, Parameters};

/// Side of the image that the junction of [`Adversary::Convolutional`] computes from the outputs.
const SIDE: usize = 28;
/// Side of the filters.
const KERNEL: usize = 5;
/// Filters of the first and of the second convolution.
const FIRST: usize = 20;
const SECOND: usize = 50;
/// Side of the pictures after the first convolution.
const WIDE: usize = SIDE - KERNEL + 1;
/// Side of the pictures after the second convolution.
const SEEN: usize = POOLED - KERNEL + 1;
/// Sides of the pictures after the first and after the second pooling.
const POOLED: usize = WIDE / 2;
const LAST: usize = SEEN / 2;
/// Numbers after the second pooling.
const FLAT: usize = SECOND * LAST * LAST;

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
    /// Initial weights for `outputs` numbers and `values` of the attribute.
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
        ("convolution.0", &[FIRST, 1, KERNEL, KERNEL], KERNEL * KERNEL),
        ("convolution.1", &[SECOND, FIRST, KERNEL, KERNEL], FIRST * KERNEL * KERNEL),
        ("hidden", &[FLAT, 500], FLAT),
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

/// The layers as matrix products on columns of items, several times faster than convolutions of small batches.
///
/// Pooling takes the largest of four such products, one for each place within the 2×2 window.
fn convolve(leaves: &Leaves, q: Tensor<2>) -> Tensor<2> {
    let batch = q.dims()[0];
    let (device, q) = (leaves.device(), q.transpose());
    let (weight, bias) = first_convolution(leaves, &device);
    let image = pooled(|down, right| {
        let places = places(down, right, &device);
        weight.clone().select(0, places.clone()).matmul(q.clone()) + bias.clone().select(0, places)
    });
    let weight = leaves.get::<4>(4).reshape([SECOND, FIRST * KERNEL * KERNEL]);
    let bias = leaves.get::<1>(5).reshape([SECOND, 1]);
    let image = pooled(|down, right| {
        let patches =
            image.clone().select(0, patches(FIRST, POOLED, LAST, |i, j| (2 * i + down, 2 * j + right), &device));
        weight.clone().matmul(patches.reshape([FIRST * KERNEL * KERNEL, LAST * LAST * batch])) + bias.clone()
    });
    let flat = image.reshape([FLAT, batch]).transpose();
    let hidden = relu(linear(flat, leaves.get(6), Some(leaves.get(7))));
    linear(hidden, leaves.get(8), Some(leaves.get(9)))
}

/// The first convolution after the junction: a matrix `[20·24·24, S]` and its bias `[20·24·24, 1]`.
///
/// A convolution is linear, so it is applied to the S + 1 pictures that the junction adds up (its rows and its bias)
/// instead of to the picture of every item.
fn first_convolution(leaves: &Leaves, device: &Device) -> (Tensor<2>, Tensor<2>) {
    let weight = leaves.get::<2>(0);
    let outputs = weight.dims()[0];
    let pictures = Tensor::cat(vec![weight.transpose(), leaves.get::<1>(1).reshape([SIDE * SIDE, 1])], 1);
    let size = FIRST * WIDE * WIDE;
    let patches = pictures.select(0, patches(1, SIDE, WIDE, |y, x| (y, x), device));
    let filters = leaves.get::<4>(2).reshape([FIRST, KERNEL * KERNEL]);
    let seen = filters.matmul(patches.reshape([KERNEL * KERNEL, WIDE * WIDE * (outputs + 1)]));
    let bias = leaves.get::<1>(3).reshape([FIRST, 1]);
    let seen = seen.reshape([size, outputs + 1]);
    let bias = seen.clone().slice([0..size, outputs..outputs + 1]).reshape([FIRST, WIDE * WIDE]) + bias;
    (seen.slice([0..size, 0..outputs]), bias.reshape([size, 1]))
}

/// ReLU of the largest over a 2×2 window, given its four places.
fn pooled(place: impl Fn(usize, usize) -> Tensor<2>) -> Tensor<2> {
    relu(place(0, 0).max_pair(place(0, 1)).max_pair(place(1, 0).max_pair(place(1, 1))))
}

/// The pixels `(2y + down, 2x + right)` of the pictures before the first pooling.
fn places(down: usize, right: usize, device: &Device) -> Tensor<1, Int> {
    let pixel = move |channel, y, x| (channel * WIDE + 2 * y + down) * WIDE + 2 * x + right;
    indices((0..FIRST).flat_map(|channel| square(POOLED).map(move |(y, x)| pixel(channel, y, x))), device)
}

/// For every weight of one filter over pictures of the given side, the pixels that it meets at the given places.
fn patches(
    channels: usize,
    side: usize,
    places: usize,
    place: impl Fn(usize, usize) -> (usize, usize),
    device: &Device,
) -> Tensor<1, Int> {
    let mut rows = Vec::with_capacity(channels * KERNEL * KERNEL * places * places);
    for channel in 0..channels {
        for (y, x) in square(KERNEL) {
            let meets = |(down, right)| (channel * side + y + down) * side + x + right;
            rows.extend(square(places).map(|(i, j)| meets(place(i, j))));
        }
    }
    indices(rows, device)
}

fn square(side: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..side).flat_map(move |y| (0..side).map(move |x| (y, x)))
}

fn indices(rows: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let rows: Vec<i32> = rows.into_iter().map(|row| row as i32).collect();
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::head::{cross_entropy, one_hot};
    use crate::float::parameters::{Trained, to_host};
    use burn::tensor::module::{conv2d, max_pool2d};
    use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// As the paper draws it, layer by layer.
    fn layer_by_layer(leaves: &Leaves, q: Tensor<2>) -> Tensor<2> {
        let batch = q.dims()[0];
        let mut image = linear(q, leaves.get(0), Some(leaves.get(1))).reshape([batch, 1, SIDE, SIDE]);
        for layer in 1..3 {
            let (weight, bias) = (leaves.get(2 * layer), leaves.get(2 * layer + 1));
            image = relu(conv2d(image, weight, Some(bias), ConvOptions::new([1, 1], [0, 0], [1, 1], 1)));
            image = max_pool2d(image, MaxPoolOptions::new([2, 2]));
        }
        let hidden = relu(linear(image.reshape([batch, FLAT]), leaves.get(6), Some(leaves.get(7))));
        linear(hidden, leaves.get(8), Some(leaves.get(9)))
    }

    #[test]
    fn matrix_products_are_the_convolutions() {
        let device = Device::flex().autodiff();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (batch, outputs) = (7, 4);
        let parameters = Adversary::Convolutional.initial(outputs, 2, &mut rng);
        let values = crate::float::initial::normal(batch * outputs, 1.0, &mut rng);
        let target = one_hot(&[0, 1, 1, 0, 1, 0, 0], 2, None, &device);
        let both = [convolve, layer_by_layer].map(|forward| {
            let leaves = parameters.bind(&device, true);
            let q = Tensor::<2>::from_data(TensorData::new(values.clone(), [batch, outputs]), &device).require_grad();
            let logits = forward(&leaves, q.clone());
            let mut gradients = cross_entropy(logits.clone(), target.clone()).backward();
            let mut all = leaves.gradients(&mut gradients);
            all.push(to_host(q.grad(&gradients).unwrap()));
            all.push(to_host(logits.detach()));
            all
        });
        for (position, (fast, slow)) in both[0].iter().zip(&both[1]).enumerate() {
            let scale = slow.iter().fold(0.0f32, |most, value| most.max(value.abs()));
            assert!(scale > 0.0);
            for (a, b) in fast.iter().zip(slow) {
                assert!((a - b).abs() <= 1e-4 * scale, "{position}: {a} is not {b}");
            }
        }
    }
}
