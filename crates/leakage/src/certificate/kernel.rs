//! Sums of the noise's weights over many samples: the inner loop of a certificate.

/// The weight of one output: `exp(−(factor·difference)²)`, nothing beyond `reach`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// `1/(σ·√2)`.
    pub(super) factor: f64,
    /// Largest difference that the noise makes, in steps.
    pub(super) reach: i32,
}

const TILE: usize = 256;
/// An exponent whose weight is 0.
const NOTHING: f64 = 1e6;

/// For every point the sum over the rows of `Π_j exp(−(factor_j·(point_j − row_j))²)`.
///
/// `columns[j]` holds output `j` of every row; the points lie one after the other. Every weight has a relative
/// error below 2^-44, and a sum of `n` weights one below `2^-44 + n·2^-53` more.
pub(super) fn sums(columns: &[&[i32]], axes: &[Axis], points: &[i32], sums: &mut [f64]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || tiles(columns, axes, points, sums),
    );
}

#[inline(always)]
fn tiles(columns: &[&[i32]], axes: &[Axis], points: &[i32], sums: &mut [f64]) {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut exponents = [0.0; TILE];
    for start in (0..rows).step_by(TILE) {
        let end = rows.min(start + TILE);
        let exponents = &mut exponents[..end - start];
        for (point, sum) in points.chunks_exact(axes.len()).zip(&mut *sums) {
            exponents.fill(0.0);
            for ((column, axis), &at) in columns.iter().zip(axes).zip(point) {
                let reach = axis.reach.unsigned_abs();
                for (exponent, &row) in exponents.iter_mut().zip(&column[start..end]) {
                    let difference = at.wrapping_sub(row);
                    let scaled = f64::from(difference) * axis.factor;
                    *exponent += if difference.unsigned_abs() <= reach { scaled * scaled } else { NOTHING };
                }
            }
            *sum += total(exponents);
        }
    }
}

/// `Σ exp(−x)`, in eight sums that do not wait for each other.
#[inline(always)]
fn total(exponents: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let chunks = exponents.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|&x| exp_of_minus(x)).sum();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += exp_of_minus(x);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// `exp(−x)` for `x ≥ 0`, 0 beyond 700, without branches: `exp(−x) = 2^n·exp(r)`, `|r| ≤ ln 2 / 2`, and a polynomial.
#[inline(always)]
fn exp_of_minus(x: f64) -> f64 {
    /// Adding it leaves the nearest integer in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let bounded = if x < 700.0 { -x } else { -700.0 };
    let shifted = bounded * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (bounded - n * LN2_HIGH) - n * LN2_LOW;
    // 1/k!, k from 13 down to 0.
    let series = [
        1.605_904_383_682_161_5e-10,
        2.087_675_698_786_81e-9,
        2.505_210_838_544_172e-8,
        2.755_731_922_398_589_3e-7,
        2.755_731_922_398_589e-6,
        2.480_158_730_158_73e-5,
        1.984_126_984_126_984e-4,
        1.388_888_888_888_889e-3,
        8.333_333_333_333_333e-3,
        4.166_666_666_666_666_4e-2,
        1.666_666_666_666_666_6e-1,
        0.5,
        1.0,
        1.0,
    ];
    let polynomial = series.into_iter().reduce(|sum, next| sum * r + next).unwrap_or(1.0);
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    if x < 700.0 { polynomial * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for step in 0..70_000 {
            let x = f64::from(step) * 0.009_99;
            let error = exp_of_minus(x) / (-x).exp() - 1.0;
            assert!(error.abs() < 2_f64.powi(-44), "{x}: {error}");
        }
        assert_eq!((exp_of_minus(0.0), exp_of_minus(701.0), exp_of_minus(NOTHING)), (1.0, 0.0, 0.0));
    }

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let axes = [Axis { factor: 0.01, reach: 400 }, Axis { factor: 0.05, reach: 90 }];
        let columns: Vec<Vec<i32>> =
            [500, 100].iter().map(|&wide| (0..1000).map(|_| random.random_range(-wide..wide)).collect()).collect();
        let points = [10, 20, -300, 5, 480, -99, 5000, 0];
        let mut found = [0.0; 4];
        let views: Vec<&[i32]> = columns.iter().map(Vec::as_slice).collect();
        sums(&views, &axes, &points, &mut found);
        for (point, found) in points.chunks(2).zip(found) {
            let mut known = 0.0;
            for (first, second) in columns[0].iter().zip(&columns[1]) {
                let differences = [point[0] - first, point[1] - second];
                if differences.iter().zip(&axes).all(|(d, axis)| d.abs() <= axis.reach) {
                    let scaled = differences.iter().zip(&axes).map(|(d, axis)| f64::from(*d) * axis.factor);
                    known += (-scaled.map(|x| x * x).sum::<f64>()).exp();
                }
            }
            assert!((found - known).abs() <= 1e-12 * known, "{found} {known}");
        }
        assert_eq!(found[3], 0.0);
    }
}
