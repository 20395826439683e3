//! One loss for private part and head: cross-entropy, plus matching where it is the defence.

use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::batches::Strata;
use crate::defend::matching::{Layout, Matched, Measure, matching};
use crate::model::initial::normal;
use crate::model::parameters::{Parameters, matrix, to_host};
use crate::model::{head, private};

/// The inputs and labels of one batch.
pub(crate) struct Batch {
    /// Rows of the left side, and of the right where it reads fewer columns.
    pub x: Vec<f32>,
    pub narrow: Option<Vec<f32>>,
    pub labels: Vec<u32>,
    /// Added to the normalised outputs before the head reads them, not before they are matched.
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

/// Keeps the noise apart from the first weights, which the seed names too.
const NOISE: u64 = 0x006e_6f69_7365;

/// What does not change from batch to batch.
pub(crate) struct Objective<'a> {
    pub device: &'a Device,
    pub classes: usize,
    pub normalise: bool,
    pub strata: Option<&'a Strata>,
    /// How distributions are compared.
    pub measure: Measure,
}

/// The loss of a batch and its gradients.
pub(crate) struct Descent {
    /// Cross-entropy of the head.
    pub loss: f32,
    pub matched: Matched,
    /// By the private part, then by the head.
    pub gradients: [Vec<Vec<f32>>; 2],
}

impl Objective<'_> {
    /// Losses and gradients with weight `weight` on the defence.
    pub(crate) fn descend(&self, private: &Parameters, head: &Parameters, batch: Batch, weight: f32) -> Descent {
        let rows = batch.labels.len();
        let (private, head) = (private.bind(self.device, true), head.bind(self.device, true));
        let columns = batch.x.len() / rows;
        let x = matrix(batch.x, rows, columns, self.device);
        let narrow = batch.narrow.map(|narrow| {
            let columns = narrow.len() / rows;
            matrix(narrow, rows, columns, self.device)
        });
        let mut q = private::forward(&private, x, narrow);
        if self.normalise {
            q = private::normalise(q);
        }
        let weights = self.strata.map(|strata| &strata.weights[..]);
        let targets = head::one_hot(&batch.labels, self.classes, weights, self.device);
        let outputs = q.dims()[1];
        let seen = match batch.noise {
            Some(noise) => q.clone() + matrix(noise, rows, outputs, self.device),
            None => q.clone(),
        };
        let entropy = head::cross_entropy(head::forward(&head, seen), targets);
        let loss = to_host(entropy.clone().detach())[0];
        let (total, matched) = match self.strata.filter(|_| weight > 0.0) {
            None => (entropy, Matched::default()),
            Some(strata) => {
                let values = to_host(q.clone().detach());
                let layout = Layout { cells: &strata.shape, items: strata.items, paired: strata.paired };
                let (matched, slope) = matching(&values, outputs, layout, self.measure, weight);
                // A loss whose gradient by q is `slope`: the matching loss, as far as this step sees.
                let matching = (q * matrix(slope, rows, outputs, self.device)).sum();
                (entropy + matching, matched)
            }
        };
        let mut gradients = total.backward();
        let gradients = [private.gradients(&mut gradients), head.gradients(&mut gradients)];
        Descent { loss, matched, gradients }
    }
}
