//! Random initial weights, drawn from a seeded generator and never on a device.

use rand::{Rng, RngExt};

/// `count` values of a centred normal distribution with standard deviation `deviation`.
pub(crate) fn normal(count: usize, deviation: f32, rng: &mut impl Rng) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        // Box and Muller: two uniform numbers give two normal ones.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        values.push((radius * cosine) as f32 * deviation);
        values.push((radius * sine) as f32 * deviation);
    }
    values.truncate(count);
    values
}

/// `count` values uniform in `±1/√fan_in`, PyTorch's choice for linear and convolution layers.
pub(crate) fn uniform_by_fan_in(count: usize, fan_in: usize, rng: &mut impl Rng) -> Vec<f32> {
    let limit = 1.0 / (fan_in.max(1) as f32).sqrt();
    (0..count).map(|_| (2.0 * rng.random::<f32>() - 1.0) * limit).collect()
}
