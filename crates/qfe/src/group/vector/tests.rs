//! Lanes against scalars.

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

use super::*;
use crate::{
    group::{
        batch::add_one,
        project::{Projection, count_matrix, run_both},
    },
    raw::{Fp2, Scalar},
};

fn points<F: Coordinate>(count: usize, seed: u64) -> Vec<Point<F>> {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    (0..count).map(|_| F::scalar_mul(&F::generator(), &Scalar::random(&mut rng))).collect()
}

#[cfg(all(target_arch = "x86_64", feature = "lanes"))]
/// Lanes and scalars agree, special cases included.
fn agree<F: Coordinate>() {
    let token = Ifma::or_model();
    let (a, mut b) = (points::<F>(45, 1), points::<F>(45, 2));
    let check = |b: &[Point<F>]| {
        let mut scalar = a.clone();
        add_all(45, &mut ZipAdditions { left: &mut scalar, right: b }, &mut Scratch::new());
        let (mut lanes, right) = (to_shifted(token, &a), to_shifted(token, b));
        let mut step = ZipAdditions { left: &mut lanes, right: &right };
        Adder::new(Some(token)).add(45, &mut step);
        assert!(from_shifted(token, &lanes) == scalar);
    };
    check(&b);
    (b[3], b[20], b[44]) = (a[3], a[20].neg(), Point::INFINITY);
    check(&b);
    let mut doubled = to_shifted(token, &a);
    let copy = doubled.clone();
    Adder::new(Some(token)).double(45, &mut ZipAdditions { left: &mut doubled, right: &copy });
    let expected: Vec<Point<F>> = a.iter().map(|&p| add_one(p, p)).collect();
    assert!(from_shifted(token, &doubled) == expected);
}

#[cfg(all(target_arch = "x86_64", feature = "lanes"))]
#[test]
fn lanes_agree_with_scalars() {
    agree::<Fp>();
    agree::<Fp2>();
}

#[cfg(all(target_arch = "x86_64", feature = "lanes"))]
#[test]
fn eight_inverses_are_those_of_each_lane() {
    let token = Ifma::or_model();
    let mut values: [Fp; 8] = std::array::from_fn(|k| (0..5 * k).fold(Fp::ONE, |power, _| power.double()));
    let load = |values: &[Fp; 8]| {
        let values = values.map(Fp::to_shifted);
        Fp8::load(token, values.each_ref())
    };
    let inverses = invert_lanes(&load(&values)).unwrap().unload();
    assert!(values.iter().zip(inverses).all(|(value, inverse)| inverse.unshifted() == value.inverse()));
    values[5] = Fp::ZERO;
    assert!(invert_lanes(&load(&values)).is_none());
}

#[test]
fn projections_are_weighted_sums() {
    let points = points::<Fp>(30, 3);
    for most in [1, 3, 7, 8, 127, 40_000] {
        let mut weights: Vec<i32> = (0..9 * 30).map(|k| (k * k * 31 + k * 17) % (2 * most + 1) - most).collect();
        // Rows that are zero, equal and opposite, and rows of one entry.
        weights[..30].fill(0);
        weights.copy_within(60..90, 90);
        (0..30).for_each(|k| weights[120 + k] = -weights[60 + k]);
        weights[150..180].fill(0);
        weights[155] = most;
        let (plain, thorough) = (Projection::new(30, &weights), Projection::thorough(30, &weights));
        assert!(thorough.additions() <= plain.additions());
        assert_eq!(thorough.additions() as f64, count_matrix(30, &weights));
        for out in [plain.run(&points, 1), thorough.run(&points, 1)] {
            for (row, sum) in weights.chunks(30).zip(out) {
                let expected = row.iter().zip(&points).fold(Point::INFINITY, |sum, (&w, p)| {
                    add_one(sum, Fp::scalar_mul(p, &Scalar::from_i64(i64::from(w))))
                });
                assert!(sum == expected);
            }
        }
    }
}

/// Two copies side by side, as the coordinates of a ciphertext are, in both groups.
#[test]
fn common_sums_serve_all_copies() {
    let weights: Vec<i32> = (0..24 * 40).map(|k| (k * k * 7 + k * 13) % 15 - 7).collect();
    let (plain, thorough) = (Projection::new(40, &weights), Projection::thorough(40, &weights));
    assert!(thorough.additions() < plain.additions());
    let (a, b) = (points::<Fp>(80, 4), points::<Fp2>(80, 5));
    assert!(plain.run(&a, 2) == thorough.run(&a, 2));
    let both = [&plain, &thorough].map(|projection| run_both((projection, &a), (projection, &b), 2));
    assert!(both[0] == both[1]);
    assert!(both[0].0 == plain.run(&a, 2) && both[0].1 == plain.run(&b, 2));
}
