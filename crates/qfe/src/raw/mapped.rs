//! Arrays in mapped files.

use std::{fs::File, io, marker::PhantomData};

use super::plain::Plain;

/// The bytes of an array.
pub(crate) fn as_bytes<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: plain values have no padding, and bytes have no alignment.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), std::mem::size_of_val(values)) }
}

/// Part of a mapped file read as plain values.
pub(crate) struct Mapped<T> {
    map: std::sync::Arc<memmap2::Mmap>,
    start: usize,
    count: usize,
    values: PhantomData<T>,
}

impl<T: Plain> Mapped<T> {
    /// `count` values from byte `start`; `None` when they do not lie inside the
    /// map or not on their alignment.
    pub(crate) fn new(map: &std::sync::Arc<memmap2::Mmap>, start: usize, count: usize) -> Option<Self> {
        let bytes = count.checked_mul(std::mem::size_of::<T>())?;
        let end = start.checked_add(bytes)?;
        let aligned = (map.as_ptr() as usize + start).is_multiple_of(std::mem::align_of::<T>());
        (end <= map.len() && aligned).then(|| Self { map: map.clone(), start, count, values: PhantomData })
    }

    pub(super) fn as_slice(&self) -> &[T] {
        // SAFETY: `new` checked bounds and alignment; any bytes are a value of `T`.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.start).cast(), self.count) }
    }
}

/// Maps a file for reading.
///
/// The file must not be changed in place while mapped; this crate only ever
/// replaces such files by renaming, and the map keeps the old content.
pub(crate) fn map_file(file: &File) -> io::Result<std::sync::Arc<memmap2::Mmap>> {
    // SAFETY: see above; a foreign writer could at worst make values wrong, which
    // the arithmetic tolerates, or truncate the file, which ends the process.
    Ok(std::sync::Arc::new(unsafe { memmap2::Mmap::map(file)? }))
}
