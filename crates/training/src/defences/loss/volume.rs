//! How wide the classes are compared with the noise.
//!
//! The number of samples that a proved bound needs grows with the number of noise-sized places within a class. With the
//! covariance `Σ` of the outputs of one class and noise of deviation `σ`, that number of places grows as
//!
//! ```text
//! volume_c = det(Σ_c/σ² + ½)^½             of class c; grows without a bound as the class widens
//! width = ln (1/C Σ_c volume_c)            the widest classes count most, as they do for the samples
//! ∂/∂q_i = volume_c/Σ_k volume_k · (Σ_c + σ²/2)⁻¹·(q_i − mean_c)/N_c     N_c rows of the class
//! ```

use super::cholesky::Cholesky;
use super::discrepancy::Layout;
use super::whitening::covariance;

/// The logarithm of the mean volume of the classes of a batch `q` [rows, outputs] under noise of deviation `noise` > 0;
/// adds `weight` times its gradient.
pub(crate) fn volume(q: &[f32], outputs: usize, layout: Layout, noise: f32, weight: f32, gradient: &mut [f32]) -> f64 {
    let square = f64::from(noise).powi(2);
    let (mut rest, mut classes) = (q, Vec::new());
    for &cells in layout.cells.iter().filter(|&&cells| cells * layout.items > 0) {
        let (rows, after) = rest.split_at(cells * layout.items * outputs);
        classes.push((rows, Class::new(rows, outputs, square)));
        rest = after;
    }
    let largest = classes.iter().map(|(_, class)| class.volume).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = classes.iter().map(|(_, class)| (class.volume - largest).exp()).sum();
    let mut rest = gradient;
    for (rows, class) in &classes {
        let (gradient, after) = rest.split_at_mut(rows.len());
        class.descend(rows, f64::from(weight) * (class.volume - largest).exp() / sum, gradient);
        rest = after;
    }
    largest + (sum / classes.len() as f64).ln()
}

/// The moments of a class.
struct Class {
    mean: Vec<f64>,
    /// Of `Σ + σ²/2`.
    factor: Cholesky,
    /// Logarithm of the volume.
    volume: f64,
}

impl Class {
    fn new(q: &[f32], outputs: usize, square: f64) -> Self {
        let rows = (q.len() / outputs) as f64;
        let mut matrix = covariance(q, outputs);
        (0..outputs).for_each(|i| matrix[i * outputs + i] += square / 2.0);
        let factor = Cholesky::new(matrix, outputs, square / 4.0);
        let mut mean = vec![0.0; outputs];
        for row in q.chunks_exact(outputs) {
            mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / rows);
        }
        let volume = factor.half_log_determinant() - outputs as f64 * square.sqrt().ln();
        Self { mean, factor, volume }
    }

    /// Adds `weight` times the gradient of the logarithm of the volume.
    fn descend(&self, q: &[f32], weight: f64, gradient: &mut [f32]) {
        let outputs = self.mean.len();
        let rows = (q.len() / outputs) as f64;
        for (row, gradient) in q.chunks_exact(outputs).zip(gradient.chunks_exact_mut(outputs)) {
            let centred = row.iter().zip(&self.mean).map(|(&value, mean)| f64::from(value) - mean).collect();
            let derivative = self.factor.solve(centred);
            gradient
                .iter_mut()
                .zip(derivative)
                .for_each(|(gradient, derivative)| *gradient += (weight * derivative / rows) as f32);
        }
    }
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
        let classes =
            [0..80, 80..120].map(|rows| Class::new(&batch(2.0)[rows], 2, f64::from(0.3_f32).powi(2)).volume.exp());
        assert!((of(2.0) - (0.5 * (classes[0] + classes[1])).ln()).abs() < 1e-9, "{classes:?}");
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
