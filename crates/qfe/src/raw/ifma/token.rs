//! The proof that the processor has the instructions, and the only way to them.

use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "verify")]
use super::kernels::Columns;
use super::kernels::{self, Limbs};
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
    load(elements: [&Fp; 8]) -> Limbs;
    unload(a: &Limbs) -> [Fp; 8];
    add(a: &Limbs, b: &Limbs) -> Limbs;
    sub(a: &Limbs, b: &Limbs, c: &[u64; 8]) -> Limbs;
    settle(a: &Limbs) -> Limbs;
    mul(a: &Limbs, b: &Limbs) -> Limbs;
    sqr(a: &Limbs) -> Limbs;
    sum_of_squares(a: &Limbs, b: &Limbs) -> Limbs;
    quadratic_mul(a: [&Limbs; 2], b: [&Limbs; 2]) -> [Limbs; 2];
    quadratic_sqr(a: [&Limbs; 2], c: &[u64; 8]) -> [Limbs; 2];
    #[cfg(feature = "verify")]
    quadratic_columns(a: [&Limbs; 2], b: [&Limbs; 2]) -> [Columns; 2];
    #[cfg(feature = "verify")]
    add_columns(a: &Columns, b: &Columns) -> Columns;
    #[cfg(feature = "verify")]
    sub_columns(a: &Columns, b: &Columns) -> Columns;
    #[cfg(feature = "verify")]
    reduce_columns(t: &Columns) -> Limbs;
    blend(a: &Limbs, b: &Limbs, mask: u8) -> Limbs;
    zero_limbs(a: &Limbs) -> u8;
}
