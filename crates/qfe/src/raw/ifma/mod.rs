//! Eight prime-field elements side by side, by AVX-512 IFMA.
//!
//! Elements are eight limbs of 52 bits in Montgomery form with `R = 2^416`; every
//! limb is below `2^52`. The slack of 35 bits above the modulus lets sums go
//! unreduced for a while, and products come out below `2p` without a comparison.
//!
//! In memory, elements of this *shifted* form are stored as six limbs of 64 bits
//! (an `Fp` whose value is `2^32` times what blst would read, below `8p`).
//!
//! [`notes::limbs`](crate::notes::limbs) derives radix, `R` and every bound. Tests carry the bound of every
//! vector along, and fail where one is too large.

#[cfg(feature = "verify")]
mod columns;
mod kernels;
#[cfg(test)]
mod model;
mod token;

#[cfg(feature = "verify")]
pub(crate) use self::columns::Fp2Columns;
use self::kernels::{Limbs, multiple, split};
pub(crate) use self::token::Ifma;
use super::{Fp, Fp2, Vector};

/// Radix-2^52 limbs, `limb[k][lane]`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Fp8 {
    limbs: Limbs,
    token: Ifma,
    /// In multiples of `p`.
    #[cfg(test)]
    bound: u64,
}

/// Bound of elements in memory, in multiples of `p`.
const STORED: u64 = 8;
/// Bound of a product.
const PRODUCT: u64 = 2;
/// Bound of a product of quadratic elements, which may have been negative.
const SIGNED_PRODUCT: u64 = 3;
/// Most that the bounds of two factors may multiply to.
const MOST_PRODUCT: u64 = 1 << 33;
/// Most that [`Fp8::settle`] takes.
const MOST: u64 = 1 << 11;

impl Fp8 {
    #[inline(always)]
    fn of(token: Ifma, limbs: Limbs, _bound: u64) -> Self {
        Self {
            limbs,
            token,
            #[cfg(test)]
            bound: _bound,
        }
    }

    /// In multiples of `p`; known in tests only.
    #[cfg(test)]
    fn bound(&self) -> u64 {
        self.bound
    }

    /// Not known.
    #[cfg(not(test))]
    #[inline(always)]
    fn bound(&self) -> u64 {
        0
    }

    /// The same element in all lanes.
    pub(crate) fn splat(token: Ifma, shifted: &Fp) -> Self {
        Self::of(token, split(shifted.limbs()).map(|limb| [limb; 8]), STORED)
    }

    #[inline(always)]
    fn sum_of_squares(a: &Self, b: &Self) -> Self {
        debug_assert!(a.bound().pow(2) + b.bound().pow(2) <= MOST_PRODUCT);
        Self::of(a.token, a.token.sum_of_squares(&a.limbs, &b.limbs), PRODUCT)
    }

    /// Zero in the lanes of the mask.
    #[cfg(feature = "verify")]
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        self.blend(&Self::zero(self.token), mask)
    }

    /// The other in the lanes of the mask.
    #[inline(always)]
    fn blend(&self, other: &Self, mask: u8) -> Self {
        let bound = self.bound().max(other.bound());
        Self::of(self.token, self.token.blend(&self.limbs, &other.limbs, mask), bound)
    }
}

impl Vector for Fp8 {
    type Element = Fp;

    #[inline(always)]
    fn zero(token: Ifma) -> Self {
        Self::of(token, [[0; 8]; 8], 0)
    }

    #[inline(always)]
    fn load(token: Ifma, elements: [&Fp; 8]) -> Self {
        Self::of(token, token.load(elements), STORED)
    }

    #[inline(always)]
    fn token(&self) -> Ifma {
        self.token
    }

    #[inline(always)]
    fn unload(&self) -> [Fp; 8] {
        debug_assert!(self.bound() <= MOST);
        self.token.unload(&self.limbs)
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self::of(self.token, self.token.add(&self.limbs, &other.limbs), self.bound() + other.bound())
    }

    #[inline(always)]
    fn sub<const BITS: u32>(&self, other: &Self) -> Self {
        debug_assert!(other.bound() <= 1 << BITS);
        let limbs = self.token.sub(&self.limbs, &other.limbs, const { &multiple(BITS) });
        Self::of(self.token, limbs, self.bound() + (1 << BITS))
    }

    #[inline(always)]
    fn settle(&self) -> Self {
        debug_assert!(self.bound() <= MOST);
        Self::of(self.token, self.token.settle(&self.limbs), PRODUCT)
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        debug_assert!(self.bound() * other.bound() <= MOST_PRODUCT);
        Self::of(self.token, self.token.mul(&self.limbs, &other.limbs), PRODUCT)
    }

    #[inline(always)]
    fn sqr(&self) -> Self {
        debug_assert!(self.bound().pow(2) <= MOST_PRODUCT);
        Self::of(self.token, self.token.sqr(&self.limbs), PRODUCT)
    }

