//! The proof that the processor has the instructions.

use std::sync::atomic::{AtomicBool, Ordering};

/// Exists only where AVX-512 IFMA was detected, takes no memory, and is carried by every
/// vector: who holds one may call the kernels.
#[derive(Clone, Copy)]
pub(crate) struct Ifma(());

static ENABLED: AtomicBool = AtomicBool::new(true);

pub(super) fn hardware() -> bool {
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
        // SAFETY: a token is made only where the instructions were detected.
        unsafe { with_instructions(work) }
    }
}
