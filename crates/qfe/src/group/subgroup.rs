//! One subgroup check for many points.
//!
//! A single random combination is not sound: a component of order 3 in G1 (or 13
//! in G2), the smallest prime of the cofactor, survives it with probability 1/3
//! (1/13) whatever the length of the coefficients. Instead we check `t`
//! independent combinations with short coefficients, uniform over one residue
//! system of that prime: a point outside the subgroup passes with probability at
//! most `3^−26 = 2^−41.2` in G1 (coefficients −1..1) and `13^−11 = 2^−40.7` in G2
//! (coefficients −6..6). The combinations are a projection by a random matrix.

use rand::CryptoRng;
use rayon::prelude::*;

use super::project::Projection;
use crate::raw::{Coordinate, Point};

/// Whether all points lie in the prime-order subgroup, with soundness `2^−40`.
pub(crate) fn all_in_subgroup<F: Coordinate>(points: &[Point<F>], rng: &mut impl CryptoRng) -> bool {
    let (rows, most) = F::SUBGROUP_COMBINATIONS;
    if points.len() <= rows {
        return points.par_iter().all(F::in_subgroup);
    }
    let modulus = 2 * most as u32 + 1;
    let mut weights = Vec::with_capacity(rows * points.len());
    while weights.len() < rows * points.len() {
        let mut word = rng.next_u64();
        // Eight coefficients a word; the bias is below 2^-28 of 1/13.
        for _ in 0..8 {
            let low = word % u64::from(modulus);
            weights.push(low as i32 - most);
            word /= u64::from(modulus);
        }
    }
    weights.truncate(rows * points.len());
    let combinations = Projection::in_parts(points.len(), &weights, 2.0).run(points, 1);
    combinations.par_iter().all(F::in_subgroup)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;
    use crate::raw::{Fp, Fp2, Scalar};

    /// A point of the curve outside the subgroup, by trial of x coordinates.
    fn outside<F: Coordinate>(flag_bytes: usize) -> Point<F> {
        let mut bytes = vec![0u8; flag_bytes];
        bytes[0] = 0x80;
        (0..=255u8)
            .filter_map(|last| {
                *bytes.last_mut()? = last;
                F::deserialize(&bytes, true)
            })
            .find(|point| !F::in_subgroup(point))
            .expect("half of all x are on the curve and almost none in the subgroup")
    }

    fn one_bad_point_is_found<F: Coordinate>(compressed_bytes: usize) {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let mut points: Vec<Point<F>> =
            (0..60).map(|_| F::scalar_mul(&F::generator(), &Scalar::random(&mut rng))).collect();
        points[7] = Point::INFINITY;
        points[9] = points[8];
        points[10] = points[8].neg();
        assert!(all_in_subgroup(&points, &mut rng));
        for place in [0, 8, 59] {
            let mut bad = points.clone();
            bad[place] = outside::<F>(compressed_bytes);
            assert!(!all_in_subgroup(&bad, &mut rng));
        }
    }

    #[test]
    fn one_bad_point_is_found_in_g1() {
        one_bad_point_is_found::<Fp>(48);
    }

    #[test]
    fn one_bad_point_is_found_in_g2() {
        one_bad_point_is_found::<Fp2>(96);
    }
}
