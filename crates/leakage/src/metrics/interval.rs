//! Intervals for proportions and the normal distribution that they need.

/// Wilson score interval of a proportion at confidence `level` (0..1): (low, high) in 0..1.
///
/// With p = successes/n and z the two-sided normal quantile, the bounds are
/// (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). No trials give (0, 1).
pub fn wilson(successes: f64, trials: f64, level: f64) -> (f64, f64) {
    if trials <= 0.0 {
        return (0.0, 1.0);
    }
    let z = normal_quantile(0.5 + level.clamp(0.0, 1.0 - 1e-12) / 2.0);
    let p = (successes / trials).clamp(0.0, 1.0);
    let z2 = z * z / trials;
    let centre = (p + z2 / 2.0) / (1.0 + z2);
    let half = z * (p * (1.0 - p) / trials + z2 / (4.0 * trials)).sqrt() / (1.0 + z2);
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// Standard normal distribution function, absolute error below 1e-12.
///
/// A series inside ±6 (Marsaglia, "Evaluating the normal distribution", 2004).
pub(crate) fn normal_cdf(x: f64) -> f64 {
    if x.abs() > 6.5 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut sum, mut term, mut i) = (x, x, 1.0);
    while f64::abs(term) > 1e-17 * sum.abs() && i < 400.0 {
        i += 2.0;
        term *= x * x / i;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Inverse of [`normal_cdf`] by bisection.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-6.5, 6.5);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_published_values() {
        // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I.
        for (x, n, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let (l, h) = wilson(x, n, 0.95);
            assert!((l - low).abs() < 1e-4 && (h - high).abs() < 1e-4, "{x}/{n}: {l} {h}");
        }
    }

    #[test]
    fn quantiles_invert_the_distribution() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-10);
        assert!((normal_cdf(-1.0) - 0.158_655_253_931_457).abs() < 1e-12);
    }
}
