//! Miller loops of blst.

#[cfg(feature = "evaluate")]
use blst::{blst_fp6, blst_miller_loop, blst_miller_loop_lines, blst_precompute_lines};
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

/// The lines of one point of G2 in a Miller loop, for many points of G1.
#[cfg(feature = "evaluate")]
pub(crate) struct Lines(Option<Box<[blst_fp6; 68]>>);

#[cfg(feature = "evaluate")]
impl Lines {
    pub(crate) fn new(q: &G2) -> Self {
        if q.is_infinity() {
            return Self(None);
        }
        let mut lines = Box::new([blst_fp6::default(); 68]);
        // SAFETY: blst writes 68 lines; the point is live and finite.
        unsafe { blst_precompute_lines(lines.as_mut_ptr(), (q as *const G2).cast()) };
        Self(Some(lines))
    }

    /// [`miller_loop`] with this point.
    pub(crate) fn miller_loop(&self, p: &G1) -> Fp12 {
        let mut out = Fp12::one();
        if let (Some(lines), false) = (&self.0, p.is_infinity()) {
            // SAFETY: there are 68 lines; the point is live and finite.
            unsafe { blst_miller_loop_lines(&mut out.0, lines.as_ptr(), (p as *const G1).cast()) };
        }
        out
    }
}
