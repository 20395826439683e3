//! Weights that are floats to the optimiser and integers to the network.
//!
//! With inputs `step·level` in place of `z = low + step·level`, biases take up `low`:
//! `b ← b + low·Σ_j P_j`. A unit's left row has a scale `s`, its right row `s'`, an output's row of `D` a
//! scale `t`, and
//!
//! ```text
//! P_int = round(step·P / s)    b_int = round(b / s)    D_int = round(D·s·s' / t)
//! ```
//!
//! The forward pass reads the rounded weights, the gradient goes to the floats as if they had been read
//! (straight through). Scales stay as chosen. Weights that are 0 stay 0.

use super::Precision;
use super::rounding::{best_scale, largest, round};
use crate::compiled::Weights;
use crate::model::parameters::{Parameter, Parameters};

/// Float weights with their grids.
#[derive(Clone)]
pub(crate) struct Latent {
    /// In the layout of the private part, biases for level inputs.
    pub parameters: Parameters,
    step: f32,
    precision: Precision,
    /// One scale per unit, for the left and for the right.
    rows: Vec<Vec<f32>>,
    /// One scale per output.
    outputs: Vec<f32>,
    /// Weights that stay 0, per projection.
    frozen: Vec<Vec<bool>>,
}

/// What the scales are chosen for.
pub(crate) struct Activity {
    /// Mean square of every level, for the left and the right side, the constant included.
    pub levels: [Vec<f32>; 2],
    /// Variance of every unit's product in the float network.
    pub units: Vec<f32>,
}

impl Latent {
    pub(crate) fn new(private: &Parameters, grid: (f32, f32, u32), precision: Precision, activity: &Activity) -> Self {
        let (low, step, _) = grid;
        let mut parameters = private.clone();
        let last = parameters.0.len() - 1;
        let bits = [precision.left, precision.right];
        let (mut rows, mut frozen) = (Vec::new(), Vec::new());
        for (side, projection) in parameters.0[..last].iter_mut().enumerate() {
            let units = projection.shape[1];
            let levels = &activity.levels[side];
            let (bias, weights) = projection.values.split_at_mut(units);
            for (row, level) in weights.chunks_exact_mut(units).zip(&levels[1..]) {
                bias.iter_mut().zip(row.iter()).for_each(|(bias, weight)| *bias += low * weight);
                // Nothing is known of a column that never changes: it would only widen the bounds.
                if *level == 0.0 {
                    row.fill(0.0);
                }
            }
            frozen.push(weights.iter().map(|&weight| weight == 0.0).collect());
            let scale = |unit: usize| {
                let column: Vec<f32> = weights.iter().skip(unit).step_by(units).map(|weight| weight * step).collect();
                best_scale(&column, &levels[1..], largest(bits[side]))
            };
            rows.push((0..units).map(scale).collect::<Vec<f32>>());
        }
        let mut latent = Self { parameters, step, precision, rows, outputs: Vec::new(), frozen };
        let combine = &latent.parameters.0[last];
        let (units, outputs) = (combine.shape[0], combine.shape[1]);
        let importance: Vec<f32> =
            (0..units).map(|unit| activity.units[unit] / latent.unit_scale(unit).powi(2)).collect();
        latent.outputs = (0..outputs)
            .map(|output| {
                let row: Vec<f32> =
                    (0..units).map(|unit| combine.values[unit * outputs + output] * latent.unit_scale(unit)).collect();
                best_scale(&row, &importance, largest(precision.combine))
            })
            .collect();
        latent
    }

    /// What one integer step of a unit's product is worth.
    fn unit_scale(&self, unit: usize) -> f32 {
        let left = self.rows[0][unit];
        left * self.rows.get(1).map_or(left, |right| right[unit])
    }

