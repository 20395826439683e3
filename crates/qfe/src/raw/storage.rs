//! Flat arrays that live in memory or in a mapped file.

#[cfg(feature = "files")]
use super::mapped::Mapped;
use super::plain::Plain;

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
