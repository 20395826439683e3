//! The lanes against the scalar field.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

#[cfg(feature = "verify")]
use super::columns::Fp2Columns;
use super::*;
use crate::raw::{Coordinate, Field, Scalar};

fn shifted(values: &[Fp; 8]) -> Fp8 {
    let moved = values.map(|v| v.to_shifted());
    Fp8::load(Ifma::or_model(), std::array::from_fn(|k| &moved[k]))
}

fn canonical(values: &Fp8) -> [Fp; 8] {
    values.unload().map(|v| v.unshifted())
}

#[test]
fn lanes_agree_with_the_scalar_field() {
    let token = Ifma::or_model();
    let mut rng = ChaCha12Rng::seed_from_u64(4);
    let mut draw = || -> [Fp; 8] {
        std::array::from_fn(|_| match rng.next_u32() % 4 {
            0 => [Fp::ZERO, Fp::ONE, Fp::ONE.neg()][(rng.next_u32() % 3) as usize],
            _ => Fp::scalar_mul(&Fp::generator(), &Scalar::random(&mut rng)).x,
        })
    };
    for _ in 0..50 {
        let (a, b, c) = (draw(), draw(), draw());
        let (x, y, z) = (shifted(&a), shifted(&b), shifted(&c));
        let each = |f: &dyn Fn(usize) -> Fp| -> [Fp; 8] { std::array::from_fn(f) };
        assert!(canonical(&x) == a);
        assert!(canonical(&x.add(&y).add(&x)) == each(&|k| a[k].add(&b[k]).add(&a[k])));
        assert!(canonical(&x.sub::<3>(&y).sub::<3>(&z)) == each(&|k| a[k].sub(&b[k]).sub(&c[k])));
        assert!(canonical(&x.sub::<3>(&y).mul(&z.sub::<3>(&x))) == each(&|k| a[k].sub(&b[k]).mul(&c[k].sub(&a[k]))));
        assert!(canonical(&x.add(&y).sqr()) == each(&|k| a[k].add(&b[k]).sqr()));
        let mask = 0b1010_0110;
        let negated = |k: usize| if mask >> k & 1 == 1 { a[k].neg() } else { a[k] };
        assert!(canonical(&x.neg_lanes(mask)) == each(&negated));
    }
    assert_eq!(Fp8::zero(token).zero_limbs(), 0xff);
}

#[test]
fn lanes_rotate_and_leave_places_that_are_not_there() {
    struct Few<'a>(&'a mut [Fp]);

    impl LanesMut<Fp> for Few<'_> {
        fn place(&mut self, lane: usize) -> Option<&mut Fp> {
            self.0.get_mut(lane)
        }
    }

    let values: [Fp; 8] = std::array::from_fn(|k| (0..k).fold(Fp::ONE, |power, _| power.double()));
    let x = shifted(&values);
    for by in [0, 1, 2, 4, 7] {
        let turned: [Fp; 8] = std::array::from_fn(|k| values[(k + by) % 8]);
        assert!(canonical(&x.rotate(by)) == turned);
    }
    let mut out = [Fp::ZERO; 8];
    x.unload_to(&mut Few(&mut out[..3]));
    assert!(out[..3].iter().zip(&values).all(|(found, value)| found.unshifted() == *value));
    assert!(out[3..].iter().all(Field::is_zero));
}

#[test]
fn quadratic_lanes_agree_with_the_quadratic_field() {
    let token = Ifma::or_model();
    let mut rng = ChaCha12Rng::seed_from_u64(5);
    let mut draw = || -> [Fp2; 8] {
        std::array::from_fn(|k| match k {
            0 => [Fp2::ZERO, Fp2::ONE, Fp2 { c0: Fp::ZERO, c1: Fp::ONE.neg() }][(rng.next_u32() % 3) as usize],
            _ => Fp2::scalar_mul(&Fp2::generator(), &Scalar::random(&mut rng)).x,
        })
    };
    let load = |values: &[Fp2; 8]| {
        let moved = values.map(|v| v.to_shifted());
        Fp2x8::load(token, std::array::from_fn(|k| &moved[k]))
    };
    let nonresidue = |a: &Fp2| Fp2 { c0: a.c0.sub(&a.c1), c1: a.c0.add(&a.c1) };
    for _ in 0..30 {
        let (a, b) = (draw(), draw());
        let (x, y) = (load(&a), load(&b));
        let same = |lanes: Fp2x8, f: &dyn Fn(&Fp2, &Fp2) -> Fp2| {
            let found = lanes.unload().map(|v| Fp2 { c0: v.c0.unshifted(), c1: v.c1.unshifted() });
            let expected: [Fp2; 8] = std::array::from_fn(|k| f(&a[k], &b[k]));
            assert!(found == expected);
        };
        same(x.mul(&y), &|a, b| a.mul(b));
        same(x.sqr(), &|a, _| a.sqr());
        same(x.sub::<3>(&y).sqr(), &|a, b| a.sub(b).sqr());
        same(x.sub::<10>(&y).settle(), &|a, b| a.sub(b));
        same(x.neg_lanes(0xff).mul_by_nonresidue::<4>(), &|a, _| nonresidue(&a.neg()));
        same(x.scale(&y.norm()), &|a, b| a.scale(&b.mul(&b.conjugate()).c0));
        let [mut product, mut square] = [Fp2Columns::new(token); 2];
        product.set_product(&x, &y);
        square.set_product(&x, &x);
        let mut sum = x;
        sum.set_sum([(Sign::Plus, &product), (Sign::Twisted, &square)]);
        same(sum, &|a, b| a.mul(b).add(&nonresidue(&a.sqr())));
        sum.set_sum([(Sign::Minus, &product), (Sign::MinusTwisted, &square)]);
        same(sum, &|a, b| a.mul(b).add(&nonresidue(&a.sqr())).neg());
        let (small, three) = (x.settle(), |t: &Fp2| t.double().add(t));
        same(small.with_triple(&y, true), &|a, b| three(b).sub(&a.double()));
        same(small.with_triple(&y, false), &|a, b| three(b).add(&a.double()));
    }
}