    /// The integers of the network as it stands.
    pub(crate) fn integers(&self) -> Weights {
        let last = self.parameters.0.len() - 1;
        let mut sides = self.parameters.0[..last].iter().enumerate().map(|(side, p)| self.projection(side, p));
        let left = sides.next().unwrap_or_default();
        let right = sides.next();
        let combine = &self.parameters.0[last];
        let (units, outputs) = (combine.shape[0], combine.shape[1]);
        let limit = largest(self.precision.combine);
        let entry = |output: usize, unit: usize| {
            round(combine.values[unit * outputs + output] * self.unit_scale(unit), self.outputs[output], limit)
        };
        let combine = (0..outputs).flat_map(|output| (0..units).map(move |unit| (output, unit)));
        Weights { left, right, combine: combine.map(|(output, unit)| entry(output, unit)).collect(), units }
    }

    /// One projection as `d × n` integers.
    fn projection(&self, side: usize, projection: &Parameter) -> Vec<i32> {
        let (columns, units) = (projection.shape[0], projection.shape[1]);
        let limit = largest([self.precision.left, self.precision.right][side]);
        let mut rows = vec![0; columns * units];
        for (column, values) in projection.values.chunks_exact(units).enumerate() {
            for (unit, (&value, &scale)) in values.iter().zip(&self.rows[side]).enumerate() {
                rows[unit * columns + column] = match column {
                    // Biases multiply the constant only, and may be large.
                    0 => round(value, scale, i32::MAX),
                    _ => round(value * self.step, scale, limit),
                };
            }
        }
        rows
    }

    /// The rounded weights in float units, for a forward pass on `step·level`.
    pub(crate) fn rounded(&self) -> Parameters {
        let Weights { left, right, combine, units } = self.integers();
        let mut parameters = self.parameters.clone();
        let last = parameters.0.len() - 1;
        for (side, integers) in std::iter::once(&left).chain(&right).enumerate() {
            let projection = &mut parameters.0[side];
            let columns = projection.shape[0];
            for (column, values) in projection.values.chunks_exact_mut(units).enumerate() {
                let worth = if column == 0 { 1.0 } else { 1.0 / self.step };
                for (unit, value) in values.iter_mut().enumerate() {
                    *value = integers[unit * columns + column] as f32 * self.rows[side][unit] * worth;
                }
            }
        }
        let outputs = self.outputs.len();
        for (unit, values) in parameters.0[last].values.chunks_exact_mut(outputs).enumerate() {
            for (output, value) in values.iter_mut().enumerate() {
                *value = combine[output * units + unit] as f32 * self.outputs[output] / self.unit_scale(unit);
            }
        }
        parameters
    }

    /// Takes gradients off weights that stay 0.
    pub(crate) fn mask(&self, gradients: &mut [Vec<f32>]) {
        for (gradient, frozen) in gradients.iter_mut().zip(&self.frozen) {
            let units = self.rows[0].len();
            for (gradient, _) in gradient[units..].iter_mut().zip(frozen).filter(|(_, frozen)| **frozen) {
                *gradient = 0.0;
            }
        }
    }

    /// Keeps floats where their rounding still moves: at most half a step beyond the largest integer.
    pub(crate) fn clamp(&mut self) {
        let last = self.parameters.0.len() - 1;
        let reach = |bits: u32| largest(bits) as f32 + 0.499;
        let bits = [self.precision.left, self.precision.right];
        for (side, projection) in self.parameters.0[..last].iter_mut().enumerate() {
            let units = projection.shape[1];
            let limits: Vec<f32> = self.rows[side].iter().map(|scale| reach(bits[side]) * scale / self.step).collect();
            for row in projection.values[units..].chunks_exact_mut(units) {
                row.iter_mut().zip(&limits).for_each(|(value, limit)| *value = value.clamp(-limit, *limit));
            }
        }
        let scales: Vec<f32> = (0..self.rows[0].len()).map(|unit| self.unit_scale(unit)).collect();
        let combine = &mut self.parameters.0[last].values;
        for (row, scale) in combine.chunks_exact_mut(self.outputs.len()).zip(&scales) {
            for (value, output) in row.iter_mut().zip(&self.outputs) {
                let limit = reach(self.precision.combine) * output / scale;
                *value = value.clamp(-limit, limit);
            }
        }
    }
}
