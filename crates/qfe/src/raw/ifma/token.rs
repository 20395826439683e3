//! The proof that the processor has the instructions, and the only way to them.

use std::sync::atomic::{AtomicBool, Ordering};

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

macro_rules! kernels {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty;)*) => {
        impl Ifma {$(
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
    sub(a: &Limbs, b: &Limbs) -> Limbs;
    mul(a: &Limbs, b: &Limbs) -> Limbs;
    sqr(a: &Limbs) -> Limbs;
    sum_of_products(a: &Limbs, b: &Limbs, c: &Limbs, d: &Limbs) -> Limbs;
    blend(a: &Limbs, b: &Limbs, mask: u8) -> Limbs;
    zero_limbs(a: &Limbs) -> u8;
}
