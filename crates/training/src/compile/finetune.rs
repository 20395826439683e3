//! Fine-tuning with rounded weights, and then of the public head on the integer outputs.

use burn::tensor::Device;
use dataset::Dataset;
use encoder::Encoder;
use host::Progress;

use super::CompileError;
use super::latent::Latent;
use super::options::CompileOptions;
use crate::defences::Penalty;
use crate::defences::loss::Noise;
use crate::defences::loss::discrepancy::Discriminant;
use crate::features::Features;
use crate::float::head;
use crate::float::parameters::{Trained, matrix};
use crate::train::batches::Batches;
use crate::train::objective::{Batch, Objective, noise};
use crate::train::optimiser::{Optimiser, clip, warm_up_and_cosine};
use crate::train::tilt::Tilt;
use crate::train::{Targets, sampler::Sampler};
use crate::{Defence, TrainingRecord};
use model::{Parameters, standardise};

/// Learning rate of the grids' scales, as a fraction of that of the weights: one scale moves a whole row.
const SCALES: f32 = 0.2;

/// Steps and items per step of the head's own fine-tuning.
const HEAD_STEPS: usize = 600;
const HEAD_BATCH: usize = 1000;
const HEAD_RATE: f64 = 2e-3;

/// Separates the random frequencies of a batch from its noise.
const FREQUENCIES: u64 = 0x6672_6571;

/// Largest joint norm of the gradient.
const CLIP: f32 = 5.0;

/// Data and choices of a fine-tuning.
pub(super) struct Tuning<'a> {
    pub data: &'a Dataset,
    pub encoder: &'a Encoder,
    pub record: &'a TrainingRecord,
    pub options: &'a CompileOptions,
    /// Deviation of the noise that owners will add.
    pub noise: f32,
    pub device: Device,
    pub progress: &'a dyn Progress,
}

