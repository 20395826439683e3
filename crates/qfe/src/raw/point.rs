//! Affine points of the two source groups.

use zeroize::Zeroize;

use super::{Coordinate, Field, Fp, Fp2, Scalar};

/// The absolute value of the curve's parameter `x` (which is negative).
pub(crate) const X: u64 = 0xd201_0000_0001_0000;

/// An affine point; infinity is `(0, 0)`, which is on neither curve.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Point<F> {
    pub(crate) x: F,
    pub(crate) y: F,
}

/// `y² = x³ + 4` over the prime field.
pub(crate) type G1 = Point<Fp>;
/// `y² = x³ + 4(1 + i)` over the quadratic extension.
pub(crate) type G2 = Point<Fp2>;

impl<F: Field> Point<F> {
    pub(crate) const INFINITY: Self = Self { x: F::ZERO, y: F::ZERO };

    #[inline(always)]
    pub(crate) fn is_infinity(&self) -> bool {
        self.y.is_zero() && self.x.is_zero()
    }

    #[inline(always)]
    pub(crate) fn neg(&self) -> Self {
        Self { x: self.x, y: self.y.neg() }
    }

    /// The curve's endomorphism.
    pub(crate) fn endomorphism(&self) -> Self
    where
        F: Coordinate,
    {
        let (cx, cy) = F::endomorphism_constants();
        Self { x: self.x.conjugate().mul(cx), y: self.y.conjugate().mul(cy) }
    }

    /// To the form that vectors load.
    pub(crate) fn to_shifted(self) -> Self
    where
        F: Coordinate,
    {
        Self { x: self.x.to_shifted(), y: self.y.to_shifted() }
    }

    /// From the form that vectors store.
    pub(crate) fn unshifted(self) -> Self
    where
        F: Coordinate,
    {
        Self { x: self.x.unshifted(), y: self.y.unshifted() }
    }

    /// `−self` if `negative`, else `self`.
    #[inline(always)]
    pub(crate) fn neg_if(&self, negative: bool) -> Self {
        if negative { self.neg() } else { *self }
    }
}

impl<F> Point<F> {
    /// Asks the processor to have the point at hand soon.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        #[cfg(target_arch = "x86_64")]
        for offset in (0..size_of::<Self>()).step_by(64) {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: the offset is within the point, and nothing is read.
            unsafe { _mm_prefetch::<_MM_HINT_T0>((self as *const Self).byte_add(offset).cast()) };
        }
    }
}

impl<F: Field> Default for Point<F> {
    fn default() -> Self {
        Self::INFINITY
    }
}

impl<F: Field> zeroize::DefaultIsZeroes for Point<F> {}

/// Digits of a scalar in base `|x|`.
pub(super) fn digits_base_x(scalar: &Scalar) -> [u64; 4] {
    let bytes = scalar.to_bytes();
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut eight = [0u8; 8];
        eight.copy_from_slice(chunk);
        *limb = u64::from_le_bytes(eight);
    }
    let mut digits = [0u64; 4];
    for digit in &mut digits {
        let mut remainder = 0u128;
        for limb in limbs.iter_mut().rev() {
            let value = (remainder << 64) | u128::from(*limb);
            *limb = (value / u128::from(X)) as u64;
            remainder = value % u128::from(X);
        }
        *digit = remainder as u64;
    }
    limbs.zeroize();
    digits
}

pub(super) fn scalar_from_u128(value: u128) -> Scalar {
    let mut bytes = [0u8; 32];
    bytes[..16].copy_from_slice(&value.to_le_bytes());
    Scalar::from_bytes(&bytes).unwrap_or_default()
}
