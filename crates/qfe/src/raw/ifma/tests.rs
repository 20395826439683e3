//! The lanes against the scalar field.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

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
