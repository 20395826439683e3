//! Columns of mean 0 and deviation 1, and decorrelated columns.
//!
//! Values are centred before they are rounded, and rounded to 32 bits last: a column loses nothing above the 24th bit
//! of its spread. Attackers that read integers see the bits below.

use crate::linear::{cholesky, gram, solve_lower};
use crate::outputs::Outputs;

/// Centre and scale of every column, so that attackers see columns of mean 0 and deviation 1.
#[derive(Debug, Clone)]
pub(crate) struct Standardiser {
    /// Subtracted exactly, before anything is rounded.
    origin: Vec<i64>,
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl Standardiser {
    /// Fitted on the rows of the given items. A constant column becomes 0.
    pub fn fit(rows: &Outputs, width: usize, items: &[usize]) -> Standardiser {
        let n = items.len().max(1) as f64;
        let first = items.first();
        let origin: Vec<i64> =
            (0..width).map(|axis| first.map_or(0, |item| rows.origin(item * width + axis))).collect();
        let mut mean = vec![0.0; width];
        for &i in items {
            for (axis, (m, &origin)) in mean.iter_mut().zip(&origin).enumerate() {
                *m += rows.beyond(i * width + axis, origin) / n;
            }
        }
        let mut variance = vec![0.0; width];
        for &i in items {
            for (axis, ((v, m), &origin)) in variance.iter_mut().zip(&mean).zip(&origin).enumerate() {
                *v += (rows.beyond(i * width + axis, origin) - m).powi(2) / n;
            }
        }
        let scale = (variance.iter().zip(&mean))
            .map(|(v, m)| {
                let deviation = v.sqrt();
                // A spread within the rounding error of the value counts as constant.
                let constant = deviation <= 1e-9 * m.abs().max(1e-20);
                if constant { 0.0 } else { 1.0 / deviation }
            })
            .collect();
        Standardiser { origin, mean, scale }
    }

    /// Standardised rows of the given items.
    pub fn apply(&self, rows: &Outputs, items: &[usize]) -> Vec<f32> {
        self.rows(rows, items).map(|x| x as f32).collect()
    }

    /// The same to 53 bits.
    pub fn apply_exactly(&self, rows: &Outputs, items: &[usize]) -> Vec<f64> {
        self.rows(rows, items).collect()
    }

    fn rows<'a>(&'a self, rows: &'a Outputs, items: &'a [usize]) -> impl Iterator<Item = f64> + 'a {
        let width = self.mean.len();
        items.iter().flat_map(move |&item| {
            (0..width).map(move |axis| {
                (rows.beyond(item * width + axis, self.origin[axis]) - self.mean[axis]) * self.scale[axis]
            })
        })
    }
}

/// Decorrelates standardised rows, so that distances do not depend on how a network mixes its outputs.
#[derive(Debug, Clone)]
pub(crate) struct Whitener {
    /// Lower triangle, row-major.
    factor: Vec<f64>,
    width: usize,
}

impl Whitener {
    /// More columns than this are left unchanged: a covariance of raw inputs is not informative.
    const WIDEST: usize = 64;
    /// Rows per column that a covariance needs.
    const ROWS: usize = 10;
    /// Keeps dependent columns finite.
    const SHRINKAGE: f64 = 1e-6;
    /// Residual of a column of integers, in its deviations, below which it counts as zero.
    const NOTHING: f64 = 1e-13;

    /// For columns of floats; `None` where there are too few rows or too many columns.
    pub fn fit(rows: &[f64], width: usize) -> Option<Whitener> {
        if !Self::fits(rows, width) {
            return None;
        }
        let n = rows.len() / width;
        let mut covariance = gram(rows, width);
        covariance.iter_mut().for_each(|c| *c /= n as f64);
        for i in 0..width {
            covariance[i * width + i] += Self::SHRINKAGE;
        }
        Some(Whitener { factor: cholesky(&covariance, width, Self::SHRINKAGE), width })
    }