    #[inline(always)]
    fn neg_lanes(&self, mask: u8) -> Self {
        if mask == 0 {
            return *self;
        }
        self.blend(&Self::zero(self.token).sub::<4>(self), mask)
    }

    #[inline(always)]
    fn zero_limbs(&self) -> u8 {
        self.token.zero_limbs(&self.limbs)
    }

    #[inline(always)]
    fn norm(&self) -> Fp8 {
        *self
    }

    #[inline(always)]
    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        *inverse
    }

    #[inline(always)]
    fn scale(&self, by: &Fp8) -> Self {
        self.mul(by)
    }

    #[inline(always)]
    fn conjugate(&self) -> Self {
        *self
    }
}

/// Eight elements of the quadratic extension.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Fp2x8 {
    c0: Fp8,
    c1: Fp8,
}

impl Fp2x8 {
    #[inline(always)]
    fn of(token: Ifma, [c0, c1]: [Limbs; 2], bound: u64) -> Self {
        Self { c0: Fp8::of(token, c0, bound), c1: Fp8::of(token, c1, bound) }
    }

    #[inline(always)]
    fn limbs(&self) -> [&Limbs; 2] {
        [&self.c0.limbs, &self.c1.limbs]
    }

    /// Of both coordinates.
    #[inline(always)]
    fn bound(&self) -> u64 {
        self.c0.bound().max(self.c1.bound())
    }
}

#[cfg(feature = "verify")]
impl Fp2x8 {
    /// Elements of the prime field.
    pub(crate) fn from_base(base: &Fp8) -> Self {
        Self { c0: *base, c1: Fp8::zero(base.token) }
    }

    /// From both coordinates.
    pub(crate) fn from_parts(c0: &Fp8, c1: &Fp8) -> Self {
        Self { c0: *c0, c1: *c1 }
    }

    /// Zero in the lanes of the mask.
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        Self { c0: self.c0.clear_lanes(mask), c1: self.c1.clear_lanes(mask) }
    }

    /// Multiplication by `1 + i`, of what is below `2^BITS·p`.
    #[inline(always)]
    pub(crate) fn mul_by_nonresidue<const BITS: u32>(&self) -> Self {
        Self { c0: self.c0.sub::<BITS>(&self.c1), c1: self.c0.add(&self.c1) }
    }
}

impl Vector for Fp2x8 {
    type Element = Fp2;

    #[inline(always)]
    fn zero(token: Ifma) -> Self {
        Self { c0: Fp8::zero(token), c1: Fp8::zero(token) }
    }

    #[inline(always)]
    fn load(token: Ifma, elements: [&Fp2; 8]) -> Self {
        Self { c0: Fp8::load(token, elements.map(|e| &e.c0)), c1: Fp8::load(token, elements.map(|e| &e.c1)) }
    }

    #[inline(always)]
    fn token(&self) -> Ifma {
        self.c0.token
    }

    #[inline(always)]
    fn unload(&self) -> [Fp2; 8] {
        let (c0, c1) = (self.c0.unload(), self.c1.unload());
        std::array::from_fn(|k| Fp2 { c0: c0[k], c1: c1[k] })
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self { c0: self.c0.add(&other.c0), c1: self.c1.add(&other.c1) }
    }

    #[inline(always)]
    fn sub<const BITS: u32>(&self, other: &Self) -> Self {
        Self { c0: self.c0.sub::<BITS>(&other.c0), c1: self.c1.sub::<BITS>(&other.c1) }
    }

    #[inline(always)]
    fn settle(&self) -> Self {
        Self { c0: self.c0.settle(), c1: self.c1.settle() }
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        debug_assert!(4 * self.bound() * other.bound() <= MOST_PRODUCT);
        let token = self.token();
        Self::of(token, token.quadratic_mul(self.limbs(), other.limbs()), SIGNED_PRODUCT)
    }

    #[inline(always)]
    fn sqr(&self) -> Self {
        const BITS: u32 = 11;
        debug_assert!(self.bound() <= 1 << BITS);
        let token = self.token();
        Self::of(token, token.quadratic_sqr(self.limbs(), const { &multiple(BITS) }), PRODUCT)
    }

    #[inline(always)]
    fn neg_lanes(&self, mask: u8) -> Self {
        Self { c0: self.c0.neg_lanes(mask), c1: self.c1.neg_lanes(mask) }
    }

    #[inline(always)]
    fn zero_limbs(&self) -> u8 {
        self.c0.zero_limbs() & self.c1.zero_limbs()
    }

    #[inline(always)]
    fn norm(&self) -> Fp8 {
        Fp8::sum_of_squares(&self.c0, &self.c1)
    }

    #[inline(always)]
    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        self.scale(inverse).conjugate()
    }

    #[inline(always)]
    fn scale(&self, by: &Fp8) -> Self {
        Self { c0: self.c0.mul(by), c1: self.c1.mul(by) }
    }

    #[inline(always)]
    fn conjugate(&self) -> Self {
        Self { c0: self.c0, c1: self.c1.neg_lanes(0xff) }
    }
}

#[cfg(test)]
mod tests;
