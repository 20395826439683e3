//! Weights that are floats to the optimiser and integers to the network.
//!
//! With inputs `step·level` instead of `z = low + step·level`, biases take up `low`:
//! `b ← b + low·Σ_j P_j`. A unit's left row has a scale `s`, its right row `s'`, an output's row of `D` a
//! scale `t`, and
//!
//! ```text
//! P_int = round(step·P / s)    b_int = round(b / s)    D_int = round(D·s·s' / t)
//! ```
//!
//! The forward pass reads the rounded weights, the gradient goes to the floats as if they had been read
//! (straight through). Scales are learned too, by their logarithms: a rounded weight `q = s·round(w / s)`
//! changes by `∂q/∂ln s = q − w`, one at the end of its grid by `q` (Esser et al. 2020, "Learned step size
//! quantization"). Weights that are 0 stay 0.

use super::Precision;
use super::rounding::{best_scale, largest, round};
use super::weights::Weights;
use model::{Parameter, Parameters};

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

/// Statistics by which the scales are chosen.
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
                // A column that never changes carries no information: it would only widen the bounds.
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

    /// The value of one integer step of a unit's product.
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

    /// The gradient with respect to the logarithms of the scales: of the rows of every side, then of the outputs.
    pub(crate) fn by_scales(&self, rounded: &Parameters, gradients: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let last = self.parameters.0.len() - 1;
        let units = self.rows[0].len();
        let derivative =
            |value: f32, rounded: f32, reach: f32| if value.abs() >= reach { rounded } else { rounded - value };
        let mut by_scales: Vec<Vec<f32>> = self.rows.iter().map(|rows| vec![0.0; rows.len()]).collect();
        let bits = [self.precision.left, self.precision.right];
        for (side, by_row) in by_scales.iter_mut().enumerate() {
            let (values, rounded) = (&self.parameters.0[side].values, &rounded.0[side].values);
            let worth = largest(bits[side]) as f32 / self.step;
            for (place, ((&value, &rounded), gradient)) in values.iter().zip(rounded).zip(&gradients[side]).enumerate()
            {
                let unit = place % units;
                // Biases have no largest integer.
                let reach = if place < units { f32::INFINITY } else { worth * self.rows[side][unit] };
                by_row[unit] += gradient * derivative(value, rounded, reach);
            }
        }
        let width = self.outputs.len();
        let mut by_output = vec![0.0; width];
        let weights = self.parameters.0[last].values.iter().zip(&rounded.0[last].values).zip(&gradients[last]);
        for (place, ((&value, &rounded), gradient)) in weights.enumerate() {
            let (unit, output) = (place / width, place % width);
            let reach = largest(self.precision.combine) as f32 * self.outputs[output] / self.unit_scale(unit);
            let change = gradient * derivative(value, rounded, reach);
            by_output[output] += change;
            // The grid of `D` is that of the output over those of the unit's rows; squares count theirs twice.
            let squared = if last == 1 { 2.0 } else { 1.0 };
            by_scales[..last].iter_mut().for_each(|by_row| by_row[unit] -= squared * change);
        }
        by_scales.push(by_output);
        by_scales
    }

    /// The logarithms of all scales, in the order of their gradients.
    pub(crate) fn scales(&self) -> Parameters {
        let logarithms = |name, scales: &Vec<f32>| {
            Parameter::new(name, &[scales.len()], scales.iter().map(|scale| scale.ln()).collect())
        };
        let rows = self.rows.iter().map(|rows| logarithms("scales of rows", rows));
        Parameters(rows.chain([logarithms("scales of outputs", &self.outputs)]).collect())
    }

    /// Replaces the scales by updated ones.
    pub(crate) fn set_scales(&mut self, logarithms: &Parameters) {
        for (scales, moved) in self.rows.iter_mut().chain([&mut self.outputs]).zip(&logarithms.0) {
            scales.iter_mut().zip(&moved.values).for_each(|(scale, logarithm)| *scale = logarithm.exp());
        }
    }

    /// Zeroes the gradients of weights that stay 0.
    pub(crate) fn mask(&self, gradients: &mut [Vec<f32>]) {
        let units = self.rows[0].len();
        for (gradient, frozen) in gradients.iter_mut().zip(&self.frozen) {
            for (gradient, _) in gradient[units..].iter_mut().zip(frozen).filter(|(_, frozen)| **frozen) {
                *gradient = 0.0;
            }
        }
    }

    /// Zeroes all gradients but those of biases.
    pub(crate) fn hold(&self, gradients: &mut [Vec<f32>]) {
        let units = self.rows[0].len();
        let last = gradients.len() - 1;
        for (part, gradient) in gradients.iter_mut().enumerate() {
            let kept = if part < last { units } else { 0 };
            gradient[kept..].fill(0.0);
        }
    }

    /// Keeps floats where their rounding can still change: at most half a step beyond the largest integer.
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

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: usize = 5;
    const UNITS: usize = 3;
    const OUTPUTS: usize = 2;

    fn latent(bilinear: bool) -> Latent {
        let wave = |count: usize, seed: f32| (0..count).map(|i| (seed + 0.7 * i as f32).sin()).collect::<Vec<f32>>();
        let sides = if bilinear { 2 } else { 1 };
        let mut parameters: Vec<Parameter> = (0..sides)
            .map(|side| Parameter::new("side", &[1 + COLUMNS, UNITS], wave((1 + COLUMNS) * UNITS, side as f32)))
            .collect();
        parameters.push(Parameter::new("combine", &[UNITS, OUTPUTS], wave(UNITS * OUTPUTS, 5.0)));
        let activity = Activity { levels: [vec![1.0; 1 + COLUMNS], vec![1.0; 1 + COLUMNS]], units: vec![1.0; UNITS] };
        Latent::new(&Parameters(parameters), (-0.5, 0.25, 15), Precision::default(), &activity)
    }

    /// Rounding as `x + r` with the remainder `r` held constant: the function that a straight-through gradient
    /// differentiates.
    #[test]
    fn scales_have_the_gradient_of_held_rests() {
        for bilinear in [false, true] {
            let latent = latent(bilinear);
            let rounded = latent.rounded();
            let gradients: Vec<Vec<f32>> =
                rounded.0.iter().map(|p| (0..p.values.len()).map(|i| (2.0 + i as f32).cos()).collect()).collect();
            let found = latent.by_scales(&rounded, &gradients);
            let loss = |scales: &Parameters| {
                let mut moved = latent.clone();
                moved.set_scales(scales);
                let last = rounded.0.len() - 1;
                let mut sum = 0.0_f64;
                for (part, gradient) in gradients.iter().enumerate() {
                    for (place, &gradient) in gradient.iter().enumerate() {
                        let (grid, grid_now, reach) = if part < last {
                            let largest = largest([latent.precision.left, latent.precision.right][part]) as f32;
                            let worth = if place < UNITS { 1.0 } else { 1.0 / latent.step };
                            let unit = place % UNITS;
                            let scale = latent.rows[part][unit];
                            let reach = if place < UNITS { f32::INFINITY } else { largest / latent.step * scale };
                            (scale * worth, moved.rows[part][unit] * worth, reach)
                        } else {
                            let (unit, output) = (place / OUTPUTS, place % OUTPUTS);
                            let grid = |of: &Latent| of.outputs[output] / of.unit_scale(unit);
                            let largest = largest(latent.precision.combine) as f32;
                            let reach = largest * latent.outputs[output] / latent.unit_scale(unit);
                            (grid(&latent), grid(&moved), reach)
                        };
                        let weight = latent.parameters.0[part].values[place];
                        let integer = rounded.0[part].values[place] / grid;
                        let read = match weight.abs() >= reach {
                            true => integer * grid_now,
                            false => weight + (integer - weight / grid) * grid_now,
                        };
                        sum += f64::from(gradient) * f64::from(read);
                    }
                }
                sum
            };
            let scales = latent.scales();
            for (part, by_scale) in found.iter().enumerate() {
                for (place, &by_scale) in by_scale.iter().enumerate() {
                    let at = |shift: f32| {
                        let mut scales = scales.clone();
                        scales.0[part].values[place] += shift;
                        loss(&scales)
                    };
                    let derivative = (at(1e-2) - at(-1e-2)) / 2e-2;
                    assert!(
                        (derivative - f64::from(by_scale)).abs() < 2e-3 * derivative.abs().max(1.0),
                        "{part} {place}: {derivative} {by_scale}"
                    );
                }
            }
        }
    }
}
