use super::*;
use std::f64::consts::TAU;

#[test]
fn a_transform_is_the_sum_that_it_says() {
    let values: Vec<f32> = (0..64).map(|i| ((i * 37 + 11) % 23) as f32 - 9.0).collect();
    let found = cosines(values.clone());
    assert_eq!(found.len(), 33);
    for (k, found) in found.iter().enumerate() {
        let terms = values.iter().enumerate();
        let sum: f64 = terms.map(|(d, x)| f64::from(*x) * (TAU * (k * d) as f64 / 64.0).cos()).sum();
        assert!((sum - f64::from(*found)).abs() < 1e-3, "{k}: {sum} {found}");
    }
}

#[test]
fn cosets_of_a_lattice_are_remainders_of_any_modulus_and_factors() {
    // Vectors (x, y, z) with 5x − 3y + z ≡ 0 modulo 10007.
    let mut lattice = Lattice::new(3);
    for (x, y, k) in [(1, 7, 2), (912, -4_410, 0), (-31, 77, 1_000_003), (5, 5, -9), (88, 13, 4), (2, 3, 1), (7, -1, 0)]
    {
        lattice.insert(vec![x, y, 3 * y - 5 * x + 10_007 * k]).unwrap();
    }
    assert!(!lattice.is_everything());
    let coset = |x: i128, y: i128, rest: i128| lattice.coset(vec![x, y, 3 * y - 5 * x + rest]).unwrap();
    assert_eq!(coset(123, -456, 1), coset(-9, 10_000, 1 - 3 * 10_007));
    assert_ne!(coset(123, -456, 1), coset(-9, 10_000, 2));
    lattice.insert(vec![0, 0, 1]).unwrap();
    assert!(lattice.is_everything());
    assert_eq!(Lattice::new(1).coset(vec![5]), Some(vec![5]));
}

#[test]
fn cosets_modulo_a_power_of_two_need_no_small_factors() {
    let factor = 0x9e37_79b9_7f4a_7c15_u64;
    let at = |x: u64, rest: u64| vec![x, factor.wrapping_mul(x).wrapping_add(rest)];
    let mut module = Dyadic::new(2);
    for (x, k) in [(12, 1), (7, 99), (1 << 40, 5), (3, 0)] {
        module.insert(at(x, k << 16));
    }
    assert!(!module.is_everything());
    assert_eq!(module.coset(at(1_000_003, 1)), module.coset(at(5, 1 + (77 << 16))));
    assert_ne!(module.coset(at(1_000_003, 1)), module.coset(at(5, 2)));
    module.insert(vec![0, 3]);
    assert!(module.is_everything());
}