impl Tuning<'_> {
    /// Updates the floats that weights are rounded from, and the head, which reads normalised outputs.
    pub(super) fn tune(&self, latent: &mut Latent, head: &mut Parameters) -> Result<(), CompileError> {
        let options = self.options;
        let learned = options.learned_noise.unwrap_or(self.noise);
        let collateral = &self.record.collateral;
        let targets = Targets::read(self.data, &self.record.main, collateral)?;
        let defence = options.defence.of(&self.record.options.defence);
        let steps = if defence.is_some() { options.steps } else { 0 };
        let defence = defence.unwrap_or_else(Defence::none);
        for (field, noise) in [("noise", self.noise), ("learned_noise", learned)] {
            if defence.method().needs_noise() && noise <= 0.0 {
                return Err(CompileError::Option {
                    field,
                    value: noise.to_string(),
                    remedy: format!("the defence `{defence}` needs noise: add noise, or choose another defence"),
                });
            }
        }
        let (penalty, weight) = (defence.method().penalty(), defence.weight());
        let takes_discriminant = weight > 0.0 && penalty.is_some_and(|penalty| penalty.takes_discriminant());
        if options.discriminant > 0.0 && !takes_discriminant {
            return Err(CompileError::Option {
                field: "discriminant",
                value: options.discriminant.to_string(),
                remedy: "it needs matching: compile a network trained with it, with λ above 0, or leave it out".into(),
            });
        }
        let features = Features::new(self.data, self.encoder)?.levels().lit();
        let mut batches = Batches::new(&targets, penalty, options.batch, options.seed)?;
        let mut scales = latent.scales();
        let [mut of_weights, mut of_head, mut of_scales] =
            [Optimiser::adam(&latent.parameters), Optimiser::adam(head), Optimiser::adam(&scales)];
        let mut tilt = Tilt::new(penalty.map_or(0.0, Penalty::tilt));
        let settling = steps - (options.settle * steps as f64).round() as usize;
        for step in 0..steps {
            if step == settling {
                // Without their own moments, weights whose gradient is 0 stay where they are.
                of_weights = Optimiser::adam(&latent.parameters);
            }
            let items = batches.items(step);
            let labels = items.iter().map(|&item| targets.main[item as usize]).collect();
            let objective = Objective {
                device: &self.device,
                classes: targets.classes.len(),
                normalise: true,
                strata: batches.strata.as_ref(),
                penalty,
                owners: Noise { deviation: learned, draw: self.draw(step) },
                discriminant: self.discriminant(weight, learned, step),
                tilted: tilt.weights(),
            };
            let width = head.0[0].shape[0];
            let noise = noise(learned, items.len() * width, options.seed, step);
            let batch = Batch { features: &features, items: &items, labels, noise };
            let rounded = latent.rounded();
            let mut descent = objective.descend(&rounded, head, batch, weight);
            if !descent.loss.is_finite() {
                return Err(CompileError::NotFinite { tensor: "loss".into(), step });
            }
            tilt.add(&descent.leaks);
            latent.mask(&mut descent.gradients[0]);
            clip(&mut descent.gradients, CLIP);
            let settled = step >= settling;
            let (done, phase) = if settled { (step - settling, steps - settling) } else { (step, settling) };
            let rate = warm_up_and_cosine(options.rate, done, phase, phase / 20) as f32;
            if settled {
                latent.hold(&mut descent.gradients[0]);
            } else {
                let by_scales = latent.by_scales(&rounded, &descent.gradients[0]);
                of_scales.step(&mut scales, &by_scales, SCALES * rate);
            }
            of_weights.step(&mut latent.parameters, &descent.gradients[0], rate);
            of_head.step(head, &descent.gradients[1], rate);
            latent.set_scales(&scales);
            latent.clamp();
            let parts = [&latent.parameters, &*head, &scales];
            if let Some(tensor) = parts.into_iter().find_map(Parameters::first_not_finite) {
                return Err(CompileError::NotFinite { tensor: tensor.into(), step });
            }
            self.progress.advance(1);
            if step.is_multiple_of(20) {
                self.progress.note(&format!("loss {:.3}", descent.loss));
            }
        }
        Ok(())
    }

    /// The discriminant ratio in the batch of one step, if it has a weight of its own in addition to the penalty's.
    fn discriminant(&self, weight: f32, noise: f32, step: usize) -> Option<Discriminant> {
        let discriminant = self.options.discriminant;
        let draw = self.draw(step);
        (discriminant > 0.0).then(|| Discriminant { weight: discriminant / weight, noise, draw })
    }

    /// Identifies the batch of one step.
    fn draw(&self, step: usize) -> u64 {
        (self.options.seed ^ FREQUENCIES).rotate_left(32) ^ step as u64
    }

    /// Fits the head to the integer outputs of `data`, `[N, S]`.
    pub(super) fn tune_head(
        &self,
        data: &Dataset,
        outputs: &[i64],
        centre: &[f64],
        scale: &[f64],
        layers: &mut Parameters,
    ) -> Result<(), CompileError> {
        let labels = &data.labels(&self.record.main)?.values;
        let inputs = standardise(outputs, centre, scale);
        let (width, classes) = (centre.len(), layers.0[layers.0.len() - 1].shape[0]);
        let mut sampler = Sampler::shuffled(labels.len(), HEAD_BATCH.min(labels.len()), self.options.seed);
        let mut optimiser = Optimiser::adam(layers);
        for step in 0..HEAD_STEPS {
            let items = sampler.batch(step);
            let mut rows: Vec<f32> =
                items.iter().flat_map(|&item| &inputs[item as usize * width..][..width]).copied().collect();
            if let Some(noise) = noise(self.noise, rows.len(), !self.options.seed, step) {
                rows.iter_mut().zip(noise).for_each(|(value, noise)| *value += noise);
            }
            let batch: Vec<u32> = items.iter().map(|&item| labels[item as usize]).collect();
            let leaves = layers.bind(&self.device, true);
            let logits = head::forward(&leaves, matrix(rows, items.len(), width, &self.device));
            let loss = head::cross_entropy(logits, head::one_hot(&batch, classes, None, &self.device));
            let gradients = leaves.gradients(&mut loss.backward());
            let rate = warm_up_and_cosine(HEAD_RATE, step, HEAD_STEPS, HEAD_STEPS / 20) as f32;
            optimiser.step(layers, &gradients, rate);
            if let Some(tensor) = layers.first_not_finite() {
                return Err(CompileError::NotFinite { tensor: tensor.into(), step });
            }
        }
        Ok(())
    }
}
