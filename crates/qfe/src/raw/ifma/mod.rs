//! Eight prime-field elements side by side, by AVX-512 IFMA.
//!
//! Elements are eight limbs of 52 bits in Montgomery form with `R = 2^416`; every
//! value is below `4p` and every limb below `2^52`. The slack of 35 bits above the
//! modulus lets products of such values come out below `2p` without a comparison.
//!
//! In memory, elements of this *shifted* form are stored as six limbs of 64 bits
//! (an `Fp` whose value is `2^32` times what blst would read, below `4p`).

mod kernels;

use std::sync::atomic::{AtomicBool, Ordering};

use self::kernels::{add, blend, load, mul, split, sqr, sub, sum_of_products, unload, zero_limbs};
use super::{Fp, Fp2, Vector};

/// Radix-2^52 limbs, `limb[k][lane]`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Fp8([[u64; 8]; 8]);

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Whether this processor has the instructions and they are not switched off.
#[inline]
pub(crate) fn available() -> bool {
    ENABLED.load(Ordering::Relaxed)
        && std::arch::is_x86_feature_detected!("avx512ifma")
        && std::arch::is_x86_feature_detected!("avx512f")
}

/// Switches the vector instructions off or on again, for comparisons.
pub(crate) fn enable(on: bool) {
    ENABLED.store(on, Ordering::Relaxed);
}

impl Fp8 {
    pub(crate) const ZERO: Self = Self([[0; 8]; 8]);

    /// The same element in all lanes.
    pub(crate) fn splat(shifted: &Fp) -> Self {
        Self(split(shifted.limbs()).map(|limb| [limb; 8]))
    }

    /// Lane `k` from the `k`-th shifted element.
    #[inline(always)]
    pub(crate) fn load(elements: [&Fp; 8]) -> Self {
        // SAFETY: values of this type are made only where `available` held.
        Self(unsafe { load(elements) })
    }

    /// Lane `k` to the `k`-th of the first `count` elements.
    #[inline(always)]
    pub(crate) fn unload(&self) -> [Fp; 8] {
        // SAFETY: as for `load`.
        unsafe { unload(&self.0) }
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        // SAFETY: as for `load`.
        Self(unsafe { add(&self.0, &other.0) })
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        // SAFETY: as for `load`.
        Self(unsafe { sub(&self.0, &other.0) })
    }

    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        // SAFETY: as for `load`.
        Self(unsafe { mul(&self.0, &other.0) })
    }

    #[inline(always)]
    pub(crate) fn sqr(&self) -> Self {
        // SAFETY: as for `load`.
        Self(unsafe { sqr(&self.0) })
    }

    /// `a·b + c·d` with one reduction.
    #[inline(always)]
    pub(crate) fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        // SAFETY: as for `load`.
        Self(unsafe { sum_of_products(&a.0, &b.0, &c.0, &d.0) })
    }

    /// `−self` in the lanes of the mask.
    #[inline(always)]
    pub(crate) fn neg_lanes(&self, mask: u8) -> Self {
        if mask == 0 {
            return *self;
        }
        let negative = Self::ZERO.sub(self);
        // SAFETY: as for `load`.
        Self(unsafe { blend(&self.0, &negative.0, mask) })
    }

    /// Zero in the lanes of the mask.
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        // SAFETY: as for `load`.
        Self(unsafe { blend(&self.0, &Self::ZERO.0, mask) })
    }

    /// Lanes whose limbs are all zero.
    #[inline(always)]
    pub(crate) fn zero_limbs(&self) -> u8 {
        // SAFETY: as for `load`.
        unsafe { zero_limbs(&self.0) }
    }
}

impl Vector for Fp8 {
    type Element = Fp;
    const ZERO: Self = Self([[0; 8]; 8]);

    fn load(elements: [&Fp; 8]) -> Self {
        Self::load(elements)
    }

    fn unload(&self) -> [Fp; 8] {
        self.unload()
    }

    fn add(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn sub(&self, other: &Self) -> Self {
        self.sub(other)
    }

    fn mul(&self, other: &Self) -> Self {
        self.mul(other)
    }

    fn sqr(&self) -> Self {
        self.sqr()
    }

    fn neg_lanes(&self, mask: u8) -> Self {
        self.neg_lanes(mask)
    }

    fn zero_limbs(&self) -> u8 {
        self.zero_limbs()
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

impl Fp2x8 {
    /// Elements of the prime field.
    pub(crate) fn from_base(base: &Fp8) -> Self {
        Self { c0: *base, c1: Fp8::ZERO }
    }

    /// Multiplication by `1 + i`.
    #[inline(always)]
    pub(crate) fn mul_by_nonresidue(&self) -> Self {
        Self { c0: self.c0.sub(&self.c1), c1: self.c0.add(&self.c1) }
    }
}

impl Vector for Fp2x8 {
    type Element = Fp2;
    const ZERO: Self = Self { c0: Fp8::ZERO, c1: Fp8::ZERO };

    fn load(elements: [&Fp2; 8]) -> Self {
        Self { c0: Fp8::load(elements.map(|e| &e.c0)), c1: Fp8::load(elements.map(|e| &e.c1)) }
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
        let minus = Fp8::ZERO.sub(&self.c1);
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
        Self { c0: self.c0, c1: Fp8::ZERO.sub(&self.c1) }
    }
}

#[cfg(test)]
mod tests;
