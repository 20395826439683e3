//! One loss for private part and head: cross-entropy plus the penalty of the defence.

use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::batches::Strata;
use crate::defences::Penalty;
use crate::defences::loss::Noise;
use crate::defences::loss::discrepancy::{Discriminant, Layout};
use crate::features::Features;
use crate::float::initial::normal;
use crate::float::parameters::{Leaves, Trained, matrix, to_host};
use crate::float::{head, private};
use model::Parameters;

/// The inputs and labels of one batch.
pub(crate) struct Batch<'a> {
    pub features: &'a Features,
    pub items: &'a [u32],
    pub labels: Vec<u32>,
    /// Added to the normalised outputs before the head reads them, but not before they are matched.
    pub noise: Option<Vec<f32>>,
}

/// The noise of one step, a function of seed and step alone.
pub(crate) fn noise(deviation: f32, count: usize, seed: u64, step: usize) -> Option<Vec<f32>> {
    (deviation > 0.0).then(|| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ NOISE);
        rng.set_stream(step as u64);
        normal(count, deviation, &mut rng)
    })
}

/// Separates the noise from the initial weights, which depend on the same seed.
const NOISE: u64 = 0x006e_6f69_7365;

/// Everything that does not change from batch to batch.
pub(crate) struct Objective<'a> {
    pub device: &'a Device,
    pub classes: usize,
    pub normalise: bool,
    pub strata: Option<&'a Strata>,
    /// The loss on the outputs of stratified batches.
    pub penalty: Option<&'a dyn Penalty>,
    /// The noise that owners will add, which the penalty may rely on.
    pub owners: Noise,
    /// The discriminant ratio, if it is added to the penalty.
    pub discriminant: Option<Discriminant>,
    /// The weight of every main class in the penalty, in addition to its own; all 1 if none.
    pub tilted: Option<Vec<f32>>,
}

/// The loss of a batch and its gradients.
pub(crate) struct Descent {
    /// Cross-entropy of the head.
    pub loss: f32,
    /// Value of the penalty for every main class, none without weight.
    pub leaks: Vec<f64>,
    /// With respect to the private part, then to the head.
    pub gradients: [Vec<Vec<f32>>; 2],
}

/// Items that go through the private part together, in one thread: few enough for a cache.
const TOGETHER: usize = 2000;

impl Descent {
    /// The penalty's mean over main classes.
    pub(crate) fn penalty(&self) -> f64 {
        self.leaks.iter().sum::<f64>() / self.leaks.len().max(1) as f64
    }
}

impl Objective<'_> {
    /// Losses and gradients with weight `weight` on the penalty.
    ///
    /// The slow part, the private part, runs in parallel over pieces of the batch. Normalisation and the penalty need
    /// the whole batch; they see only its outputs, and pass the gradient with respect to them back to the pieces.
    pub(crate) fn descend(&self, private: &Parameters, head: &Parameters, batch: Batch, weight: f32) -> Descent {
        let met = batch.features.met();
        let weights = met.map_or_else(|| private.clone(), |met| private.rows(met));
        let parts: Vec<Part> =
            batch.items.par_chunks(TOGETHER).map(|items| self.outputs(&weights, batch.features, items)).collect();
        let q: Vec<f32> = parts.iter().flat_map(|part| to_host(part.q.clone().detach())).collect();
        let batch_rows = batch.items.len();
        let HeadGradients { loss, leaks, by_outputs, by_head } = self.head_gradients(&q, head, batch, weight);
        let width = q.len() / batch_rows;
        let gradients = parts.into_par_iter().zip(by_outputs.par_chunks(TOGETHER * width)).map(|(part, upstream)| {
            let upstream = matrix(upstream.to_vec(), upstream.len() / width, width, self.device);
            part.leaves.gradients(&mut (part.q * upstream).sum().backward())
        });
        let mut of_private: Vec<Vec<f32>> = weights.0.iter().map(|weight| vec![0.0; weight.values.len()]).collect();
        for gradients in gradients.collect::<Vec<_>>() {
            for (sum, gradient) in of_private.iter_mut().zip(gradients) {
                sum.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
            }
        }
        if let Some(met) = met {
            private.spread_rows(met, &mut of_private);
        }
        Descent { loss, leaks, gradients: [of_private, by_head] }
    }

    /// The private part on some items.
    fn outputs(&self, weights: &Parameters, features: &Features, items: &[u32]) -> Part {
        let leaves = weights.bind(self.device, true);
        let tensor = |rows: Vec<f32>| {
            let columns = rows.len() / items.len();
            matrix(rows, items.len(), columns, self.device)
        };
        let x = features.batch(items);
        let narrow = features.narrow(&x).map(tensor);
        let q = private::forward(&leaves, tensor(x), narrow);
        Part { leaves, q }
    }

    /// Losses and gradients of everything after the outputs `q` of the whole batch.
    fn head_gradients(&self, q: &[f32], head: &Parameters, batch: Batch, weight: f32) -> HeadGradients {
        let rows = batch.labels.len();
        let outputs = q.len() / rows;
        let head = head.bind(self.device, true);
        let raw = matrix(q.to_vec(), rows, outputs, self.device).require_grad();
        let q = if self.normalise { private::normalise(raw.clone()) } else { raw.clone() };
        let weights = self.strata.map(|strata| &strata.weights[..]);
        let targets = head::one_hot(&batch.labels, self.classes, weights, self.device);
        let seen = match batch.noise {
            Some(noise) => q.clone() + matrix(noise, rows, outputs, self.device),
            None => q.clone(),
        };
        let entropy = head::cross_entropy(head::forward(&head, seen), targets);
        let loss = to_host(entropy.clone().detach())[0];
        let (total, leaks) = match self.strata.zip(self.penalty).filter(|_| weight > 0.0) {
            None => (entropy, Vec::new()),
            Some((strata, penalty)) => {
                let values = to_host(q.clone().detach());
                let layout = Layout { cells: &strata.shape, items: strata.items, paired: strata.paired };
                let (leaks, mut gradient) =
                    penalty.descend(&values, outputs, layout, weight, self.owners, self.discriminant);
                self.tilt(&mut gradient, layout, outputs);
                // A loss whose gradient with respect to q is `gradient`: locally the same as the penalty.
                let penalty = (q * matrix(gradient, rows, outputs, self.device)).sum();
                (entropy + penalty, leaks)
            }
        };
        let mut gradients = total.backward();
        let by_outputs = raw.grad_remove(&mut gradients).map_or_else(|| vec![0.0; rows * outputs], to_host);
        HeadGradients { loss, leaks, by_outputs, by_head: head.gradients(&mut gradients) }
    }

    /// Scales the gradient of the penalty, in the rows of every class.
    fn tilt(&self, gradient: &mut [f32], layout: Layout, outputs: usize) {
        let Some(weights) = &self.tilted else { return };
        let mut rest = gradient;
        for (weight, cells) in weights.iter().zip(layout.cells) {
            let (rows, after) = rest.split_at_mut(cells * layout.items * outputs);
            rows.iter_mut().for_each(|value| *value *= weight);
            rest = after;
        }
    }
}