    /// For columns of integers, in which a thin direction is not rounding error: the residual of a column after those
    /// before it is scaled to deviation 1 however small it is (Gram and Schmidt, each column twice).
    pub fn fit_exactly(rows: &[f64], width: usize) -> Option<Whitener> {
        if !Self::fits(rows, width) {
            return None;
        }
        let n = (rows.len() / width) as f64;
        let mut factor = vec![0.0; width * width];
        let mut white: Vec<Vec<f64>> = Vec::with_capacity(width);
        for axis in 0..width {
            let mut rest: Vec<f64> = rows.iter().skip(axis).step_by(width).copied().collect();
            for _ in 0..2 {
                for (k, before) in white.iter().enumerate() {
                    let share = before.iter().zip(&rest).map(|(q, x)| q * x).sum::<f64>() / n;
                    factor[axis * width + k] += share;
                    rest.iter_mut().zip(before).for_each(|(x, q)| *x -= share * q);
                }
            }
            let deviation = (rest.iter().map(|x| x * x).sum::<f64>() / n).sqrt();
            let deviation = if deviation > Self::NOTHING { deviation } else { f64::INFINITY };
            factor[axis * width + axis] = deviation;
            rest.iter_mut().for_each(|x| *x /= deviation);
            white.push(rest);
        }
        Some(Whitener { factor, width })
    }

    fn fits(rows: &[f64], width: usize) -> bool {
        width <= Self::WIDEST && rows.len() / width >= Self::ROWS * width
    }

    pub fn apply(&self, rows: &[f64]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows.len());
        let mut buffer = vec![0.0; self.width];
        for row in rows.chunks_exact(self.width) {
            buffer.copy_from_slice(row);
            solve_lower(&self.factor, self.width, &mut buffer);
            out.extend(buffer.iter().map(|&x| x as f32));
        }
        out
    }

    /// [`Whitener::fit`] for rows in 32 bits.
    pub fn of(rows: &[f32], width: usize) -> Option<Whitener> {
        Self::fit(&widened(rows), width)
    }

    /// [`Whitener::apply`] for rows in 32 bits.
    pub fn apply_to(&self, rows: &[f32]) -> Vec<f32> {
        self.apply(&widened(rows))
    }
}

fn widened(rows: &[f32]) -> Vec<f64> {
    rows.iter().map(|&x| f64::from(x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `o_2 = 3·o_1 + {0, 1}` with 37 bits in `o_1`.
    #[test]
    fn one_unit_across_a_thin_direction_is_seen() {
        let high = |item: i64| (item * 7_919 % 4_001) << 25;
        let rows: Vec<i64> = (0..800).flat_map(|item| [high(item), 3 * high(item) + item % 2]).collect();
        let (rows, items) = (Outputs::from(rows), (0..800).collect::<Vec<usize>>());
        let exact = Standardiser::fit(&rows, 2, &items).apply_exactly(&rows, &items);
        let white = Whitener::fit_exactly(&exact, 2).expect("enough rows").apply(&exact);
        let of = |odd: usize| white.chunks_exact(2).skip(odd).step_by(2).map(|row| row[1]);
        let (even, odd) = (of(0).fold(f32::MIN, f32::max), of(1).fold(f32::MAX, f32::min));
        assert!(odd - even > 1.0, "{even} {odd}");
        // A column that depends linearly on the first one is 0.
        let twice: Vec<i64> = (0..800).flat_map(|item| [high(item), -2 * high(item)]).collect();
        let twice = Outputs::from(twice);
        let exact = Standardiser::fit(&twice, 2, &items).apply_exactly(&twice, &items);
        let white = Whitener::fit_exactly(&exact, 2).expect("enough rows").apply(&exact);
        assert!(white.iter().all(|x| x.is_finite()) && white.chunks_exact(2).all(|row| row[1] == 0.0));
    }
}
