//! One subgroup check for many points.
//!
//! A single random combination is not sound: a component of order 3 in G1 (or 13
//! in G2), the smallest prime of the cofactor, survives it with probability 1/3
//! (1/13) whatever the length of the coefficients. Instead we check `t`
//! independent combinations with short coefficients, uniform over one residue
//! system of that prime: a point outside the subgroup passes with probability at
//! most `3^−26 = 2^−41.2` in G1 (coefficients −1..1) and `13^−11 = 2^−40.7` in G2
//! (coefficients −6..6). The combinations are a projection by a random matrix.

use rand::{CryptoRng, SeedableRng, rngs::StdRng};

use super::{
    project::{Projection, rows_per_pass},
    schedule::in_order,
    vector::to_shifted,
};
use crate::raw::{Coordinate, G1, G2, Point, ifma::Ifma};

/// Whether all points of either side lie in the prime-order subgroup, with soundness `2^−40`.
pub(crate) fn all_in_subgroups(left: &[G1], right: &[G2], rng: &mut impl CryptoRng) -> (bool, bool) {
    let (left, right) = rayon::join(|| Check::new(left), || Check::new(right));
    // Tasks in G2 take longer and come first.
    let first = right.tasks;
    let mut seeds = vec![[0; 32]; first + left.tasks];
    seeds.iter_mut().for_each(|seed| rng.fill_bytes(seed));
    let sound = in_order(seeds.len(), |task| {
        let rng = StdRng::from_seed(seeds[task]);
        if task < first { right.run(task, rng) } else { left.run(task - first, rng) }
    });
    let (right, left) = sound.split_at(first);
    (left.iter().all(|&sound| sound), right.iter().all(|&sound| sound))
}

/// The check of one side, in tasks that do one pass of the projection each.
struct Check<'a, F: Coordinate> {
    points: &'a [Point<F>],
    /// The points as the projection takes them; empty when each is checked by itself.
    prepared: Vec<Point<F>>,
    lanes: Option<Ifma>,
    tasks: usize,
}

impl<'a, F: Coordinate> Check<'a, F> {
    fn new(points: &'a [Point<F>]) -> Self {
        let (rows, most) = F::SUBGROUP_COMBINATIONS;
        let lanes = Ifma::detect();
        if points.len() <= rows {
            return Self { points, prepared: Vec::new(), lanes, tasks: points.len() };
        }
        let prepared = lanes.map_or_else(|| points.to_vec(), |token| to_shifted(token, points));
        Self { points, prepared, lanes, tasks: rows.div_ceil(rows_per_pass(points.len(), most)) }
    }

    fn run(&self, task: usize, mut rng: StdRng) -> bool {
        if self.prepared.is_empty() {
            return F::in_subgroup(&self.points[task]);
        }
        let (rows, most) = F::SUBGROUP_COMBINATIONS;
        let rows = (task + 1) * rows / self.tasks - task * rows / self.tasks;
        let weights = coefficients(rows * self.points.len(), most, &mut rng);
        let projection = Projection::whole(self.points.len(), &weights);
        projection.run_prepared(&self.prepared, 1, self.lanes).iter().all(F::in_subgroup)
    }
}

/// Uniform coefficients from `−most` to `most`.
fn coefficients(count: usize, most: i32, rng: &mut impl CryptoRng) -> Vec<i32> {
    let modulus = 2 * most as u32 + 1;
    let mut weights = Vec::with_capacity(count + 8);
    while weights.len() < count {
        let mut word = rng.next_u64();
        // Eight coefficients a word; the bias is below 2^-28 of 1/13.
        for _ in 0..8 {
            let low = word % u64::from(modulus);
            weights.push(low as i32 - most);
            word /= u64::from(modulus);
        }
    }
    weights.truncate(count);
    weights
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

    /// The answer for one side.
    trait Sides: Coordinate {
        fn check(points: &[Point<Self>], rng: &mut ChaCha12Rng) -> bool;
    }

    impl Sides for Fp {
        fn check(points: &[G1], rng: &mut ChaCha12Rng) -> bool {
            let (left, right) = all_in_subgroups(points, &[], rng);
            assert!(right);
            left
        }
    }

    impl Sides for Fp2 {
        fn check(points: &[G2], rng: &mut ChaCha12Rng) -> bool {
            let (left, right) = all_in_subgroups(&[Fp::generator()], points, rng);
            assert!(left);
            right
        }
    }

    fn one_bad_point_is_found<F: Sides>(compressed_bytes: usize) {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let mut points: Vec<Point<F>> =
            (0..60).map(|_| F::scalar_mul(&F::generator(), &Scalar::random(&mut rng))).collect();
        points[7] = Point::INFINITY;
        points[9] = points[8];
        points[10] = points[8].neg();
        assert!(F::check(&points, &mut rng));
        for place in [0, 8, 59] {
            let mut bad = points.clone();
            bad[place] = outside::<F>(compressed_bytes);
            assert!(!F::check(&bad, &mut rng));
            assert!(!F::check(&bad[place..place + 1], &mut rng));
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