/// Losses of a batch and their gradients, back to the outputs.
struct HeadGradients {
    loss: f32,
    leaks: Vec<f64>,
    by_outputs: Vec<f32>,
    by_head: Vec<Vec<f32>>,
}

/// A piece of a batch that has passed the private part.
struct Part {
    leaves: Leaves,
    q: Tensor<2>,
}

#[cfg(test)]
mod tests {
    use dataset::Dataset;
    use encoder::{Encoder, EncoderOptions};

    use super::*;
    use crate::float::parameters::Trained;
    use model::Parameter;

    const PIXELS: usize = 6;

    /// Images whose corner pixels are lit in the first one only, and too faintly for a level of 2 bits.
    fn data(items: usize) -> Dataset {
        let pixel = |item: usize, place: usize| match place {
            0 | 5 => u8::from(item == 0),
            _ => (item * 37 + place * 101 % 251) as u8,
        };
        let images = (0..items).flat_map(|item| (0..PIXELS).map(move |place| pixel(item, place))).collect();
        Dataset::new(2, 3, images, vec![], Default::default()).unwrap()
    }

    fn part(name: &str, shape: [usize; 2]) -> Parameter {
        let values = (0..shape[0] * shape[1]).map(|i| 0.4 * (i as f32 * 0.7 + shape[0] as f32).sin()).collect();
        Parameter::new(name, &shape, values)
    }

    #[test]
    fn a_tilt_scales_the_rows_of_every_class() {
        let device = Device::flex();
        let objective = |tilted| Objective {
            device: &device,
            classes: 2,
            normalise: true,
            strata: None,
            penalty: None,
            owners: Noise::default(),
            discriminant: None,
            tilted,
        };
        let layout = Layout { cells: &[1, 2], items: 2, paired: false };
        let mut gradient = vec![1.0; 12];
        objective(Some(vec![0.5, 3.0])).tilt(&mut gradient, layout, 2);
        assert_eq!(gradient, [[0.5; 4].as_slice(), &[3.0; 8]].concat());
        objective(None).tilt(&mut gradient, layout, 2);
        assert_eq!(gradient[4..], [3.0; 8]);
    }

    /// Pieces of a batch without dark columns against the whole batch with all columns.
    #[test]
    fn parts_and_lit_columns_have_the_gradient_of_the_whole() {
        let (items, classes, units, outputs) = (2 * TOGETHER + 7, 3, 4, 2);
        let data = data(items);
        let device = Device::flex().autodiff();
        for right in [None, Some(3)] {
            let options = EncoderOptions { bits: 2, right, ..EncoderOptions::default() };
            let encoder = Encoder::fit(&data, &options).unwrap();
            let columns = encoder.inputs();
            let private = Parameters(vec![
                part("left", [columns.0, units]),
                part("right", [columns.1, units]),
                part("combine", [units, outputs]),
            ]);
            let bias = Parameter { shape: vec![classes], ..part("head.0.bias", [1, classes]) };
            let head = Parameters(vec![part("head.0.weight", [outputs, classes]), bias]);
            let items: Vec<u32> = (0..items as u32).collect();
            let labels: Vec<u32> = items.iter().map(|item| item % 3).collect();

            let all = Features::new(&data, &encoder).unwrap().levels();
            let (leaves, public) = (private.bind(&device, true), head.bind(&device, true));
            let x = all.batch(&items);
            let narrow = all.narrow(&x).map(|narrow| matrix(narrow, items.len(), columns.1, &device));
            let q = private::forward(&leaves, matrix(x, items.len(), columns.0, &device), narrow);
            let logits = head::forward(&public, private::normalise(q));
            let loss = head::cross_entropy(logits, head::one_hot(&labels, classes, None, &device));
            let expected = leaves.gradients(&mut loss.backward());

            let lit = Features::new(&data, &encoder).unwrap().levels().lit();
            assert!(lit.width() < columns.0, "no column is dark");
            let objective = Objective {
                device: &device,
                classes,
                normalise: true,
                strata: None,
                penalty: None,
                owners: Noise::default(),
                discriminant: None,
                tilted: None,
            };
            let batch = Batch { features: &lit, items: &items, labels, noise: None };
            let found = objective.descend(&private, &head, batch, 0.0).gradients[0].clone();
            let largest = expected.iter().flatten().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-4 * largest, "{found} {expected}");
                }
            }
        }
    }
}
