//! The sum of kernels of several widths, its derivative, and the sum that makes a gradient of it.

/// Runs loops with the widest vectors of this machine. Only code that is inlined into `work` gains.
///
/// Multiplications and additions are not fused and sums keep their order, so results do not depend on the machine.
#[inline(always)]
pub(super) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Numbers that are processed side by side.
const LANES: usize = 16;

/// Turns squared distances into kernel values, and `by_distance` into their derivative with respect to the squared
/// distance.
#[inline(always)]
pub(super) fn kernel_and_derivative(distances: &mut [f32], by_distance: &mut [f32], inverse: f32, scales: usize) {
    let (kernels, kernel_rest) = distances.as_chunks_mut();
    let (by_distances, by_distance_rest) = by_distance.as_chunks_mut();
    for (kernels, by_distances) in kernels.iter_mut().zip(by_distances) {
        lanes(kernels, by_distances, inverse, scales);
    }
    let (mut kernels, mut by_distances) = ([0.0; LANES], [0.0; LANES]);
    kernels[..kernel_rest.len()].copy_from_slice(kernel_rest);
    lanes(&mut kernels, &mut by_distances, inverse, scales);
    kernel_rest.copy_from_slice(&kernels[..kernel_rest.len()]);
    by_distance_rest.copy_from_slice(&by_distances[..by_distance_rest.len()]);
}

#[inline(always)]
fn lanes(kernel: &mut [f32; LANES], by_distance: &mut [f32; LANES], inverse: f32, scales: usize) {
    let (mut power, mut sum, mut derivative) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        power[lane] = exp(-kernel[lane] * inverse);
    }
    let mut factor = 1.0;
    for _ in 0..scales {
        for lane in 0..LANES {
            sum[lane] += power[lane];
            derivative[lane] += factor * power[lane];
            power[lane] = power[lane] * power[lane] * power[lane];
        }
        factor *= 3.0;
    }
    let share = 1.0 / scales as f32;
    for lane in 0..LANES {
        kernel[lane] = sum[lane] * share;
        by_distance[lane] = -derivative[lane] * share * inverse;
    }
}

/// `Σ slope_i·(centre − column_i)`, in fixed lanes; every term is subtracted from its place in `others`.
#[inline(always)]
pub(super) fn weighted_differences(by_distance: &[f32], column: &[f32], centre: f32, others: &mut [f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (by_distances, by_distance_rest) = by_distance.as_chunks::<LANES>();
    let (values, value_rest) = column.as_chunks::<LANES>();
    let (places, place_rest) = others.as_chunks_mut::<LANES>();
    for ((by_distances, values), places) in by_distances.iter().zip(values).zip(places) {
        for lane in 0..LANES {
            let term = by_distances[lane] * (centre - values[lane]);
            lanes[lane] += term;
            places[lane] -= term;
        }
    }
    for (lane, ((by_distance, value), place)) in by_distance_rest.iter().zip(value_rest).zip(place_rest).enumerate() {
        let term = by_distance * (centre - value);
        lanes[lane] += term;
        *place -= term;
    }
    lanes.iter().sum()
}

/// `Σ value_i`, in fixed lanes.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        lanes[lane] += value;
    }
    lanes.iter().sum()
}

/// `Σ value_i²`, in fixed lanes.
#[inline(always)]
pub(super) fn squares(values: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane] * chunk[lane];
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        lanes[lane] += value * value;
    }
    lanes.iter().sum()
}

/// `e^x` for `x ≤ 0`, to a relative 1e-5, without branches so that loops over it use vectors.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = x.max(-87.0) * std::f32::consts::LOG2_E;
    // Rounds to the nearest integer by adding and subtracting 1.5·2²³.
    let magic = 12_582_912.0_f32;
    let shifted = x + magic;
    let f = (x - (shifted - magic)) * std::f32::consts::LN_2;
    let series = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0)))));
    // The low bits of `shifted` are that integer; moved into the exponent they are a power of two.
    let exponent = shifted.to_bits().wrapping_sub(magic.to_bits()).wrapping_add(127) << 23;
    series * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One pair at a time, from the definition.
    #[test]
    fn lanes_are_the_sum_over_widths() {
        let (inverse, scales) = (0.7_f32, 5);
        let distances: Vec<f32> = (0..37).map(|i| 0.11 * i as f32).collect();
        let (mut kernel, mut by_distance) = (distances.clone(), vec![0.0; 37]);
        vectorised(
            #[inline(always)]
            || kernel_and_derivative(&mut kernel, &mut by_distance, inverse, scales),
        );
        for (i, distance) in distances.iter().enumerate() {
            let term = |s: i32| f64::from(-distance * inverse * 3.0_f32.powi(s)).exp();
            let value = (0..5).map(term).sum::<f64>() / 5.0;
            let derivative = -(0..5).map(|s| 3.0_f64.powi(s) * term(s)).sum::<f64>() / 5.0 * f64::from(inverse);
            assert!((f64::from(kernel[i]) - value).abs() < 1e-5, "{i}: {} is not {value}", kernel[i]);
            assert!(
                (f64::from(by_distance[i]) - derivative).abs() < 1e-3 * derivative.abs(),
                "{i}: {}",
                by_distance[i]
            );
        }
        assert!((sum(&distances) - 0.11 * 666.0).abs() < 1e-3);
        let terms: Vec<f32> = distances.iter().map(|value| value * (1.0 - value)).collect();
        let (weighted, mut others) = (terms.iter().sum::<f32>(), vec![1.0; 37]);
        let found = weighted_differences(&distances, &distances, 1.0, &mut others);
        assert!((found - weighted).abs() < 1e-3 * weighted.abs());
        assert!(others.iter().zip(&terms).all(|(other, term)| *other == 1.0 - term));
    }

    #[test]
    fn exponential_is_accurate() {
        for i in 0..500 {
            let x = -0.08 * i as f32;
            assert!((exp(x) - x.exp()).abs() <= 1e-5 * x.exp(), "{x}: {} {}", exp(x), x.exp());
        }
    }
}
