//! The scheme, slowly and literally: every equation of the crate's documentation with single scalar multiplications and
//! single pairings.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    Ciphertext, Encryptor, FunctionalKey, QuadraticMap,
    dlog::LogTable,
    evaluate::Evaluator,
    group::{
        batch::add_one,
        target::{easy_part, hard_part, power},
    },
    keys::setup,
    plan::Strategy,
    raw::{Fp12, Point, miller_loop},
};

/// `e([γ]₁, [f_j(s,t)]₂) · Π_ik e([a_i]₁, [b_k]₂)^{f_ik}`, one pairing at a time.
fn evaluate(key: &FunctionalKey, c: &Ciphertext) -> Vec<Fp12> {
    let map = key.map();
    let (n, m) = map.inputs();
    let pairing = |p, q| hard_part(&easy_part(&miller_loop(p, q)));
    (0..map.outputs())
        .map(|j| {
            let mut product = pairing(&c.gamma, &key.values[j]);
            for i in 0..n {
                for k in 0..m {
                    let f_ik: i64 = (0..map.units())
                        .map(|d| {
                            let weight = i64::from(map.combine()[j * map.units() + d]);
                            weight * i64::from(map.left()[d * n + i]) * i64::from(map.right()[d * m + k])
                        })
                        .sum();
                    let e = pairing(&c.a[2 * i], &c.b[2 * k]).mul(&pairing(&c.a[2 * i + 1], &c.b[2 * k + 1]));
                    product = product.mul(&power(&e, f_ik));
                }
            }
            product
        })
        .collect()
}

/// A random case with weights of every width.
fn case(rng: &mut StdRng) -> (FunctionalKey, Ciphertext, Vec<Fp12>, LogTable) {
    let (n, m) = (rng.random_range(1..9), rng.random_range(1..9));
    let (units, outputs) = (rng.random_range(1..12), rng.random_range(1..3));
    let most = [1, 3, 7, 127, 1000][rng.random_range(0..5)];
    let mut weights = |count: usize| -> Vec<i32> { (0..count).map(|_| rng.random_range(-most..=most)).collect() };
    let (left, right) = (weights(units * n), weights(units * m));
    let combine = weights(outputs * units);
    let map = QuadraticMap::new(n, m, units, outputs, left, right, combine).unwrap();
    let (master, public) = setup(n, m, rng).unwrap();
    let key = master.issue(&map).unwrap();
    let mut x = |count: usize| -> Vec<i64> { (0..count).map(|_| rng.random_range(-9..=9)).collect() };
    let (u, v) = (x(n), x(m));
    let c = Encryptor::new(&public, &host::Silent).encrypt(&u, &v, rng).unwrap();
    let table = LogTable::build(8, &host::Silent).unwrap();
    let clear = map.evaluate(&u, &v).unwrap();
    let expected = clear.iter().map(|&value| table.power(i64::try_from(value).unwrap())).collect();
    (key, c, expected, table)
}

#[test]
fn evaluation_follows_the_equations() {
    let mut rng = StdRng::seed_from_u64(11);
    for _ in 0..6 {
        let (key, c, expected, table) = case(&mut rng);
        let table = std::sync::Arc::new(table);
        assert!(evaluate(&key, &c) == expected);
        let bounds = vec![(-1, 1); key.map().outputs()];
        for strategy in Strategy::ALL {
            let evaluator = Evaluator::with_strategy(&key, table.clone(), &bounds, strategy).unwrap();
            assert!(evaluator.targets(&c).unwrap() == expected);
        }
    }
}

/// Points that force every special case of the batched additions and pairings.
#[test]
fn hostile_ciphertexts_are_evaluated_exactly() {
    let mut rng = StdRng::seed_from_u64(12);
    for forgery in 0..6 {
        let (key, mut c, _, table) = case(&mut rng);
        let (p, q) = (c.a[0], c.b[0]);
        match forgery {
            0 => (c.a.fill(p), c.b.fill(q)).0,
            1 => c.a.iter_mut().step_by(2).for_each(|a| *a = p.neg()),
            2 => (c.a.fill(Point::INFINITY), c.b.fill(Point::INFINITY)).0,
            3 => c.b.iter_mut().step_by(3).for_each(|b| *b = Point::INFINITY),
            4 => c.gamma = Point::INFINITY,
            _ => {
                let double = add_one(p, p);
                c.a.iter_mut().skip(1).step_by(2).for_each(|a| *a = double);
            }
        }
        let table = std::sync::Arc::new(table);
        let bounds = vec![(-1, 1); key.map().outputs()];
        for strategy in Strategy::ALL {
            let evaluator = Evaluator::with_strategy(&key, table.clone(), &bounds, strategy).unwrap();
            assert!(evaluator.targets(&c).unwrap() == evaluate(&key, &c));
        }
    }
}
