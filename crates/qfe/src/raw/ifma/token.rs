//! The proof that the instructions are there, and the only way to them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Fp2x8, Fp8, kernels};
#[cfg(feature = "verify")]
use super::{columns::Sign, kernels::Columns};
use crate::raw::Fp;

/// Exists only where AVX-512 IFMA was detected, takes no memory, and is carried by every
/// vector: who holds one may call the kernels.
#[derive(Clone, Copy)]
pub(crate) struct Ifma(());

static ENABLED: AtomicBool = AtomicBool::new(true);

fn hardware() -> bool {
    std::arch::is_x86_feature_detected!("avx512ifma") && std::arch::is_x86_feature_detected!("avx512f")
}

impl Ifma {
    /// The token, if this processor has the instructions and they are not switched off.
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        (ENABLED.load(Ordering::Relaxed) && hardware()).then_some(Self(()))
    }

    /// Switches the vector instructions off or on again, for comparisons.
    #[cfg(feature = "bench")]
    pub(crate) fn enable(on: bool) {
        ENABLED.store(on, Ordering::Relaxed);
    }

    /// A token on every processor: without the instructions [`model`](super::model) stands in.
    #[cfg(test)]
    pub(crate) fn or_model() -> Self {
        Self(())
    }
}

/// Compiled for the instructions, with whatever is inlined into it.
#[target_feature(enable = "avx512f,avx512ifma")]
fn with_instructions<T>(work: impl FnOnce() -> T) -> T {
    work()
}

impl Ifma {
    /// Does work in code that is compiled for the instructions: vectors then stay in wide registers, and are copied
    /// in rows of 64 bytes. (Without, each copy takes rows of 16 bytes, which the next load has to wait for.)
    #[inline(always)]
    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        #[cfg(test)]
        if !hardware() {
            return work();
        }
        // SAFETY: as below.
        unsafe { with_instructions(work) }
    }
}

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
    load(token: Ifma, elements: [&Fp; 8]) -> Fp8;
    unload(a: &Fp8) -> [Fp; 8];
    add(a: &Fp8, b: &Fp8) -> Fp8;
    sub(a: &Fp8, b: &Fp8, c: &[u64; 8]) -> Fp8;
    settle(a: &Fp8) -> Fp8;
    negate_lanes(a: &Fp8, mask: u8, c: &[u64; 8]) -> Fp8;
    mul(a: &Fp8, b: &Fp8) -> Fp8;
    sqr(a: &Fp8) -> Fp8;
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
