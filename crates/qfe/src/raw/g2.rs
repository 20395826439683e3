//! The curve of G2, `y² = x³ + 4(1 + i)` over the quadratic extension.

use std::sync::OnceLock;

use blst::{
    BLST_ERROR, blst_p2, blst_p2_add_or_double, blst_p2_affine, blst_p2_affine_compress, blst_p2_affine_generator,
    blst_p2_affine_in_g2, blst_p2_affine_serialize, blst_p2_cneg, blst_p2_deserialize, blst_p2_from_affine,
    blst_p2_mult, blst_p2_to_affine, blst_p2_uncompress,
};
#[cfg(feature = "verify")]
use blst::{blst_p2s_mult_pippenger, blst_p2s_mult_pippenger_scratch_sizeof};
use zeroize::Zeroize;
#[cfg(feature = "verify")]
use zeroize::Zeroizing;

use super::{
    Coordinate, Field, Fp, Fp2, Scalar, ifma,
    point::{G2, X, digits_base_x, scalar_from_u128},
};

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

    #[cfg(feature = "verify")]
    fn combine_vartime(points: &[G2], scalars: &[Scalar], bits: usize) -> G2 {
        let terms = points.iter().zip(scalars).filter(|(point, _)| !point.is_infinity());
        let (points, scalars): (Vec<*const blst_p2_affine>, Vec<[u8; 32]>) =
            terms.map(|(point, scalar)| ((point as *const G2).cast(), scalar.to_bytes())).unzip();
        if points.is_empty() {
            return G2::INFINITY;
        }
        let scalars: Vec<*const u8> = scalars.iter().map(|scalar| scalar.as_ptr()).collect();
        let (mut sum, mut out) = (blst_p2::default(), G2::INFINITY);
        // SAFETY: blst reads as many points and scalars of `bits` (at most 255) bits as there are
        // pointers, all of them live, and uses scratch of the size that it asked for.
        unsafe {
            let words = blst_p2s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8);
            let mut scratch = Zeroizing::new(vec![0u64; words]);
            let bits = bits.min(255);
            blst_p2s_mult_pippenger(
                &mut sum,
                points.as_ptr(),
                points.len(),
                scalars.as_ptr(),
                bits,
                scratch.as_mut_ptr(),
            );
            blst_p2_to_affine((&mut out as *mut G2).cast(), &sum);
        }
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
