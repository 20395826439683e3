//! The paper's convolutional adversary: a linear junction turns the outputs into a picture.

use super::neural::{Layers, train_in_batches};
use super::sample::Sample;
use crate::metrics::Scores;
use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;

/// Side of the picture; the paper's 28 costs more than ten times as much.
const SIDE: usize = 8;
const CHANNELS: [usize; 2] = [12, 24];
/// Passes over the rows; small sets are passed over more often.
const EPOCHS: usize = 4;
const LEAST_SEEN: usize = 60_000;
const PEAK_RATE: f64 = 3e-3;
/// Maximum number of training rows used: each costs as much as many rows of a plain network.
pub(super) const ROWS: usize = 60_000;

#[derive(Module, Debug)]
struct Network {
    junction: Layers,
    first: Conv2d,
    second: Conv2d,
    pool: MaxPool2d,
    head: Layers,
}

impl Network {
    fn new(width: usize, classes: usize, device: &Device, rng: &mut impl RngExt) -> Network {
        let convolution = |from: usize, to: usize, rng: &mut dyn FnMut() -> f64| {
            let mut layer = Conv2dConfig::new([from, to], [5, 5]).with_padding(PaddingConfig2d::Same).init(device);
            let scale = (2.0 / (25 * from) as f64).sqrt();
            let weights: Vec<f32> = (0..to * from * 25).map(|_| (rng() * scale) as f32).collect();
            let weights = Tensor::from_data(TensorData::new(weights, [to, from, 5, 5]), device);
            layer.weight = burn::module::Param::from_tensor(weights);
            layer.bias = Some(burn::module::Param::from_tensor(Tensor::zeros([to], device)));
            layer
        };
        let junction = Layers::new(&[width, SIDE * SIDE], device, rng);
        let mut normal = || super::linear_model::gaussian(rng);
        let first = convolution(1, CHANNELS[0], &mut normal);
        let second = convolution(CHANNELS[0], CHANNELS[1], &mut normal);
        let flat = CHANNELS[1] * (SIDE / 4) * (SIDE / 4);
        Network {
            junction,
            first,
            second,
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            head: Layers::new(&[flat, 64, classes], device, rng),
        }
    }

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        let picture = self.junction.forward(rows);
        let [n, _] = picture.dims();
        let x = picture.reshape([n, 1, SIDE, SIDE]);
        let x = self.pool.forward(relu(self.first.forward(x)));
        let x = self.pool.forward(relu(self.second.forward(x)));
        self.head.forward(x.flatten(1, 3))
    }
}

/// Log-probabilities of junction, two convolutions with pooling, and two layers.
pub(crate) fn attack(train: &Sample, test: &[f32], rng: &mut impl RngExt) -> Scores {
    let train = train.some(ROWS, rng);
    let (n, classes) = (train.len(), train.classes);
    let mut targets = vec![0.0; n * classes];
    for (row, &label) in targets.chunks_exact_mut(classes).zip(train.labels.iter()) {
        row[label as usize] = 1.0;
    }
    let epochs = EPOCHS.max((LEAST_SEEN / n.max(1)).min(20));
    let device = Device::flex().autodiff();
    let network = Network::new(train.width, classes, &device, rng);
    let tables = [(&*train.rows, train.width), (targets.as_slice(), classes)];
    let network = train_in_batches(network, tables, epochs, PEAK_RATE, rng, |network, rows, target| {
        let count = target.dims()[0] as f32;
        (log_softmax(network.forward(rows), 1) * target).sum().neg() / count
    });
    let network = network.valid();
    let device = Device::flex();
    let mut values = Vec::new();
    for chunk in test.chunks(512 * train.width) {
        let rows = TensorData::new(chunk.to_vec(), [chunk.len() / train.width, train.width]);
        values.extend(network.forward(Tensor::from_data(rows, &device)).into_data().iter::<f32>());
    }
    Scores { values, classes }
}
