//! The first coordinate of a product in the target group, as a dot product.

use crate::raw::{Field, Fp, Fp12, MODULUS};

/// `−1/p` modulo `2^64`.
const NEGATIVE_INVERSE: u64 = 0x89f3_fffc_fffc_fffd;

/// An element as the second operand: twelve coordinates.
#[derive(Clone, Copy)]
pub(super) struct Coordinates([Fp; 12]);

impl Coordinates {
    pub(super) fn new(g: &Fp12) -> Self {
        let mut out = [Fp::ZERO; 12];
        for (k, pair) in out.chunks_exact_mut(2).enumerate() {
            let c = g.coefficient(k);
            pair.copy_from_slice(&[c.c0, c.c1]);
        }
        Self(out)
    }
}

/// An element as the first operand: the linear functional `G ↦ first(y·G)`.
///
/// With `y = Σ a_k v^k + w Σ c_k v^k` and the same for `G` in `b, d`, the constant
/// coefficient is `a₀b₀ + ξ(a₁b₂ + a₂b₁ + c₀d₂ + c₁d₁ + c₂d₀)` with `ξ = 1 + i`;
/// its real part is linear in the coordinates of `b` and `d`.
pub(super) struct Functional([Fp; 12]);

impl Functional {
    pub(super) fn new(y: &Fp12) -> Self {
        let mut out = [Fp::ZERO; 12];
        let a0 = y.coefficient(0);
        (out[0], out[1]) = (a0.c0, a0.c1.neg());
        for (of_g, of_y) in [(2, 1), (1, 2), (5, 3), (4, 4), (3, 5)] {
            let c = y.coefficient(of_y);
            out[2 * of_g] = c.c0.sub(&c.c1);
            out[2 * of_g + 1] = c.c0.add(&c.c1).neg();
        }
        Self(out)
    }

    /// Keys of `y·G` and `y/G`.
    #[inline]
    pub(super) fn keys(&self, g: &Coordinates) -> (u64, u64) {
        let even = dot6(&self.0[..6], &g.0[..6]);
        let odd = dot6(&self.0[6..], &g.0[6..]);
        (even.add(&odd).limbs()[0], even.sub(&odd).limbs()[0])
    }
}

/// The key of an element itself: the lowest limb of its first coordinate.
pub(super) fn key(y: &Fp12) -> u64 {
    y.coefficient(0).c0.limbs()[0]
}

/// `Σ a_k·b_k` over six terms with one reduction: `6p² < 2^384·p`.
#[inline(always)]
fn dot6(a: &[Fp], b: &[Fp]) -> Fp {
    let mut wide = [0u64; 12];
    for (a, b) in a.iter().zip(b) {
        multiply_accumulate(&mut wide, a.limbs(), b.limbs());
    }
    montgomery_reduce(wide)
}

#[inline(always)]
fn multiply_accumulate(wide: &mut [u64; 12], a: &[u64; 6], b: &[u64; 6]) {
    let mut top = 0;
    for i in 0..6 {
        let mut carry = 0u64;
        for j in 0..6 {
            (wide[i + j], carry) = a[i].carrying_mul_add(b[j], wide[i + j], carry);
        }
        let (sum, c1) = wide[i + 6].overflowing_add(carry);
        let (sum, c2) = sum.overflowing_add(top);
        wide[i + 6] = sum;
        top = u64::from(c1) + u64::from(c2);
    }
}

#[inline(always)]
fn montgomery_reduce(mut wide: [u64; 12]) -> Fp {
    let mut top = 0;
    for i in 0..6 {
        let m = wide[i].wrapping_mul(NEGATIVE_INVERSE);
        let mut carry = 0u64;
        for j in 0..6 {
            (wide[i + j], carry) = m.carrying_mul_add(MODULUS[j], wide[i + j], carry);
        }
        let (sum, c1) = wide[i + 6].overflowing_add(carry);
        let (sum, c2) = sum.overflowing_add(top);
        wide[i + 6] = sum;
        top = u64::from(c1) + u64::from(c2);
    }
    // The sum is below 2p; adding zero reduces it once.
    let mut low = [0u64; 6];
    low.copy_from_slice(&wide[6..]);
    Fp::from_limbs(low).add(&Fp::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{group::target, raw};

    #[test]
    fn keys_are_first_coordinates_of_products() {
        let f = raw::miller_loop(&<Fp as raw::Coordinate>::generator(), &<raw::Fp2 as raw::Coordinate>::generator());
        let g = target::hard_part(&target::easy_part(&f));
        let (y, h) = (target::power(&g, 12_345), target::power(&g, 678));
        let keys = Functional::new(&y).keys(&Coordinates::new(&h));
        assert_eq!(keys, (key(&y.mul(&h)), key(&y.mul(&h.conjugate()))));
        assert_eq!(key(&y), key(&y.conjugate()));
    }
}
