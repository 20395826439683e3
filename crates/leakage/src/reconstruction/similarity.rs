//! Structural similarity.

const WINDOW: usize = 7;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Mean over all 7×7 windows (smaller where the picture is) of
/// (2μ_aμ_b + c₁)(2σ_ab + c₂) / ((μ_a² + μ_b² + c₁)(σ_a² + σ_b² + c₂)) on values 0..1
/// (Wang, Bovik, Sheikh and Simoncelli, 2004, with a flat window).
pub(super) fn ssim(a: &[f32], b: &[f32], height: usize, across: usize) -> f64 {
    let (tall, wide) = (WINDOW.min(height), WINDOW.min(across));
    let n = (tall * wide) as f64;
    let mut total = 0.0;
    for top in 0..=height - tall {
        for left in 0..=across - wide {
            let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for y in top..top + tall {
                let row = y * across + left;
                for (x, y) in a[row..row + wide].iter().zip(&b[row..row + wide]) {
                    let (x, y) = (*x as f64, *y as f64);
                    sa += x;
                    sb += y;
                    saa += x * x;
                    sbb += y * y;
                    sab += x * y;
                }
            }
            let (ma, mb) = (sa / n, sb / n);
            let (va, vb, cov) = (saa / n - ma * ma, sbb / n - mb * mb, sab / n - ma * mb);
            total += (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
        }
    }
    total / ((height - tall + 1) * (across - wide + 1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_for_equal_pictures_and_less_for_others() {
        let a: Vec<f32> = (0..144).map(|i| ((i * 29) % 17) as f32 / 17.0).collect();
        let b: Vec<f32> = a.iter().map(|x| 1.0 - x).collect();
        assert!((ssim(&a, &a, 12, 12) - 1.0).abs() < 1e-9);
        assert!(ssim(&a, &b, 12, 12) < 0.0);
        assert!((ssim(&a, &a, 1, 144) - 1.0).abs() < 1e-9);
    }
}
