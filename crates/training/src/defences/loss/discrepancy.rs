//! Matching distributions: the outputs of one main class should look the same for every value of the collateral
//! attribute.
//!
//! For each main class, with `A`, `B` the outputs of two values of the attribute,
//!
//! ```text
//! MMD²(A, B) = mean k(a, a') + mean k(b, b') − 2·mean k(a, b)              (i ≠ j, hence unbiased)
//! k(x, y)    = mean over s of exp(−|x − y|²·3^s / med)                     s = 0 .. scales
//! pairing    = E|a_i − b_i|² / (2·tr Cov of the class)                     1 for independent pairs
//! ```
//!
//! averaged over pairs of values and over classes. Cells of a batch have equal sizes, so that this is also the
//! Hilbert-Schmidt independence criterion of outputs and attribute, with the kernel `[v = v']` on its `V` values
//! (Gretton et al. 2005): `HSIC = (V − 1)/(2·V²) · mean MMD²`. `med` is the median squared distance within the
//! class and `tr Cov` its total variance, both held constant, so that spreading a class out gains
//! nothing. With pairs (items `i` of every value share their deformation) the terms `k(a_i, b_i)` are
//! left out. The discriminant ratio of [`super::discriminant`] is added if it has a weight. The gradient is
//! written out: one exponential per pair of items, then cubes of it.

use rayon::prelude::*;

use super::discriminant::Frequencies;
use super::kernel::{kernel_and_derivative, sum, vectorised, weighted_differences};
use super::whitening::Whitening;

/// How the rows of a batch are ordered: by class, then by value of the attribute, then by item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout<'a> {
    /// For each main class, the number of cells (values of the attribute seen with it).
    pub cells: &'a [usize],
    /// Items per cell.
    pub items: usize,
    /// Whether item `i` of all cells of a class is the same drawing.
    pub paired: bool,
}

/// How a batch is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// Number of kernel widths.
    pub scales: usize,
    /// Weight of the pairing loss.
    pub pairing: f32,
    /// Whether to remove the correlations of outputs within each class first. Pairs are compared in plain outputs: in
    /// thin directions their distance would outweigh everything else.
    pub whiten: bool,
    /// A variance added in every direction before correlations are removed: what the noise hides is ignored.
    pub floor: f32,
    /// The discriminant ratio, if it is used.
    pub discriminant: Option<Discriminant>,
}

/// How the discriminant ratio is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Discriminant {
    /// Its weight, in units of λ.
    pub weight: f32,
    /// Deviation of the noise that owners add to outputs.
    pub noise: f32,
    /// Random seed of the features drawn for the batch.
    pub draw: u64,
}

/// The losses of one class in a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Matched {
    /// Unbiased MMD².
    pub mmd: f64,
    /// Pairing loss, 0 without pairs.
    pub pairing: f64,
}

/// The most distances that a median is taken over.
const MEDIAN_SAMPLE: usize = 8192;

