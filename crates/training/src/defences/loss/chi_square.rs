//! How far apart two values of the attribute remain under the noise, to the best attacker.
//!
//! With `p_v` the distribution of the outputs given value `v` with noise of deviation `h` added, `r` the mean
//! of all `p_v`, and pairs of values `a`, `b`:
//!
//! ```text
//! χ²  = mean over pairs of ∫ (p_a − p_b)²/r          the best attacker gains at most ¼·√χ² over guessing
//!     ≈ mean over y of (p_a(y) − p_b(y))²/r(y)²      y = q_i + noise, one for each row
//! ```
//!
//! (Cauchy-Schwarz; two equally frequent values.) A product of sums is taken over different rows only, excluding the
//! row that `y` comes from and its pair, so that equal distributions give 0 in the mean. `r` is raised by the
//! contribution of two rows at `y`: where a single row stands alone, nothing is known. `y` and `r` are held constant in
//! the gradient.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::discrepancy::Layout;
use super::kernel::{exp, squares, sum, vectorised};
use crate::float::initial::normal;

/// Rows that are added to every density.
const TAIL: f32 = 2.0;

/// `χ²` of class `number` of a batch, the rows `q` [cells·items, outputs], under noise of deviation `width`; adds
/// `weight` times its gradient. 0 with fewer than four items.
pub(crate) fn chi_square(
    q: &[f32],
    outputs: usize,
    (cells, layout): (usize, Layout),
    (width, draw, number): (f32, u64, u64),
    weight: f32,
    gradient: &mut [f32],
) -> f64 {
    if cells < 2 || layout.items < 4 {
        return 0.0;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(draw);
    rng.set_stream(number);
    let noise = normal(q.len(), width, &mut rng);
    let class = Class::new(q, outputs, cells, layout, width);
    vectorised(
        #[inline(always)]
        || class.descend(&noise, weight, gradient),
    )
}

/// The rows of one main class, as columns.
struct Class {
    columns: Vec<f32>,
    outputs: usize,
    cells: usize,
    items: usize,
    paired: bool,
    /// `1/(2h²)`.
    inverse: f32,
}

impl Class {
    fn new(q: &[f32], outputs: usize, cells: usize, layout: Layout, width: f32) -> Self {
        let rows = cells * layout.items;
        let mut columns = vec![0.0; q.len()];
        for (row, values) in q.chunks_exact(outputs).enumerate() {
            values.iter().enumerate().for_each(|(output, &value)| columns[output * rows + row] = value);
        }
        let inverse = 0.5 / (width * width);
        Self { columns, outputs, cells, items: layout.items, paired: layout.paired, inverse }
    }

    #[inline(always)]
    fn descend(&self, noise: &[f32], weight: f32, gradient: &mut [f32]) -> f64 {
        let rows = self.cells * self.items;
        let pairs = (self.cells * (self.cells - 1) / 2) as f32;
        let others = (self.items - 1) as f32;
        let within = 1.0 / (others * (others - 1.0));
        let between = if self.paired { within } else { 1.0 / (others * others) };
        let mut derivatives = vec![0.0_f32; self.columns.len()];
        let (mut kernel, mut factors) = (vec![0.0_f32; rows], vec![0.0_f32; rows]);
        let mut twins = vec![0.0_f32; self.items];
        let (mut place, mut sums) = (vec![0.0_f32; self.outputs], vec![0.0_f32; self.cells]);
        let mut total = 0.0;
        for row in 0..rows {
            for output in 0..self.outputs {
                place[output] = self.columns[output * rows + row] + noise[row * self.outputs + output];
            }
            self.kernel(&place, &mut kernel);
            for cell in 0..self.cells {
                kernel[cell * self.items + row % self.items] = 0.0;
                sums[cell] = sum(&kernel[cell * self.items..][..self.items]);
            }
            let all: f32 = sums.iter().sum();
            let mixture = (all + TAIL) / (self.cells as f32 * others);
            let scale = 1.0 / (mixture * mixture * rows as f32 * pairs);
            if self.paired {
                twins.copy_from_slice(&kernel[..self.items]);
                for values in kernel[self.items..].chunks_exact(self.items) {
                    twins.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                }
            }
            // Σ over pairs of (p_a − p_b)² = (cells − 1)·Σ p_a² − Σ over a ≠ b of p_a·p_b
            let own = squares(&kernel);
            let [mut alike, mut apart] = [-within * own, 0.0];
            for sum in &sums {
                alike += within * sum * sum;
                apart += between * sum * (all - sum);
            }
            if self.paired {
                apart -= between * (squares(&twins) - own);
            }
            let more = (self.cells - 1) as f32;
            total += f64::from(scale * (more * alike - apart));
            let steep = weight * scale * 4.0 * self.inverse;
            // Gradient with respect to a kernel value, which excludes the row itself and its twins.
            let (by_own, by_twin) = if self.paired { (more * within + between, between) } else { (more * within, 0.0) };
            for (cell, sum) in sums.iter().enumerate() {
                let constant = more * within * sum - between * (all - sum);
                let places = cell * self.items..(cell + 1) * self.items;
                let values = kernel[places.clone()].iter().zip(&twins);
                for (factor, (value, twin)) in factors[places].iter_mut().zip(values) {
                    *factor = steep * value * (constant - by_own * value + by_twin * twin);
                }
            }
            for (output, place) in place.iter().enumerate() {
                let column = &self.columns[output * rows..][..rows];
                let derivatives = &mut derivatives[output * rows..][..rows];
                for ((derivative, value), factor) in derivatives.iter_mut().zip(column).zip(&factors) {
                    *derivative += factor * (place - value);
                }
            }
        }
        for (output, derivatives) in derivatives.chunks_exact(rows).enumerate() {
            let rows = gradient.iter_mut().skip(output).step_by(self.outputs);
            rows.zip(derivatives).for_each(|(gradient, derivative)| *gradient += derivative);
        }
        total
    }

    /// `exp(−|place − q_i|²/(2h²))` for every row.
    #[inline(always)]
    fn kernel(&self, place: &[f32], kernel: &mut [f32]) {
        let rows = kernel.len();
        kernel.fill(0.0);
        for (output, place) in place.iter().enumerate() {
            let column = &self.columns[output * rows..][..rows];
            kernel.iter_mut().zip(column).for_each(|(sum, value)| *sum += (place - value) * (place - value));
        }
        kernel.iter_mut().for_each(|value| *value = exp(-*value * self.inverse));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: f32 = 0.5;

    fn rows(items: usize, shift: f32) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut values = normal(2 * items * 2, 1.0, &mut rng);
        values[2 * items..].iter_mut().step_by(2).for_each(|value| *value += shift);
        values
    }

    fn value(items: usize, shift: f32, paired: bool) -> f64 {
        let layout = Layout { cells: &[2], items, paired };
        let q = rows(items, shift);
        chi_square(&q, 2, (2, layout), (WIDTH, 3, 0), 0.0, &mut vec![0.0; q.len()])
    }

    #[test]
    fn equal_laws_give_nothing_and_shifted_ones_their_distance() {
        for paired in [false, true] {
            assert!(value(1500, 0.0, paired).abs() < 0.01, "{}", value(1500, 0.0, paired));
        }
        // Two Gaussians of variance 1 + h² that are 0.5 apart: ∫(p − q)²/r is about 0.25/1.25 for small shifts.
        let found = value(1500, 0.5, false);
        assert!((0.14..0.23).contains(&found), "{found}");
        assert!(value(1500, 1.0, false) > 2.5 * found);
    }

    /// From the definition, one row and one place at a time, with `y` and `r` held fixed.
    #[test]
    fn value_and_gradient_are_those_of_the_definition() {
        let (items, outputs, cells) = (7, 2, 3);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let q = normal(cells * items * outputs, 1.0, &mut rng);
        for paired in [false, true] {
            let layout = Layout { cells: &[cells], items, paired };
            let mut noise_rng = ChaCha8Rng::seed_from_u64(3);
            noise_rng.set_stream(5);
            let noise = normal(q.len(), WIDTH, &mut noise_rng);
            let places: Vec<f64> = q.iter().zip(&noise).map(|(q, noise)| f64::from(q + noise)).collect();
            let definition = |moved: &[f64]| {
                let kernel = |rows: &[f64], at: usize, i: usize| -> f64 {
                    let square = (0..outputs).map(|k| (places[at * outputs + k] - rows[i * outputs + k]).powi(2));
                    (-square.sum::<f64>() / (2.0 * f64::from(WIDTH).powi(2))).exp()
                };
                let fixed: Vec<f64> = q.iter().map(|&value| f64::from(value)).collect();
                let mut total = 0.0;
                for at in 0..cells * items {
                    let out = |i: usize| i % items == at % items;
                    let kept = || (0..cells * items).filter(|&i| !out(i));
                    let mixture = (kept().map(|i| kernel(&fixed, at, i)).sum::<f64>() + f64::from(TAIL))
                        / (cells * (items - 1)) as f64;
                    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                        let mean = |u: usize, v: usize| {
                            let (mut sum, mut count) = (0.0, 0.0);
                            for i in kept().filter(|i| i / items == u) {
                                for j in kept().filter(|j| j / items == v) {
                                    let twin = i % items == j % items;
                                    if (u == v || paired) && twin {
                                        continue;
                                    }
                                    sum += kernel(moved, at, i) * kernel(moved, at, j);
                                    count += 1.0;
                                }
                            }
                            sum / count
                        };
                        let square = mean(a, a) + mean(b, b) - 2.0 * mean(a, b);
                        total += square / mixture.powi(2) / 3.0 / (cells * items) as f64;
                    }
                }
                total
            };
            let mut gradient = vec![0.0; q.len()];
            let found = chi_square(&q, outputs, (cells, layout), (WIDTH, 3, 5), 2.0, &mut gradient);
            let exact: Vec<f64> = q.iter().map(|&value| f64::from(value)).collect();
            assert!((found - definition(&exact)).abs() < 1e-3, "{found} {}", definition(&exact));
            for place in [0, 9, 17, 30, 41] {
                let at = |step: f64| {
                    let mut moved = exact.clone();
                    moved[place] += step;
                    2.0 * definition(&moved)
                };
                let quotient = (at(1e-4) - at(-1e-4)) / 2e-4;
                assert!((quotient - f64::from(gradient[place])).abs() < 1e-3, "{quotient} {}", gradient[place]);
            }
        }
    }
}
