//! Cosine transforms of long sequences.

use std::f64::consts::TAU;

/// `Σ_d values[d]·cos(2π·k·d / L)` for k from 0 to L/2, L the length, a power of two.
pub(crate) fn cosines(values: Vec<f32>) -> Vec<f32> {
    let length = values.len();
    let mut real = values;
    let mut imaginary = vec![0.0_f32; length];
    let shift = usize::BITS - length.trailing_zeros();
    for at in 0..length {
        let reversed = if length > 1 { at.reverse_bits() >> shift } else { at };
        if at < reversed {
            real.swap(at, reversed);
        }
    }
    let mut half = 1;
    while half < length {
        let turns: Vec<(f32, f32)> = (0..half)
            .map(|k| {
                let angle = -TAU * k as f64 / (2 * half) as f64;
                (angle.cos() as f32, angle.sin() as f32)
            })
            .collect();
        for (real, imaginary) in real.chunks_exact_mut(2 * half).zip(imaginary.chunks_exact_mut(2 * half)) {
            let ((a, b), (c, d)) = (real.split_at_mut(half), imaginary.split_at_mut(half));
            for ((((a, b), c), d), &(cos, sin)) in a.iter_mut().zip(b).zip(c).zip(d).zip(&turns) {
                let (x, y) = (*b * cos - *d * sin, *b * sin + *d * cos);
                (*a, *b, *c, *d) = (*a + x, *a - x, *c + y, *c - y);
            }
        }
        half *= 2;
    }
    real.truncate(length / 2 + 1);
    real
}
