//! The extension of degree twelve, target of the pairing.

use blst::{
    blst_fp2, blst_fp6, blst_fp12, blst_fp12_conjugate, blst_fp12_cyclotomic_sqr, blst_fp12_frobenius_map,
    blst_fp12_inverse, blst_fp12_mul, blst_fp12_mul_by_xy00z0, blst_fp12_sqr,
};

use super::Fp2;

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Fp12(pub(super) blst_fp12);

impl Fp12 {
    pub(crate) fn one() -> Self {
        // SAFETY: blst returns a pointer to a constant.
        Self(unsafe { *blst::blst_fp12_one() })
    }

    /// Coefficient `k` of `1, v, v², w, vw, v²w` over the quadratic extension.
    #[inline(always)]
    pub(crate) fn coefficient(&self, k: usize) -> Fp2 {
        let c = &self.0.fp6[k / 3].fp2[k % 3];
        Fp2 { c0: super::Fp(c.fp[0]), c1: super::Fp(c.fp[1]) }
    }

    pub(crate) fn from_coefficients(c: &[Fp2; 6]) -> Self {
        let mut out = Self::one();
        for (k, c) in c.iter().enumerate() {
            out.0.fp6[k / 3].fp2[k % 3].fp = [c.c0.0, c.c1.0];
        }
        out
    }

    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut out = *self;
        // SAFETY: the pointers are to live elements; blst allows aliasing of inputs.
        unsafe { blst_fp12_mul(&mut out.0, &self.0, &other.0) };
        out
    }

    /// Becomes `self·other`.
    pub(crate) fn multiply(&mut self, other: &Self) {
        let own: *mut blst_fp12 = &mut self.0;
        // SAFETY: the pointers are to live elements; blst reads all of an input before it writes there.
        unsafe { blst_fp12_mul(own, own, &other.0) };
    }

    /// Becomes its square.
    pub(crate) fn square(&mut self) {
        let own: *mut blst_fp12 = &mut self.0;
        // SAFETY: as for `multiply`.
        unsafe { blst_fp12_sqr(own, own) };
    }

    /// Becomes its product with `x + y·v + z·vw`.
    pub(crate) fn multiply_by_line(&mut self, x: &Fp2, y: &Fp2, z: &Fp2) {
        let own: *mut blst_fp12 = &mut self.0;
        let line = blst_fp6 { fp2: [x, y, z].map(|c| blst_fp2 { fp: [c.c0.0, c.c1.0] }) };
        // SAFETY: as for `multiply`.
        unsafe { blst_fp12_mul_by_xy00z0(own, own, &line) };
    }

    /// Squaring of an element of the cyclotomic subgroup (after the easy part).
    #[inline(always)]
    pub(crate) fn cyclotomic_sqr(&self) -> Self {
        let mut out = *self;
        // SAFETY: as for `mul`.
        unsafe { blst_fp12_cyclotomic_sqr(&mut out.0, &self.0) };
        out
    }

    /// `p^6`-power; the inverse in the cyclotomic subgroup.
    #[inline(always)]
    pub(crate) fn conjugate(&self) -> Self {
        let mut out = *self;
        // SAFETY: the pointer is to a live element.
        unsafe { blst_fp12_conjugate(&mut out.0) };
        out
    }

    pub(crate) fn inverse(&self) -> Self {
        let mut out = *self;
        // SAFETY: as for `mul`.
        unsafe { blst_fp12_inverse(&mut out.0, &self.0) };
        out
    }

    /// The `p^n`-power, `n` from 1 to 3.
    pub(crate) fn frobenius(&self, n: usize) -> Self {
        let mut out = *self;
        // SAFETY: as for `mul`; blst reads `n` modulo twelve.
        unsafe { blst_fp12_frobenius_map(&mut out.0, &self.0, n) };
        out
    }
}
