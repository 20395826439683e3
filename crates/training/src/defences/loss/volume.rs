//! How wide the classes are compared with the noise.
//!
//! The number of samples that a proved bound needs grows with the number of noise-sized places within a class. With the
//! covariance `Σ` of the outputs of one class and noise of deviation `σ`, that number of places grows as
//!
//! ```text
//! volume = ½·ln det(Σ/σ² + ½)             mean over classes; grows without a bound as classes widen
//! ∂/∂q_i = (Σ + σ²/2)⁻¹·(q_i − mean)/N     N rows of the class
//! ```

use super::cholesky::Cholesky;
use super::discrepancy::Layout;
use super::whitening::covariance;

/// The mean volume of the classes of a batch `q` [rows, outputs] under noise of deviation `noise` > 0; adds `weight`
/// times its gradient.
pub(crate) fn volume(q: &[f32], outputs: usize, layout: Layout, noise: f32, weight: f32, gradient: &mut [f32]) -> f64 {
    let square = f64::from(noise).powi(2);
    let share = 1.0 / layout.cells.len().max(1) as f64;
    let (mut start, mut total) = (0, 0.0);
    for &cells in layout.cells {
        let rows = cells * layout.items;
        let places = start..start + rows * outputs;
        total += share * class(&q[places.clone()], outputs, square, f64::from(weight) * share, &mut gradient[places]);
        start += rows * outputs;
    }
    total
}

fn class(q: &[f32], outputs: usize, square: f64, weight: f64, gradient: &mut [f32]) -> f64 {
    let rows = (q.len() / outputs) as f64;
    if rows == 0.0 {
        return 0.0;
    }
    let mut matrix = covariance(q, outputs);
    (0..outputs).for_each(|i| matrix[i * outputs + i] += square / 2.0);
    let factor = Cholesky::new(matrix, outputs, square / 4.0);
    let mut mean = vec![0.0; outputs];
    for row in q.chunks_exact(outputs) {
        mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / rows);
    }
    for (row, gradient) in q.chunks_exact(outputs).zip(gradient.chunks_exact_mut(outputs)) {
        let centred = row.iter().zip(&mean).map(|(&value, mean)| f64::from(value) - mean).collect();
        let derivative = factor.solve(centred);
        gradient
            .iter_mut()
            .zip(derivative)
            .for_each(|(gradient, derivative)| *gradient += (weight * derivative / rows) as f32);
    }
    factor.half_log_determinant() - outputs as f64 * square.sqrt().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(spread: f32) -> Vec<f32> {
        (0..120).map(|i| (i as f32 * 0.7).sin() * if i % 2 == 0 { spread } else { 1.0 }).collect()
    }

    #[test]
    fn wide_classes_have_volume_and_points_have_the_least() {
        let layout = Layout { cells: &[2, 1], items: 20, paired: false };
        let of = |spread| volume(&batch(spread), 2, layout, 0.3, 0.0, &mut [0.0; 120]);
        assert!(of(2.0) > of(1.0) + 0.5, "{} {}", of(2.0), of(1.0));
        let points = volume(&[1.0; 120], 2, layout, 0.3, 0.0, &mut [0.0; 120]);
        assert!((points - 0.5_f64.ln()).abs() < 1e-9, "{points}");
    }

    #[test]
    fn the_gradient_is_the_difference_quotient() {
        let layout = Layout { cells: &[2, 1], items: 20, paired: false };
        let q = batch(1.5);
        let mut gradient = vec![0.0; q.len()];
        volume(&q, 2, layout, 0.3, 2.0, &mut gradient);
        for place in [0, 7, 63, 119] {
            let at = |step: f32| {
                let mut q = q.clone();
                q[place] += step;
                2.0 * volume(&q, 2, layout, 0.3, 0.0, &mut vec![0.0; q.len()])
            };
            let quotient = (at(1e-3) - at(-1e-3)) / 2e-3;
            assert!((quotient - f64::from(gradient[place])).abs() < 1e-3, "{quotient} {}", gradient[place]);
        }
    }
}
