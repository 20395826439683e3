//! Affine points of the two source groups.

use std::sync::OnceLock;

use blst::{
    BLST_ERROR, blst_p1, blst_p1_add_or_double, blst_p1_affine, blst_p1_affine_compress, blst_p1_affine_generator,
    blst_p1_affine_in_g1, blst_p1_affine_serialize, blst_p1_cneg, blst_p1_deserialize, blst_p1_from_affine,
    blst_p1_mult, blst_p1_to_affine, blst_p1_uncompress, blst_p2, blst_p2_add_or_double, blst_p2_affine,
    blst_p2_affine_compress, blst_p2_affine_generator, blst_p2_affine_in_g2, blst_p2_affine_serialize, blst_p2_cneg,
    blst_p2_deserialize, blst_p2_from_affine, blst_p2_mult, blst_p2_to_affine, blst_p2_uncompress,
};
use zeroize::Zeroize;

use super::{Coordinate, Field, Fp, Fp2, Scalar, ifma};

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

impl<F: Field> Default for Point<F> {
    fn default() -> Self {
        Self::INFINITY
    }
}

impl<F: Field> zeroize::DefaultIsZeroes for Point<F> {}

/// Digits of a scalar in base `|x|`.
fn digits_base_x(scalar: &Scalar) -> [u64; 4] {
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

fn scalar_from_u128(value: u128) -> Scalar {
    let mut bytes = [0u8; 32];
    bytes[..16].copy_from_slice(&value.to_le_bytes());
    Scalar::from_bytes(&bytes).unwrap_or_default()
}

impl Coordinate for Fp {
    const POINT_BYTES: usize = 96;
    const SPLIT: usize = 2;
    const SPLIT_BITS: u32 = 128;
    const SUBGROUP_COMBINATIONS: (usize, i32) = (26, 1);
    type Vector = ifma::Fp8;

    #[inline(always)]
    fn norm(&self) -> Fp {
        *self
    }

    #[inline(always)]
    fn with_inverse_norm(&self, inverse: &Fp) -> Self {
        *inverse
    }

    fn to_shifted(self) -> Self {
        self.to_shifted()
    }

    fn unshifted(self) -> Self {
        self.unshifted()
    }

    fn generator() -> G1 {
        // SAFETY: blst returns a pointer to a constant laid out as `G1`.
        unsafe { *blst_p1_affine_generator().cast::<G1>() }
    }

    fn scalar_mul(point: &G1, scalar: &Scalar) -> G1 {
        let mut bytes = scalar.to_bytes();
        let mut jacobian = blst_p1::default();
        let mut out = G1::INFINITY;
        // SAFETY: `G1` is laid out as `blst_p1_affine`; blst reads 255 bits of 32 bytes.
        unsafe {
            blst_p1_from_affine(&mut jacobian, (point as *const G1).cast());
            let base = jacobian;
            blst_p1_mult(&mut jacobian, &base, bytes.as_ptr(), 255);
            blst_p1_to_affine((&mut out as *mut G1).cast::<blst_p1_affine>(), &jacobian);
        }
        bytes.zeroize();
        out
    }

    fn combine_constant_time(base: &G1, x: i64, point: &G1, scalar: &Scalar) -> G1 {
        let magnitude = x.unsigned_abs().to_le_bytes();
        let mut bytes = scalar.to_bytes();
        let mut out = G1::INFINITY;
        // SAFETY: as for `scalar_mul`; the first product reads 64 bits of 8 bytes.
        unsafe {
            let (mut b, mut p) = (blst_p1::default(), blst_p1::default());
            blst_p1_from_affine(&mut b, (base as *const G1).cast());
            blst_p1_from_affine(&mut p, (point as *const G1).cast());
            let (mut first, mut second) = (blst_p1::default(), blst_p1::default());
            blst_p1_mult(&mut first, &b, magnitude.as_ptr(), 64);
            blst_p1_cneg(&mut first, x < 0);
            blst_p1_mult(&mut second, &p, bytes.as_ptr(), 255);
            blst_p1_add_or_double(&mut p, &first, &second);
            blst_p1_to_affine((&mut out as *mut G1).cast(), &p);
        }
        bytes.zeroize();
        out
    }

    fn endomorphism_constants() -> &'static (Fp, Fp) {
        static BETA: OnceLock<(Fp, Fp)> = OnceLock::new();
        BETA.get_or_init(|| {
            let g = Self::generator();
            let lambda = scalar_from_u128(u128::from(X) * u128::from(X) - 1);
            (Self::scalar_mul(&g, &lambda).x.mul(&g.x.inverse()), Fp::ONE)
        })
    }

    fn conjugate(&self) -> Self {
        *self
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn scale(&self, by: &Fp) -> Self {
        self.mul(by)
    }

    /// Base `x² − 1`, the eigenvalue of `(x, y) ↦ (βx, y)`.
    fn split_vartime(scalar: &Scalar) -> Vec<(u128, bool)> {
        let x = u128::from(X);
        let lambda = x * x - 1;
        let d = digits_base_x(scalar).map(u128::from);
        // k = low + high·x² = (low + high) + high·(x² − 1)
        let (low, mut high) = (d[0] + d[1] * x, d[2] + d[3] * x);
        let (mut sum, mut overflow) = low.overflowing_add(high);
        while overflow || sum >= lambda {
            let borrow;
            (sum, borrow) = sum.overflowing_sub(lambda);
            overflow = overflow && !borrow;
            high += 1;
        }
        vec![(sum, false), (high, false)]
    }

    fn in_subgroup(point: &G1) -> bool {
        // SAFETY: `G1` is laid out as `blst_p1_affine`.
        unsafe { blst_p1_affine_in_g1((point as *const G1).cast()) }
    }

    fn serialize(point: &G1, compressed: bool, out: &mut [u8]) {
        let mut bytes = [0u8; 96];
        let length = if compressed { 48 } else { 96 };
        // SAFETY: blst writes 48 or 96 bytes and reads one point.
        unsafe {
            let point = (point as *const G1).cast();
            if compressed {
                blst_p1_affine_compress(bytes.as_mut_ptr(), point);
            } else {
                blst_p1_affine_serialize(bytes.as_mut_ptr(), point);
            }
        }
        out.copy_from_slice(&bytes[..length]);
    }

    fn deserialize(bytes: &[u8], compressed: bool) -> Option<G1> {
        let length = if compressed { 48 } else { 96 };
        let compressed_flag = bytes.first()? & 0x80 != 0;
        if bytes.len() != length || compressed_flag != compressed {
            return None;
        }
        let mut out = G1::INFINITY;
        // SAFETY: blst reads 48 or 96 bytes as the checked flag says, and writes one point.
        let status = unsafe {
            let out = (&mut out as *mut G1).cast();
            if compressed { blst_p1_uncompress(out, bytes.as_ptr()) } else { blst_p1_deserialize(out, bytes.as_ptr()) }
        };
        (status == BLST_ERROR::BLST_SUCCESS).then_some(out)
    }
}

impl Coordinate for Fp2 {
    const POINT_BYTES: usize = 192;
    const SPLIT: usize = 4;
    const SPLIT_BITS: u32 = 64;
    const SUBGROUP_COMBINATIONS: (usize, i32) = (11, 6);
    type Vector = ifma::Fp2x8;

    #[inline(always)]
    fn norm(&self) -> Fp {
        self.c0.sqr().add(&self.c1.sqr())
    }

    #[inline(always)]
    fn with_inverse_norm(&self, inverse: &Fp) -> Self {
        self.conjugate().scale(inverse)
    }

    fn to_shifted(self) -> Self {
        Self { c0: self.c0.to_shifted(), c1: self.c1.to_shifted() }
    }

    fn unshifted(self) -> Self {
        Self { c0: self.c0.unshifted(), c1: self.c1.unshifted() }
    }

    fn generator() -> G2 {
        // SAFETY: blst returns a pointer to a constant laid out as `G2`.
        unsafe { *blst_p2_affine_generator().cast::<G2>() }
    }

    fn scalar_mul(point: &G2, scalar: &Scalar) -> G2 {
        let mut bytes = scalar.to_bytes();
        let mut jacobian = blst_p2::default();
        let mut out = G2::INFINITY;
        // SAFETY: `G2` is laid out as `blst_p2_affine`; blst reads 255 bits of 32 bytes.
        unsafe {
            blst_p2_from_affine(&mut jacobian, (point as *const G2).cast());
            let base = jacobian;
            blst_p2_mult(&mut jacobian, &base, bytes.as_ptr(), 255);
            blst_p2_to_affine((&mut out as *mut G2).cast::<blst_p2_affine>(), &jacobian);
        }
        bytes.zeroize();
        out
    }

    fn combine_constant_time(base: &G2, x: i64, point: &G2, scalar: &Scalar) -> G2 {
        let magnitude = x.unsigned_abs().to_le_bytes();
        let mut bytes = scalar.to_bytes();
        let mut out = G2::INFINITY;
        // SAFETY: as for `scalar_mul`; the first product reads 64 bits of 8 bytes.
        unsafe {
            let (mut b, mut p) = (blst_p2::default(), blst_p2::default());
            blst_p2_from_affine(&mut b, (base as *const G2).cast());
            blst_p2_from_affine(&mut p, (point as *const G2).cast());
            let (mut first, mut second) = (blst_p2::default(), blst_p2::default());
            blst_p2_mult(&mut first, &b, magnitude.as_ptr(), 64);
            blst_p2_cneg(&mut first, x < 0);
            blst_p2_mult(&mut second, &p, bytes.as_ptr(), 255);
            blst_p2_add_or_double(&mut p, &first, &second);
            blst_p2_to_affine((&mut out as *mut G2).cast(), &p);
        }
        bytes.zeroize();
        out
    }

    fn endomorphism_constants() -> &'static (Fp2, Fp2) {
        static PSI: OnceLock<(Fp2, Fp2)> = OnceLock::new();
        PSI.get_or_init(|| {
            let g = Self::generator();
            let image = Self::scalar_mul(&g, &scalar_from_u128(u128::from(X))).neg();
            let ratio = |a: &Fp2, b: &Fp2| {
                let b = b.conjugate();
                a.mul(&b.with_inverse_norm(&b.norm().inverse()))
            };
            (ratio(&image.x, &g.x), ratio(&image.y, &g.y))
        })
    }

    fn conjugate(&self) -> Self {
        self.conjugate()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn scale(&self, by: &Fp) -> Self {
        self.scale(by)
    }

    /// Base `x = −|x|`, the eigenvalue of the untwisted Frobenius: signs alternate.
    fn split_vartime(scalar: &Scalar) -> Vec<(u128, bool)> {
        let digits = digits_base_x(scalar);
        digits.iter().enumerate().map(|(k, &d)| (u128::from(d), k % 2 == 1)).collect()
    }

    fn in_subgroup(point: &G2) -> bool {
        // SAFETY: `G2` is laid out as `blst_p2_affine`.
        unsafe { blst_p2_affine_in_g2((point as *const G2).cast()) }
    }

    fn serialize(point: &G2, compressed: bool, out: &mut [u8]) {
        let mut bytes = [0u8; 192];
        let length = if compressed { 96 } else { 192 };
        // SAFETY: blst writes 96 or 192 bytes and reads one point.
        unsafe {
            let point = (point as *const G2).cast();
            if compressed {
                blst_p2_affine_compress(bytes.as_mut_ptr(), point);
            } else {
                blst_p2_affine_serialize(bytes.as_mut_ptr(), point);
            }
        }
        out.copy_from_slice(&bytes[..length]);
    }

    fn deserialize(bytes: &[u8], compressed: bool) -> Option<G2> {
        let length = if compressed { 96 } else { 192 };
        let compressed_flag = bytes.first()? & 0x80 != 0;
        if bytes.len() != length || compressed_flag != compressed {
            return None;
        }
        let mut out = G2::INFINITY;
        // SAFETY: blst reads 96 or 192 bytes as the checked flag says, and writes one point.
        let status = unsafe {
            let out = (&mut out as *mut G2).cast();
            if compressed { blst_p2_uncompress(out, bytes.as_ptr()) } else { blst_p2_deserialize(out, bytes.as_ptr()) }
        };
        (status == BLST_ERROR::BLST_SUCCESS).then_some(out)
    }
}
