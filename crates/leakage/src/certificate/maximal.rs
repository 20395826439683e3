//! Maximal leakage of noisy outputs, from exact ranges and the noise alone, without any data.
//!
//! ```text
//! bits ≤ Σ_j log2 Σ_y max_x Pr[a_j·r_j = y − x]     x over the range of output j
//! ```
//!
//! The noise lies on multiples of `a_j`, so inputs of different remainders never meet. With `R + 1` values in
//! the range and `c = min(a, R + 1)` remainders among them, the inner sum is `c + (R + 1 − c)·Pr[r = 0]`.

/// One output: its exact inclusive range and its own noise `step · r`, `r` a truncated discrete Gaussian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoisyOutput {
    /// Smallest value without noise.
    pub low: i64,
    /// Largest value without noise.
    pub high: i64,
    /// Integer factor of the noise coordinate; its sign does not matter.
    pub step: i64,
    /// σ of the noise coordinate, before the factor.
    pub deviation: u32,
    /// The coordinate never exceeds this many σ.
    pub tail: u32,
}

/// Most bits that the outputs together tell about anything; `None` where an output has no noise
/// (`step` or `deviation` is 0) or an empty range: nothing can be certified without noise under encryption.
pub fn maximal_leakage_bits(outputs: &[NoisyOutput]) -> Option<f64> {
    outputs.iter().map(bits).sum()
}

fn bits(output: &NoisyOutput) -> Option<f64> {
    if output.step == 0 || output.deviation == 0 || output.low > output.high {
        return None;
    }
    let values = i128::from(output.high) - i128::from(output.low) + 1;
    let remainders = values.min(i128::from(output.step.unsigned_abs()));
    let sum = remainders as f64 + (values - remainders) as f64 * at_zero(output.deviation, output.tail);
    Some(sum.log2())
}

/// `Pr[r = 0]`. Terms beyond 8σ are left out, which only raises it.
fn at_zero(deviation: u32, tail: u32) -> f64 {
    let sigma = f64::from(deviation);
    let bound = u64::from(deviation) * u64::from(tail.min(8));
    let half: f64 = (1..=bound).map(|x| (-0.5 * (x as f64 / sigma).powi(2)).exp()).sum();
    1.0 / (1.0 + 2.0 * half)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum over `y` as it is defined.
    fn direct(output: &NoisyOutput) -> f64 {
        let bound = i64::from(output.deviation * output.tail);
        let weight = |r: i64| (-0.5 * (r as f64 / f64::from(output.deviation)).powi(2)).exp();
        let whole: f64 = (-bound..=bound).map(weight).sum();
        let step = output.step.abs();
        let chance = |n: i64| if n % step == 0 && (n / step).abs() <= bound { weight(n / step) / whole } else { 0.0 };
        let most = |y: i64| (output.low..=output.high).map(|x| chance(y - x)).fold(0.0, f64::max);
        (output.low - bound * step..=output.high + bound * step).map(most).sum::<f64>().log2()
    }

    #[test]
    fn the_closed_form_is_the_sum_over_the_lattice() {
        for (low, high, step, deviation, tail) in
            [(-3, 9, 1, 2, 4), (0, 20, 3, 2, 3), (5, 6, -4, 1, 6), (7, 7, 2, 3, 2)]
        {
            let output = NoisyOutput { low, high, step, deviation, tail };
            let found = maximal_leakage_bits(&[output]).unwrap();
            assert!((found - direct(&output)).abs() < 1e-9, "{output:?}: {found}");
        }
    }

    #[test]
    fn an_output_without_noise_gets_no_number() {
        let noisy = NoisyOutput { low: 0, high: 9, step: 1, deviation: 3, tail: 6 };
        assert!(maximal_leakage_bits(&[noisy, NoisyOutput { step: 0, ..noisy }]).is_none());
        assert!(maximal_leakage_bits(&[noisy, NoisyOutput { deviation: 0, ..noisy }]).is_none());
    }
}
