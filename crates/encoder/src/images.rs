//! The items that an encoder is fitted on.

/// A set of items of one size, one byte per pixel or column.
pub trait Images: Sync {
    /// The number of items.
    fn len(&self) -> usize;

    /// Rows of an item.
    fn height(&self) -> usize;

    /// Columns of an item.
    fn width(&self) -> usize;

    /// The `height · width` bytes of one item, row by row.
    fn image(&self, item: usize) -> &[u8];

    /// Whether the bytes are pixels, where ink may be dark or light, and not measured values.
    fn are_pictures(&self) -> bool {
        true
    }

    /// The SHA-256, in hexadecimal, of the columns' schema, where they are measured values.
    fn schema_hash(&self) -> Option<String> {
        None
    }

    /// Whether there is no item.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Items one after another in one slice.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    /// Rows of an item.
    pub height: usize,
    /// Columns of an item.
    pub width: usize,
    /// A whole number of items of `height · width` bytes; bytes left over are ignored.
    pub bytes: &'a [u8],
}

impl Images for Pixels<'_> {
    fn len(&self) -> usize {
        self.bytes.len().checked_div(self.height * self.width).unwrap_or(0)
    }

    fn height(&self) -> usize {
        self.height
    }

    fn width(&self) -> usize {
        self.width
    }

    fn image(&self, item: usize) -> &[u8] {
        let size = self.height * self.width;
        &self.bytes[item * size..][..size]
    }
}
