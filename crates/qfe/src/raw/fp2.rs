//! The quadratic extension `Fp[i] / (i² + 1)`.

use blst::{blst_fp2, blst_fp2_mul, blst_fp2_sqr};

use super::{Field, Fp};

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Fp2 {
    pub(crate) c0: Fp,
    pub(crate) c1: Fp,
}

impl Fp2 {
    #[inline(always)]
    pub(super) fn as_blst(&self) -> *const blst_fp2 {
        (self as *const Self).cast()
    }

    #[inline(always)]
    pub(super) fn as_blst_mut(&mut self) -> *mut blst_fp2 {
        (self as *mut Self).cast()
    }

    #[inline(always)]
    fn by_words(&self) -> Self {
        Self { c0: self.c0.by_words(), c1: self.c1.by_words() }
    }

    #[inline(always)]
    pub(crate) fn conjugate(&self) -> Self {
        Self { c0: self.c0, c1: self.c1.neg() }
    }

    #[inline(always)]
    pub(crate) fn scale(&self, by: &Fp) -> Self {
        Self { c0: self.c0.mul(by), c1: self.c1.mul(by) }
    }
}

impl Field for Fp2 {
    const ZERO: Self = Self { c0: Fp::ZERO, c1: Fp::ZERO };
    const ONE: Self = Self { c0: Fp::ONE, c1: Fp::ZERO };

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self { c0: self.c0.add(&other.c0), c1: self.c1.add(&other.c1) }
    }

    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        Self { c0: self.c0.sub(&other.c0), c1: self.c1.sub(&other.c1) }
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: `Fp2` is two `blst_fp` in order, as `blst_fp2` is; all are live.
        unsafe { blst_fp2_mul(out.as_blst_mut(), self.as_blst(), other.as_blst()) };
        out.by_words()
    }

    #[inline(always)]
    fn neg(&self) -> Self {
        Self { c0: self.c0.neg(), c1: self.c1.neg() }
    }

    #[inline(always)]
    fn sqr(&self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: as for `mul`.
        unsafe { blst_fp2_sqr(out.as_blst_mut(), self.as_blst()) };
        out.by_words()
    }

    #[inline(always)]
    fn is_zero(&self) -> bool {
        self.c0.is_zero() && self.c1.is_zero()
    }
}
