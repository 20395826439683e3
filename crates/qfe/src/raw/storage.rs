//! Flat arrays that live in memory or in a mapped file.

#[cfg(feature = "files")]
use super::Mapped;
use super::{Field, Point};

/// Types whose every bit pattern is a value, without padding.
///
/// # Safety
/// The implementer promises exactly that.
pub(crate) unsafe trait Plain: Copy + Send + Sync + 'static {}
// SAFETY: arrays of `u64` limbs in `repr(C)`/`repr(transparent)` structures.
unsafe impl<F: Field> Plain for Point<F> {}
// SAFETY: an integer.
unsafe impl Plain for u64 {}

/// An array of plain values.
pub(crate) enum Storage<T> {
    /// In memory.
    Owned(Vec<T>),
    /// In a file, from a byte offset to its end.
    #[cfg(feature = "files")]
    Mapped(Mapped<T>),
}

impl<T: Plain> Storage<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::Owned(values) => values,
            #[cfg(feature = "files")]
            Self::Mapped(mapped) => mapped.as_slice(),
        }
    }
}
