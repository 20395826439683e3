//! Feed-forward networks, trained with burn on the CPU.

use super::linear_model::gaussian;
use super::sample::Sample;
use crate::metrics::Scores;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand::seq::SliceRandom;

const BATCH: usize = 256;
const PEAK_RATE: f64 = 4e-3;
/// Small sets are passed over more often: at least this many rows in all, in at most [`MOST_EPOCHS`].
const LEAST_SEEN: usize = 60_000;
const MOST_EPOCHS: usize = 50;

/// ReLU layers of the given widths, then a linear layer.
#[derive(Module, Debug)]
pub(crate) struct Layers {
    layers: Vec<Linear>,
}

impl Layers {
    /// He initialisation from `rng`, so that it depends on the seed and not on state shared by threads.
    pub fn new(widths: &[usize], device: &Device, rng: &mut impl RngExt) -> Layers {
        let layers = widths.windows(2).map(|pair| {
            let [from, to] = [pair[0], pair[1]];
            let scale = (2.0 / from as f64).sqrt();
            let weights: Vec<f32> = (0..from * to).map(|_| (gaussian(rng) * scale) as f32).collect();
            let weight = Tensor::from_data(TensorData::new(weights, [from, to]), device);
            let bias = Tensor::zeros([to], device);
            Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
        });
        Layers { layers: layers.collect() }
    }

    /// From rows to the values of the last layer.
    pub fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        let mut x = rows;
        for (i, layer) in self.layers.iter().enumerate() {
            x = if i == 0 { x } else { relu(x) };
            x = layer.forward(x);
        }
        x
    }
}

/// Log-probabilities of a network with the given hidden widths, trained on cross-entropy with Adam for at least
/// `epochs` passes, batches of 256, and a rate that falls from 0.004 to 0 along a cosine.
pub(crate) fn attack(train: &Sample, test: &[f32], hidden: &[usize], epochs: usize, rng: &mut impl RngExt) -> Scores {
    let mut widths = vec![train.width];
    widths.extend(hidden);
    widths.push(train.classes);
    let mut targets = vec![0.0; train.len() * train.classes];
    for (row, &label) in targets.chunks_exact_mut(train.classes).zip(train.labels.iter()) {
        row[label as usize] = 1.0;
    }
    let epochs = epochs.max((LEAST_SEEN / train.len().max(1)).min(MOST_EPOCHS));
    let layers = fit(&widths, &train.rows, &targets, epochs, rng, |out, target| {
        let rows = target.dims()[0] as f32;
        (log_softmax(out, 1) * target).sum().neg() / rows
    });
    let scores = predict(&layers, test, train.width);
    Scores { values: scores, classes: train.classes }
}

/// Trains from rows to targets (both row-major) on the given loss; returns the network for [`predict`].
pub(crate) fn fit(
    widths: &[usize],
    rows: &[f32],
    targets: &[f32],
    epochs: usize,
    rng: &mut impl RngExt,
    loss: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<1>,
) -> Layers {
    let device = Device::flex().autodiff();
    let layers = Layers::new(widths, &device, rng);
    let tables = [(rows, widths[0]), (targets, widths[widths.len() - 1])];
    train_in_batches(layers, tables, epochs, PEAK_RATE, rng, |layers, rows, target| loss(layers.forward(rows), target))
}

/// Adam over shuffled batches of rows and targets, each table with its width; the rate falls from
/// `peak` to 0 along a cosine.
pub(crate) fn train_in_batches<M: Module>(
    mut network: M,
    tables: [(&[f32], usize); 2],
    epochs: usize,
    peak: f64,
    rng: &mut impl RngExt,
    loss: impl Fn(&M, Tensor<2>, Tensor<2>) -> Tensor<1>,
) -> M {
    let device = Device::flex().autodiff();
    let mut optimiser = AdamConfig::new().init();
    let [(rows, width), _] = tables;
    let mut order: Vec<usize> = (0..rows.len() / width).collect();
    let steps = (epochs * order.len().div_ceil(BATCH)).max(1) as f64;
    let mut step = 0.0;
    for _ in 0..epochs {
        order.shuffle(rng);
        for batch in order.chunks(BATCH) {
            let [rows, targets] = tables.map(|(values, width)| {
                let picked = batch.iter().flat_map(|&i| &values[i * width..(i + 1) * width]);
                let data = TensorData::new(picked.copied().collect::<Vec<f32>>(), [batch.len(), width]);
                Tensor::<2>::from_data(data, &device)
            });
            let gradients = loss(&network, rows, targets).backward();
            let gradients = GradientsParams::from_grads(gradients, &network);
            let rate = peak * 0.5 * (1.0 + (std::f64::consts::PI * step / steps).cos());
            network = optimiser.step(rate, network, gradients);
            step += 1.0;
        }
    }
    network
}

/// Values of the last layer for every row.
pub(crate) fn predict(layers: &Layers, rows: &[f32], width: usize) -> Vec<f32> {
    let device = Device::flex();
    let layers = layers.clone().valid();
    let mut out = Vec::new();
    for chunk in rows.chunks(4096 * width) {
        let data = TensorData::new(chunk.to_vec(), [chunk.len() / width, width]);
        let values = layers.forward(Tensor::from_data(data, &device));
        out.extend(values.into_data().iter::<f32>());
    }
    out
}
