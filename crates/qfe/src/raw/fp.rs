//! The prime field of 381 bits, in blst's Montgomery form, always reduced.

use std::sync::OnceLock;

use blst::{blst_fp, blst_fp_inverse, blst_fp_mul, blst_fp_sqr};

use super::Field;

/// The modulus, little-endian limbs.
pub(crate) const MODULUS: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

/// `2^384` modulo the modulus: one in Montgomery form.
const MONTGOMERY_ONE: [u64; 6] = [
    0x7609_0000_0002_fffd,
    0xebf4_000b_c40c_0002,
    0x5f48_9857_53c7_58ba,
    0x77ce_5853_7052_5745,
    0x5c07_1a97_a256_ec6d,
    0x15f6_5ec3_fa80_e493,
];

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Fp(pub(super) blst_fp);

impl Fp {
    pub(crate) const fn from_limbs(l: [u64; 6]) -> Self {
        Self(blst_fp { l })
    }

    /// The Montgomery limbs.
    #[cfg(any(test, feature = "evaluate", feature = "lanes"))]
    #[inline(always)]
    pub(crate) fn limbs(&self) -> &[u64; 6] {
        &self.0.l
    }

    /// The inverse, in constant time; zero for zero.
    pub(crate) fn inverse(&self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: both pointers are to live, aligned field elements.
        unsafe { blst_fp_inverse(&mut out.0, &self.0) };
        out
    }

    /// The same, read in the words that blst wrote: the processor makes wider loads wait for them.
    #[inline(always)]
    pub(super) fn by_words(&self) -> Self {
        // SAFETY: each pointer is to a live word.
        Self::from_limbs(std::array::from_fn(|k| unsafe { std::ptr::read_volatile(&self.0.l[k]) }))
    }

    /// The product as a plain call of blst returns it: the unit of measurements.
    #[cfg(feature = "bench")]
    #[inline(always)]
    pub(crate) fn mul_plain(&self, other: &Self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: all pointers are to live, aligned field elements.
        unsafe { blst_fp_mul(&mut out.0, &self.0, &other.0) };
        out
    }

    /// The form that the vector lanes store: `2^32` times the value.
    pub(crate) fn to_shifted(self) -> Self {
        self.mul(&shifts().0)
    }

    /// Back from the lanes' form, where values are below four times the modulus;
    /// the product is reduced in full.
    pub(crate) fn unshifted(self) -> Self {
        self.mul(&shifts().1)
    }

    /// `value − MODULUS` if that is not negative, else `value`, without a branch.
    #[inline(always)]
    fn reduce_once(value: [u64; 6], overflow: bool) -> Self {
        let mut reduced = [0u64; 6];
        let mut borrow = false;
        for i in 0..6 {
            (reduced[i], borrow) = value[i].borrowing_sub(MODULUS[i], borrow);
        }
        let keep = (borrow && !overflow) as u64;
        let mask = keep.wrapping_neg();
        for i in 0..6 {
            reduced[i] = (value[i] & mask) | (reduced[i] & !mask);
        }
        Self::from_limbs(reduced)
    }
}

impl Default for Fp {
    fn default() -> Self {
        Self::ZERO
    }
}

impl zeroize::DefaultIsZeroes for Fp {}

/// `2^32` and its inverse.
fn shifts() -> &'static (Fp, Fp) {
    static SHIFTS: OnceLock<(Fp, Fp)> = OnceLock::new();
    SHIFTS.get_or_init(|| {
        let up = (0..32).fold(Fp::ONE, |power, _| power.double());
        (up, up.inverse())
    })
}

impl Field for Fp {
    const ZERO: Self = Self::from_limbs([0; 6]);
    const ONE: Self = Self::from_limbs(MONTGOMERY_ONE);

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        let mut sum = [0u64; 6];
        let mut carry = false;
        for (out, (a, b)) in sum.iter_mut().zip(self.0.l.iter().zip(&other.0.l)) {
            (*out, carry) = a.carrying_add(*b, carry);
        }
        Self::reduce_once(sum, carry)
    }

    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        let mut difference = [0u64; 6];
        let mut borrow = false;
        for (out, (a, b)) in difference.iter_mut().zip(self.0.l.iter().zip(&other.0.l)) {
            (*out, borrow) = a.borrowing_sub(*b, borrow);
        }
        let mask = (borrow as u64).wrapping_neg();
        let mut out = [0u64; 6];
        let mut carry = false;
        for i in 0..6 {
            (out[i], carry) = difference[i].carrying_add(MODULUS[i] & mask, carry);
        }
        Self::from_limbs(out)
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: all pointers are to live, aligned field elements.
        unsafe { blst_fp_mul(&mut out.0, &self.0, &other.0) };
        out.by_words()
    }

    #[inline(always)]
    fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    #[inline(always)]
    fn sqr(&self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: both pointers are to live, aligned field elements.
        unsafe { blst_fp_sqr(&mut out.0, &self.0) };
        out.by_words()
    }

    #[inline(always)]
    fn is_zero(&self) -> bool {
        self.0.l.iter().fold(0, |all, limb| all | limb) == 0
    }
}