/// The losses of every class of a batch `q` [rows, outputs], 0 for one seen with a single value, and the gradient of
/// `weight·(mmd + measure.pairing·pairing + measure.discriminant.weight·ratio)` by `q`, of the same shape. The gradient is
/// that of the mean over the other classes.
pub(crate) fn matching(
    q: &[f32],
    outputs: usize,
    layout: Layout,
    measure: Measure,
    weight: f32,
) -> (Vec<Matched>, Vec<f32>) {
    // A class seen with one value only has nothing to match.
    let active = layout.cells.iter().filter(|&&cells| cells > 1).count();
    let mut gradient = vec![0.0; q.len()];
    let mut slices = Vec::with_capacity(layout.cells.len());
    let (mut rest, mut start) = (gradient.as_mut_slice(), 0);
    for &cells in layout.cells {
        let length = cells * layout.items * outputs;
        let (head, tail) = rest.split_at_mut(length);
        slices.push((cells, &q[start..start + length], head));
        (rest, start) = (tail, start + length);
    }
    let share = 1.0 / active.max(1) as f32;
    let classes: Vec<Matched> = slices
        .into_par_iter()
        .enumerate()
        .map(|(number, (cells, q, gradient))| {
            if cells < 2 {
                return Matched::default();
            }
            let class = Class { q, outputs, cells, items: layout.items, paired: layout.paired };
            let whitening = Whitening::fit(q, outputs, measure.floor);
            let white = Class { q: &whitening.apply(q), ..class };
            let mut derivative = vec![0.0; q.len()];
            let mmd = match measure.whiten {
                false => class.mmd(measure.scales, weight * share, gradient),
                true => white.mmd(measure.scales, weight * share, &mut derivative),
            };
            if let Some(chosen) = measure.discriminant {
                let frequencies = Frequencies::draw(outputs, &whitening, chosen.noise, chosen.draw, number as u64);
                frequencies.ratio(white.q, cells, layout.items, weight * share * chosen.weight, &mut derivative);
            }
            whitening.pull_back(&derivative, gradient);
            let heavy = weight * share * measure.pairing;
            let pairing = if layout.paired { class.pairing(heavy, gradient) } else { 0.0 };
            Matched { mmd, pairing }
        })
        .collect();
    (classes, gradient)
}

/// The rows of one main class.
struct Class<'a> {
    q: &'a [f32],
    outputs: usize,
    cells: usize,
    items: usize,
    paired: bool,
}

