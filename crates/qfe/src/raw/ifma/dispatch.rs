//! The kernels as methods of the token: the only way to them.

#[cfg(feature = "verify")]
use super::limbs::{Columns, Sign};
use super::token::Ifma;
#[cfg(test)]
use super::token::hardware;
use super::{Fp2x8, Fp8, kernels};
use crate::raw::{Fp, Lanes, LanesMut};

macro_rules! kernels {
    ($($(#[$meta:meta])? $name:ident($($argument:ident: $type:ty),*) -> $out:ty;)*) => {
        impl Ifma {$(
            $(#[$meta])?
            #[inline(always)]
            pub(super) fn $name(self, $($argument: $type),*) -> $out {
                #[cfg(test)]
                if !hardware() {
                    return super::model::$name($($argument),*);
                }
                // SAFETY: a token is made only where the instructions were detected (or, in
                // tests, where they are not there and the line above has returned).
                unsafe { kernels::$name($($argument),*) }
            }
        )*}
    };
}

kernels! {
    load(token: Ifma, elements: &impl Lanes<Fp>) -> Fp8;
    unload(a: &Fp8, places: &mut impl LanesMut<Fp>) -> ();
    rotate(a: &Fp8, by: usize) -> Fp8;
    add(a: &Fp8, b: &Fp8) -> Fp8;
    sub(a: &Fp8, b: &Fp8, c: &[u64; 8]) -> Fp8;
    settle(a: &Fp8) -> Fp8;
    negate_lanes(a: &Fp8, mask: u8, c: &[u64; 8]) -> Fp8;
    mul(a: &Fp8, b: &Fp8) -> Fp8;
    sqr(a: &Fp8) -> Fp8;
    #[cfg(feature = "verify")]
    blend(a: &Fp8, b: &Fp8, mask: u8) -> Fp8;
    zero_limbs(a: &Fp8) -> u8;
    quadratic_add(a: &Fp2x8, b: &Fp2x8) -> Fp2x8;
    quadratic_sub(a: &Fp2x8, b: &Fp2x8, c: &[u64; 8]) -> Fp2x8;
    quadratic_settle(a: &Fp2x8) -> Fp2x8;
    quadratic_scale(a: &Fp2x8, by: &Fp8) -> Fp2x8;
    quadratic_scale_conjugate(a: &Fp2x8, by: &Fp8, c: &[u64; 8]) -> Fp2x8;
    quadratic_norm(a: &Fp2x8) -> Fp8;
    quadratic_mul(a: &Fp2x8, b: &Fp2x8) -> Fp2x8;
    quadratic_sqr(a: &Fp2x8, c: &[u64; 8]) -> Fp2x8;
    #[cfg(feature = "verify")]
    quadratic_triple(t: &Fp2x8, z: &Fp2x8, negative: bool, c: &[u64; 8]) -> Fp2x8;
    #[cfg(feature = "verify")]
    product_columns(out: &mut [Columns; 2], a: &Fp2x8, b: &Fp2x8) -> ();
    #[cfg(feature = "verify")]
    finish_cubic(c: [&mut [Columns; 2]; 3], v: [&[Columns; 2]; 3]) -> ();
    #[cfg(feature = "verify")]
    finish_sparse(c: [&mut [Columns; 2]; 3], v: [&[Columns; 2]; 3]) -> ();
    #[cfg(feature = "verify")]
    reduce_terms(out: &mut Fp2x8, terms: &[(Sign, &[Columns; 2])]) -> ();
}
