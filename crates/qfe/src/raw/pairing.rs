//! Miller loops of blst.

use blst::{
    blst_fp6, blst_fp12, blst_miller_loop, blst_miller_loop_lines, blst_p1_affine, blst_p2_affine,
    blst_precompute_lines,
};

use super::{Fp12, G1, G2};

/// The Miller function of one pair, before the final exponentiation; one when
/// either point is infinity.
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

/// The 68 lines of a fixed point of G2.
pub(crate) struct Lines {
    lines: Box<[blst_fp6; 68]>,
    infinity: bool,
}

impl Lines {
    pub(crate) fn new(q: &G2) -> Self {
        let mut lines = Box::new([blst_fp6::default(); 68]);
        let infinity = q.is_infinity();
        if !infinity {
            // SAFETY: blst writes exactly 68 lines.
            unsafe {
                blst_precompute_lines(lines.as_mut_ptr(), (q as *const G2).cast::<blst_p2_affine>());
            }
        }
        Self { lines, infinity }
    }

    /// The Miller function of `p` with the fixed point.
    pub(crate) fn miller_loop(&self, p: &G1) -> Fp12 {
        let mut out = Fp12::one();
        if self.infinity || p.is_infinity() {
            return out;
        }
        let f: *mut blst_fp12 = &mut out.0;
        // SAFETY: blst reads exactly 68 lines and one live point.
        unsafe {
            blst_miller_loop_lines(f, self.lines.as_ptr(), (p as *const G1).cast::<blst_p1_affine>());
        }
        out
    }
}
