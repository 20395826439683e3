//! Miller loops of blst.

#[cfg(feature = "evaluate")]
use blst::blst_miller_loop;
use blst::{blst_miller_loop_n, blst_p1_affine, blst_p2_affine};

use super::{Fp12, G1, G2};

/// The Miller function of one pair, before the final exponentiation; one when
/// either point is infinity.
#[cfg(feature = "evaluate")]
pub(crate) fn miller_loop(p: &G1, q: &G2) -> Fp12 {
    let mut out = Fp12::one();
    if p.is_infinity() || q.is_infinity() {
        return out;
    }
    // SAFETY: `Point` is laid out as blst's affine points; all are live.
    unsafe {
        blst_miller_loop(
            &mut out.0,
            (q as *const G2).cast::<blst_p2_affine>(),
            (p as *const G1).cast::<blst_p1_affine>(),
        );
    }
    out
}

/// The product over pairs of finite points, squarings shared; one for no pairs.
pub(crate) fn miller_loop_many(pairs: &[(G1, G2)]) -> Fp12 {
    let mut out = Fp12::one();
    if pairs.is_empty() {
        return out;
    }
    let left: Vec<*const blst_p1_affine> = pairs.iter().map(|(p, _)| (p as *const G1).cast()).collect();
    let right: Vec<*const blst_p2_affine> = pairs.iter().map(|(_, q)| (q as *const G2).cast()).collect();
    // SAFETY: both arrays hold as many pointers to live points as is said.
    unsafe { blst_miller_loop_n(&mut out.0, right.as_ptr(), left.as_ptr(), pairs.len()) };
    out
}
