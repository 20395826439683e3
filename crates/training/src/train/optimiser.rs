//! Optimisers on host vectors, by PyTorch's formulas, with their whole state accessible.

use model::Parameters;

/// An optimiser and its state for the weights of one part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Optimiser {
    /// `v ← momentum·v + g; w ← w − rate·v`, without dampening.
    Sgd { momentum: f32, velocity: Vec<Vec<f32>> },
    /// Kingma and Ba 2014, β = (0.9, 0.999), ε = 1e-8.
    Adam { steps: u64, first: Vec<Vec<f32>>, second: Vec<Vec<f32>> },
}

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl Optimiser {
    pub(crate) fn sgd(parameters: &Parameters, momentum: f32) -> Self {
        Self::Sgd { momentum, velocity: zeros(parameters) }
    }

    pub(crate) fn adam(parameters: &Parameters) -> Self {
        Self::Adam { steps: 0, first: zeros(parameters), second: zeros(parameters) }
    }

    /// One step; `gradients` are in the order of the parameters.
    pub(crate) fn step(&mut self, parameters: &mut Parameters, gradients: &[Vec<f32>], rate: f32) {
        match self {
            Self::Sgd { momentum, velocity } => {
                for ((parameter, gradient), velocity) in parameters.0.iter_mut().zip(gradients).zip(velocity) {
                    for ((w, g), v) in parameter.values.iter_mut().zip(gradient).zip(velocity) {
                        *v = *momentum * *v + g;
                        *w -= rate * *v;
                    }
                }
            }
            Self::Adam { steps, first, second } => {
                *steps += 1;
                let exponent = i32::try_from(*steps).unwrap_or(i32::MAX);
                let correction_1 = 1.0 - f64::from(BETA_1).powi(exponent);
                let correction_2 = (1.0 - f64::from(BETA_2).powi(exponent)).sqrt() as f32;
                let rate = (f64::from(rate) / correction_1) as f32;
                let moments = first.iter_mut().zip(second);
                for ((parameter, gradient), (first, second)) in parameters.0.iter_mut().zip(gradients).zip(moments) {
                    let moments = first.iter_mut().zip(second);
                    for ((w, g), (m, v)) in parameter.values.iter_mut().zip(gradient).zip(moments) {
                        *m = BETA_1 * *m + (1.0 - BETA_1) * g;
                        *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
                        *w -= rate * *m / (v.sqrt() / correction_2 + EPSILON);
                    }
                }
            }
        }
    }
}

fn zeros(parameters: &Parameters) -> Vec<Vec<f32>> {
    parameters.0.iter().map(|parameter| vec![0.0; parameter.values.len()]).collect()
}

/// Scales all gradients together so that their joint norm is at most `limit`.
pub(crate) fn clip(gradients: &mut [Vec<Vec<f32>>], limit: f32) {
    let square: f64 = gradients.iter().flatten().flatten().map(|&g| f64::from(g) * f64::from(g)).sum();
    let norm = square.sqrt() as f32;
    if norm > limit {
        let scale = limit / norm;
        gradients.iter_mut().flatten().flatten().for_each(|g| *g *= scale);
    }
}

/// The learning rate of step `step` of `steps`: linear over `warm_up` steps, then cosine to 1 %.
pub(crate) fn warm_up_and_cosine(peak: f64, step: usize, steps: usize, warm_up: usize) -> f64 {
    if step < warm_up {
        return peak * (step + 1) as f64 / warm_up as f64;
    }
    let rest = steps.saturating_sub(warm_up).max(1) as f64;
    let done = (step - warm_up) as f64 / rest;
    peak * (0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()))
}
