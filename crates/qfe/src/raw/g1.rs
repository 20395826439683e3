//! The curve of G1, `y² = x³ + 4` over the prime field.

use std::sync::OnceLock;

use blst::{
    BLST_ERROR, blst_p1, blst_p1_add_or_double, blst_p1_affine, blst_p1_affine_compress, blst_p1_affine_generator,
    blst_p1_affine_in_g1, blst_p1_affine_serialize, blst_p1_cneg, blst_p1_deserialize, blst_p1_from_affine,
    blst_p1_mult, blst_p1_to_affine, blst_p1_uncompress,
};
#[cfg(feature = "verify")]
use blst::{blst_p1s_mult_pippenger, blst_p1s_mult_pippenger_scratch_sizeof};
use zeroize::Zeroize;
#[cfg(feature = "verify")]
use zeroize::Zeroizing;

use super::{
    Coordinate, Field, Fp, Scalar, ifma,
    point::{G1, X, digits_base_x, scalar_from_u128},
};

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

    #[cfg(feature = "verify")]
    fn combine_vartime(points: &[G1], scalars: &[Scalar], bits: usize) -> G1 {
        let terms = points.iter().zip(scalars).filter(|(point, _)| !point.is_infinity());
        let (points, scalars): (Vec<*const blst_p1_affine>, Vec<[u8; 32]>) =
            terms.map(|(point, scalar)| ((point as *const G1).cast(), scalar.to_bytes())).unzip();
        if points.is_empty() {
            return G1::INFINITY;
        }
        let scalars: Vec<*const u8> = scalars.iter().map(|scalar| scalar.as_ptr()).collect();
        let (mut sum, mut out) = (blst_p1::default(), G1::INFINITY);
        // SAFETY: blst reads as many points and scalars of `bits` (at most 255) bits as there are
        // pointers, all of them live, and uses scratch of the size that it asked for.
        unsafe {
            let words = blst_p1s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8);
            let mut scratch = Zeroizing::new(vec![0u64; words]);
            let bits = bits.min(255);
            blst_p1s_mult_pippenger(
                &mut sum,
                points.as_ptr(),
                points.len(),
                scalars.as_ptr(),
                bits,
                scratch.as_mut_ptr(),
            );
            blst_p1_to_affine((&mut out as *mut G1).cast(), &sum);
        }
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