impl Class<'_> {
    fn mmd(&self, scales: usize, weight: f32, gradient: &mut [f32]) -> f64 {
        vectorised(
            #[inline(always)]
            || self.mmd_by_rows(scales, weight, gradient),
        )
    }

    /// Visits every unordered pair of rows once: distances and kernels of a row run over all rows after it.
    #[inline(always)]
    fn mmd_by_rows(&self, scales: usize, weight: f32, gradient: &mut [f32]) -> f64 {
        let rows = self.cells * self.items;
        let columns = self.columns();
        let inverse = 1.0 / self.median(&columns).max(f32::MIN_POSITIVE);
        let (same, other) = self.coefficients();
        let mut derivatives = vec![0.0_f32; columns.len()];
        let mut kernel = vec![0.0_f32; rows];
        let mut derivative = vec![0.0_f32; rows];
        let mut total = 0.0;
        for row in 0..rows {
            let after = row + 1..rows;
            let (kernel, derivative) = (&mut kernel[after.clone()], &mut derivative[after.clone()]);
            squared_distances(&columns, rows, row, kernel);
            kernel_and_derivative(kernel, derivative, inverse, scales);
            let (cell, item) = (row / self.items, row % self.items);
            for value in cell..self.cells {
                let start = (value * self.items).max(row + 1);
                let within = start - row - 1..(value + 1) * self.items - row - 1;
                let coefficient = if value == cell { same } else { other };
                if value != cell && self.paired {
                    let twin = value * self.items + item - row - 1;
                    (kernel[twin], derivative[twin]) = (0.0, 0.0);
                }
                total += 2.0 * f64::from(coefficient) * f64::from(sum(&kernel[within.clone()]));
                derivative[within].iter_mut().for_each(|derivative| *derivative *= 4.0 * weight * coefficient);
            }
            for (column, derivatives) in columns.chunks_exact(rows).zip(derivatives.chunks_exact_mut(rows)) {
                let (before, after_row) = derivatives.split_at_mut(row + 1);
                before[row] += weighted_differences(derivative, &column[after.clone()], column[row], after_row);
            }
        }
        for (output, derivatives) in derivatives.chunks_exact(rows).enumerate() {
            let rows = gradient.iter_mut().skip(output).step_by(self.outputs);
            rows.zip(derivatives).for_each(|(gradient, derivative)| *gradient += derivative);
        }
        total
    }

    fn pairing(&self, weight: f32, gradient: &mut [f32]) -> f64 {
        let width = self.items * self.outputs;
        let pairs = (self.cells * (self.cells - 1) / 2) as f32;
        let scale = 1.0 / (2.0 * self.spread() * pairs * self.items as f32);
        let mut total = 0.0;
        for a in 0..self.cells {
            for b in a + 1..self.cells {
                for i in 0..width {
                    let difference = self.q[a * width + i] - self.q[b * width + i];
                    total += f64::from(scale * difference * difference);
                    gradient[a * width + i] += weight * scale * 2.0 * difference;
                    gradient[b * width + i] -= weight * scale * 2.0 * difference;
                }
            }
        }
        total
    }

    /// The weight of a kernel value of an ordered pair: within a cell, and between two cells.
    fn coefficients(&self) -> (f32, f32) {
        let (cells, items) = (self.cells as f32, self.items as f32);
        let pairs = cells * (cells - 1.0) / 2.0;
        let between = if self.paired { items * (items - 1.0) } else { items * items };
        ((cells - 1.0) / pairs / (items * (items - 1.0)), -1.0 / pairs / between)
    }

    /// The outputs as columns, so that distances from one row to all others run along memory.
    fn columns(&self) -> Vec<f32> {
        let rows = self.cells * self.items;
        let mut columns = vec![0.0; self.q.len()];
        for (row, values) in self.q.chunks_exact(self.outputs).enumerate() {
            for (output, &value) in values.iter().enumerate() {
                columns[output * rows + row] = value;
            }
        }
        columns
    }

    /// The median squared distance of two rows, over all pairs or an even sample of them.
    fn median(&self, columns: &[f32]) -> f32 {
        let rows = self.cells * self.items;
        let pairs = rows * (rows - 1) / 2;
        let stride = pairs.div_ceil(MEDIAN_SAMPLE).max(1);
        let mut sample = Vec::with_capacity(pairs / stride + 1);
        let mut next = 0;
        let mut passed = 0;
        for row in 0..rows {
            let below = rows - row - 1;
            while next < passed + below {
                let other = row + 1 + (next - passed);
                let distance = |column: &[f32]| (column[row] - column[other]).powi(2);
                sample.push(columns.chunks_exact(rows).map(distance).sum::<f32>());
                next += stride;
            }
            passed += below;
        }
        let middle = sample.len() / 2;
        *sample.select_nth_unstable_by(middle, f32::total_cmp).1
    }

    /// The total variance of the class.
    fn spread(&self) -> f32 {
        let rows = (self.cells * self.items) as f64;
        let variance = |output: usize| {
            let values = || self.q.iter().skip(output).step_by(self.outputs).map(|&value| f64::from(value));
            let mean = values().sum::<f64>() / rows;
            values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows
        };
        ((0..self.outputs).map(variance).sum::<f64>() as f32).max(f32::MIN_POSITIVE)
    }
}

