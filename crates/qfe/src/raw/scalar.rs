//! Integers modulo the group order `r` (255 bits).

use blst::{
    blst_fr, blst_fr_add, blst_fr_cneg, blst_fr_from_scalar, blst_fr_from_uint64, blst_fr_inverse, blst_fr_mul,
    blst_fr_sub, blst_scalar, blst_scalar_fr_check, blst_scalar_from_fr, blst_scalar_from_le_bytes,
};
use rand::CryptoRng;
use zeroize::{DefaultIsZeroes, Zeroize};

/// A scalar in Montgomery form. It may be secret: every operation is constant-time.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Scalar(blst_fr);

impl DefaultIsZeroes for Scalar {}

impl Scalar {
    pub(crate) const BYTES: usize = 32;

    /// Uniform up to a statistical distance of `2^-257`.
    pub(crate) fn random(rng: &mut impl CryptoRng) -> Self {
        let mut wide = [0u8; 64];
        rng.fill_bytes(&mut wide);
        let mut reduced = blst_scalar::default();
        let mut out = Self::default();
        // SAFETY: blst reads 64 bytes from `wide` and writes one scalar.
        unsafe {
            blst_scalar_from_le_bytes(&mut reduced, wide.as_ptr(), wide.len());
            blst_fr_from_scalar(&mut out.0, &reduced);
        }
        wide.zeroize();
        reduced.b.zeroize();
        out
    }

    /// 64 little-endian bytes modulo the group order.
    #[cfg(feature = "shares")]
    pub(crate) fn from_wide(bytes: &[u8; 64]) -> Self {
        let mut reduced = blst_scalar::default();
        let mut out = Self::default();
        // SAFETY: blst reads 64 bytes and writes one scalar.
        unsafe {
            blst_scalar_from_le_bytes(&mut reduced, bytes.as_ptr(), bytes.len());
            blst_fr_from_scalar(&mut out.0, &reduced);
        }
        out
    }

    /// Uniform below `2^128`, for checks.
    #[cfg(feature = "verify")]
    pub(crate) fn random_128(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes[..16]);
        Self::from_bytes(&bytes).unwrap_or_default()
    }

    pub(crate) fn from_i64(value: i64) -> Self {
        let limbs = [value.unsigned_abs(), 0, 0, 0];
        let mut magnitude = Self::default();
        let mut out = Self::default();
        // SAFETY: blst reads four limbs.
        unsafe {
            blst_fr_from_uint64(&mut magnitude.0, limbs.as_ptr());
            blst_fr_cneg(&mut out.0, &magnitude.0, value < 0);
        }
        out
    }

    /// Canonical little-endian bytes; `None` when not below the group order.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let canonical = blst_scalar { b: *bytes };
        let mut out = Self::default();
        // SAFETY: both pointers are to live scalars.
        unsafe {
            if !blst_scalar_fr_check(&canonical) {
                return None;
            }
            blst_fr_from_scalar(&mut out.0, &canonical);
        }
        Some(out)
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut out = blst_scalar::default();
        // SAFETY: both pointers are to live scalars.
        unsafe { blst_scalar_from_fr(&mut out, &self.0) };
        out.b
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut out = Self::default();
        // SAFETY: all pointers are to live scalars.
        unsafe { blst_fr_add(&mut out.0, &self.0, &other.0) };
        out
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        let mut out = Self::default();
        // SAFETY: all pointers are to live scalars.
        unsafe { blst_fr_sub(&mut out.0, &self.0, &other.0) };
        out
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut out = Self::default();
        // SAFETY: all pointers are to live scalars.
        unsafe { blst_fr_mul(&mut out.0, &self.0, &other.0) };
        out
    }

    pub(crate) fn neg(&self) -> Self {
        Self::default().sub(self)
    }

    /// The inverse; zero for zero.
    pub(crate) fn inverse(&self) -> Self {
        let mut out = Self::default();
        // SAFETY: both pointers are to live scalars.
        unsafe { blst_fr_inverse(&mut out.0, &self.0) };
        out
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}
