//! How unequal the distances of items from the centre are.
//!
//! Over the rows `q` of a batch, S outputs normalised to mean 0 and variance 1, so that `|q|²/S` has mean 1:
//!
//! ```text
//! mean of (|q|²/S − 1)²          0 where all items lie on one sphere
//! ```
//!
//! The noise is proportional to the deviation of an output. One class far out takes most of that deviation, so that the
//! other classes move together, and is wide itself. On a sphere all have the same room.

/// The value for a batch `q` [rows, outputs]; adds `weight` times its gradient.
pub(crate) fn radius(q: &[f32], outputs: usize, weight: f32, gradient: &mut [f32]) -> f64 {
    if weight == 0.0 {
        return 0.0;
    }
    let (rows, width) = ((q.len() / outputs) as f32, outputs as f32);
    let mut total = 0.0;
    for (row, gradient) in q.chunks_exact(outputs).zip(gradient.chunks_exact_mut(outputs)) {
        let excess = row.iter().map(|value| value * value).sum::<f32>() / width - 1.0;
        total += f64::from(excess * excess);
        let scale = weight * 4.0 * excess / (width * rows);
        gradient.iter_mut().zip(row).for_each(|(gradient, value)| *gradient += scale * value);
    }
    total / f64::from(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let q = [0.3, -1.2, 2.5, 0.4, -0.7, 0.1_f32];
        let mut gradient = [0.0; 6];
        radius(&q, 2, 0.5, &mut gradient);
        for place in 0..6 {
            let at = |step: f32| {
                let mut moved = q;
                moved[place] += step;
                radius(&moved, 2, 1.0, &mut [0.0; 6])
            };
            let expected = 0.5 * (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((f64::from(gradient[place]) - expected).abs() < 1e-3, "{place}: {gradient:?} {expected}");
        }
    }

    #[test]
    fn a_sphere_costs_nothing_and_no_weight_no_time() {
        let mut gradient = [0.0; 4];
        assert_eq!(radius(&[1.0, 1.0, -1.0, 1.0], 2, 1.0, &mut gradient), 0.0);
        assert_eq!(gradient, [0.0; 4]);
        assert_eq!(radius(&[3.0, 1.0, -1.0, 1.0], 2, 0.0, &mut gradient), 0.0);
    }
}
