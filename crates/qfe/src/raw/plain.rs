//! Values that may be read from any bytes.

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
