//! The sum of kernels of several widths, its derivative, and the sum that makes a gradient of it.

/// Squared distances become kernel values; `slope` becomes their derivative by the squared distance.
pub(super) fn kernel_and_slope(distances: &mut [f32], slope: &mut [f32], inverse: f32, scales: usize) {
    let share = 1.0 / scales as f32;
    for (kernel, slope) in distances.iter_mut().zip(slope) {
        let mut power = exp(-*kernel * inverse);
        let (mut sum, mut derivative, mut factor) = (0.0, 0.0, 1.0);
        for _ in 0..scales {
            sum += power;
            derivative += factor * power;
            power = power * power * power;
            factor *= 3.0;
        }
        *kernel = sum * share;
        *slope = -derivative * share * inverse;
    }
}

/// `Σ slope_i·(centre − column_i)`, in eight fixed lanes: fast, and the same sum on every machine.
pub(super) fn weighted_differences(slope: &[f32], column: &[f32], centre: f32) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (slopes, slope_rest) = slope.as_chunks::<8>();
    let (values, value_rest) = column.as_chunks::<8>();
    for (slopes, values) in slopes.iter().zip(values) {
        for lane in 0..8 {
            lanes[lane] += slopes[lane] * (centre - values[lane]);
        }
    }
    for (lane, (slope, value)) in slope_rest.iter().zip(value_rest).enumerate() {
        lanes[lane] += slope * (centre - value);
    }
    lanes.iter().sum()
}

/// `e^x` for `x ≤ 0`, to a relative 1e-5, without branches so that loops over it use vectors.
fn exp(x: f32) -> f32 {
    let x = x.max(-87.0) * std::f32::consts::LOG2_E;
    // Rounding to the nearest integer by adding and taking away 1.5·2²³.
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

    #[test]
    fn exponential_is_accurate() {
        for i in 0..500 {
            let x = -0.08 * i as f32;
            assert!((exp(x) - x.exp()).abs() <= 1e-5 * x.exp(), "{x}: {} {}", exp(x), x.exp());
        }
    }
}