/// Squared distances of a row to all rows after it.
#[inline(always)]
fn squared_distances(columns: &[f32], rows: usize, row: usize, distances: &mut [f32]) {
    distances.fill(0.0);
    for column in columns.chunks_exact(rows) {
        let centre = column[row];
        for (distance, &value) in distances.iter_mut().zip(&column[row + 1..]) {
            *distance += (value - centre) * (value - centre);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Measure = Measure { scales: 4, pairing: 0.5, whiten: false, floor: 0.0, discriminant: None };

    #[test]
    fn equal_distributions_match_and_shifted_ones_do_not() {
        let items = 50;
        let row = |i: usize, shift: f32| [(i as f32 * 0.37).sin() + shift, (i as f32 * 0.73).cos()];
        let batch = |shift: f32| -> Vec<f32> {
            (0..items).flat_map(|i| row(i, 0.0)).chain((0..items).flat_map(|i| row(i + 17, shift))).collect()
        };
        let layout = Layout { cells: &[2], items, paired: false };
        let value = |shift| matching(&batch(shift), 2, layout, PLAIN, 1.0).0[0].mmd;
        assert!(value(0.0).abs() < 0.05, "{}", value(0.0));
        assert!(value(1.0) > 0.15, "{}", value(1.0));
    }

    #[test]
    fn classes_of_one_value_are_left_out() {
        let q: Vec<f32> = (0..18).map(|i| i as f32).collect();
        let (matched, gradient) = matching(&q, 2, Layout { cells: &[1, 2], items: 3, paired: true }, PLAIN, 1.0);
        assert!(gradient[..6].iter().all(|&g| g == 0.0));
        assert!(gradient[6..].iter().any(|&g| g != 0.0));
        assert_eq!(matched[0], Matched::default());
        assert!(matched[1].mmd.is_finite() && matched[1].pairing.is_finite());
    }

    #[test]
    fn whitened_discrepancy_sees_a_thin_direction() {
        let items = 60;
        // The values differ along a direction that carries a hundredth of the variance.
        let row = |i: usize, shift: f32| [10.0 * (i as f32 * 0.37).sin(), (i as f32 * 0.73).cos() + shift];
        let q: Vec<f32> =
            (0..items).flat_map(|i| row(i, 0.0)).chain((0..items).flat_map(|i| row(i + 17, 1.0))).collect();
        let layout = Layout { cells: &[2], items, paired: false };
        let [plain, white] =
            [false, true].map(|whiten| matching(&q, 2, layout, Measure { whiten, ..PLAIN }, 1.0).0[0].mmd);
        assert!(white > 1.5 * plain, "{plain} {white}");
    }

    /// `tr(KHLH)/m²` by its definition, from the unbiased discrepancy and what the diagonal adds to it.
    #[test]
    fn the_discrepancy_is_the_independence_criterion() {
        let (cells, items) = (3, 20);
        let rows = cells * items;
        let q: Vec<f32> = (0..rows * 2).map(|i| (i as f32 * 0.61).sin() + (i / 40) as f32 * 0.3).collect();
        let found = matching(&q, 2, Layout { cells: &[cells], items, paired: false }, PLAIN, 1.0).0[0].mmd;

        let class = Class { q: &q, outputs: 2, cells, items, paired: false };
        let median = f64::from(class.median(&class.columns()));
        let kernel = |i: usize, j: usize| -> f64 {
            let square: f64 = (0..2).map(|k| f64::from(q[2 * i + k] - q[2 * j + k]).powi(2)).sum();
            let widths = (0..PLAIN.scales).map(|s| (-square * 3_f64.powi(s as i32) / median).exp());
            widths.sum::<f64>() / PLAIN.scales as f64
        };
        let of_values = |i: usize, j: usize| f64::from(i / items == j / items);
        let centred = |kernel: &dyn Fn(usize, usize) -> f64, i: usize, j: usize| {
            let mean = |of: &dyn Fn(usize) -> f64| (0..rows).map(of).sum::<f64>() / rows as f64;
            let all = mean(&|a| mean(&|b| kernel(a, b)));
            kernel(i, j) - mean(&|a| kernel(a, j)) - mean(&|b| kernel(i, b)) + all
        };
        let pairs = || (0..rows).flat_map(|i| (0..rows).map(move |j| (i, j)));
        let trace: f64 = pairs().map(|(i, j)| kernel(i, j) * centred(&of_values, i, j)).sum();
        let hsic = trace / (rows * rows) as f64;

        let (v, n) = (cells as f64, items as f64);
        let within: f64 = pairs().filter(|&(i, j)| i != j && i / items == j / items).map(|(i, j)| kernel(i, j)).sum();
        let diagonal = 2.0 / v * (v / n - within / (n * n * (n - 1.0)));
        let expected = (v - 1.0) / (2.0 * v * v) * (found + diagonal);
        assert!((hsic - expected).abs() < 1e-6 * hsic.abs().max(1e-3), "{hsic} {expected}");
    }
}
