//! Eight prime-field elements side by side, by AVX-512 IFMA.
//!
//! Elements are eight limbs of 52 bits in Montgomery form with `R = 2^416`; every
//! value is below `4p` and every limb below `2^52`. The slack of 35 bits above the
//! modulus lets products of such values come out below `2p` without a comparison.
//!
//! In memory, elements of this *shifted* form are stored as six limbs of 64 bits
//! (an `Fp` whose value is `2^32` times what blst would read, below `4p`).
//!
//! [`notes::limbs`](crate::notes::limbs) derives radix, `R` and every bound.

mod kernels;
#[cfg(test)]
mod model;
mod token;

use self::kernels::{Limbs, split};
pub(crate) use self::token::Ifma;
use super::{Fp, Fp2, Vector};

/// Radix-2^52 limbs, `limb[k][lane]`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Fp8 {
    limbs: Limbs,
    token: Ifma,
}

impl Fp8 {
    #[inline(always)]
    fn of(token: Ifma, limbs: Limbs) -> Self {
        Self { limbs, token }
    }

    /// The same element in all lanes.
    pub(crate) fn splat(token: Ifma, shifted: &Fp) -> Self {
        Self::of(token, split(shifted.limbs()).map(|limb| [limb; 8]))
    }

    /// `a·b + c·d` with one reduction.
    #[inline(always)]
    pub(crate) fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        Self::of(a.token, a.token.sum_of_products(&a.limbs, &b.limbs, &c.limbs, &d.limbs))
    }

    /// Zero in the lanes of the mask.
    #[cfg(feature = "verify")]
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        Self::of(self.token, self.token.blend(&self.limbs, &Self::zero(self.token).limbs, mask))
    }
}

impl Vector for Fp8 {
    type Element = Fp;

    #[inline(always)]
    fn zero(token: Ifma) -> Self {
        Self::of(token, [[0; 8]; 8])
    }

    #[inline(always)]
    fn load(token: Ifma, elements: [&Fp; 8]) -> Self {
        Self::of(token, token.load(elements))
    }

    #[inline(always)]
    fn token(&self) -> Ifma {
        self.token
    }

    #[inline(always)]
    fn unload(&self) -> [Fp; 8] {
        self.token.unload(&self.limbs)
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self::of(self.token, self.token.add(&self.limbs, &other.limbs))
    }

    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        Self::of(self.token, self.token.sub(&self.limbs, &other.limbs))
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        Self::of(self.token, self.token.mul(&self.limbs, &other.limbs))
    }

    #[inline(always)]
    fn sqr(&self) -> Self {
        Self::of(self.token, self.token.sqr(&self.limbs))
    }

    #[inline(always)]
    fn neg_lanes(&self, mask: u8) -> Self {
        if mask == 0 {
            return *self;
        }
        let negative = Self::zero(self.token).sub(self);
        Self::of(self.token, self.token.blend(&self.limbs, &negative.limbs, mask))
    }

    #[inline(always)]
    fn zero_limbs(&self) -> u8 {
        self.token.zero_limbs(&self.limbs)
    }

    fn norm(&self) -> Fp8 {
        *self
    }

    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        *inverse
    }

    fn scale(&self, by: &Fp8) -> Self {
        self.mul(by)
    }

    fn conjugate(&self) -> Self {
        *self
    }
}

/// Eight elements of the quadratic extension.
#[derive(Clone, Copy)]
pub(crate) struct Fp2x8 {
    pub(crate) c0: Fp8,
    pub(crate) c1: Fp8,
}

#[cfg(feature = "verify")]
impl Fp2x8 {
    /// Elements of the prime field.
    pub(crate) fn from_base(base: &Fp8) -> Self {
        Self { c0: *base, c1: Fp8::zero(base.token) }
    }

    /// Multiplication by `1 + i`.
    #[inline(always)]
    pub(crate) fn mul_by_nonresidue(&self) -> Self {
        Self { c0: self.c0.sub(&self.c1), c1: self.c0.add(&self.c1) }
    }
}

impl Vector for Fp2x8 {
    type Element = Fp2;

    fn zero(token: Ifma) -> Self {
        Self { c0: Fp8::zero(token), c1: Fp8::zero(token) }
    }

    fn load(token: Ifma, elements: [&Fp2; 8]) -> Self {
        Self { c0: Fp8::load(token, elements.map(|e| &e.c0)), c1: Fp8::load(token, elements.map(|e| &e.c1)) }
    }

    fn token(&self) -> Ifma {
        self.c0.token
    }

    fn unload(&self) -> [Fp2; 8] {
        let (c0, c1) = (self.c0.unload(), self.c1.unload());
        std::array::from_fn(|k| Fp2 { c0: c0[k], c1: c1[k] })
    }

    fn add(&self, other: &Self) -> Self {
        Self { c0: self.c0.add(&other.c0), c1: self.c1.add(&other.c1) }
    }

    fn sub(&self, other: &Self) -> Self {
        Self { c0: self.c0.sub(&other.c0), c1: self.c1.sub(&other.c1) }
    }

    fn mul(&self, other: &Self) -> Self {
        let minus = self.c1.neg_lanes(0xff);
        Self {
            c0: Fp8::sum_of_products(&self.c0, &other.c0, &minus, &other.c1),
            c1: Fp8::sum_of_products(&self.c0, &other.c1, &self.c1, &other.c0),
        }
    }

    fn sqr(&self) -> Self {
        let product = self.c0.mul(&self.c1);
        Self { c0: self.c0.add(&self.c1).mul(&self.c0.sub(&self.c1)), c1: product.add(&product) }
    }

    fn neg_lanes(&self, mask: u8) -> Self {
        Self { c0: self.c0.neg_lanes(mask), c1: self.c1.neg_lanes(mask) }
    }

    fn zero_limbs(&self) -> u8 {
        self.c0.zero_limbs() & self.c1.zero_limbs()
    }

    fn norm(&self) -> Fp8 {
        Fp8::sum_of_products(&self.c0, &self.c0, &self.c1, &self.c1)
    }

    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        self.conjugate().scale(inverse)
    }

    fn scale(&self, by: &Fp8) -> Self {
        Self { c0: self.c0.mul(by), c1: self.c1.mul(by) }
    }

    fn conjugate(&self) -> Self {
        Self { c0: self.c0, c1: self.c1.neg_lanes(0xff) }
    }
}

#[cfg(test)]
mod tests;
