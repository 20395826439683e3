//! How the bits of a sub-scalar are cut into windows of signed digits.

/// One window of a table: bits, offset in the sub-scalar, first row, digits held.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) offset: u32,
    bits: u32,
    pub(super) first_row: usize,
    pub(super) digits: usize,
}

/// The windows of a table: all but the top one hold signed digits.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) windows: Vec<Window>,
    pub(super) rows: usize,
}

impl Layout {
    /// `count` windows over `bits` bits, with as few rows as possible.
    fn new(bits: u32, count: u32) -> Self {
        let exponents = bits + 1 - count;
        let (small, larger) = (exponents / count, exponents % count);
        let (mut offset, mut first_row) = (0, 0);
        let windows = (0..count)
            .map(|i| {
                let exponent = small + u32::from(i < larger);
                let top = i + 1 == count;
                let bits = exponent + u32::from(!top);
                let window = Window { offset, bits, first_row, digits: 1 << exponent };
                offset += bits;
                first_row += window.digits;
                window
            })
            .collect();
        Self { windows, rows: first_row }
    }

    /// The layout with the fewest additions whose rows do not exceed `max_rows`
    /// (or the smallest one, if none does).
    pub(super) fn within(bits: u32, fewest: u32, max_rows: usize) -> Self {
        (fewest..=bits / 2)
            .map(|count| Self::new(bits, count))
            .find(|layout| layout.rows <= max_rows)
            .unwrap_or_else(|| Self::new(bits, bits / 2))
    }

    /// Signed digits of a sub-scalar, lowest window first.
    pub(super) fn digits(&self, mut value: u128) -> Vec<i32> {
        let last = self.windows.len() - 1;
        let mut digits = Vec::with_capacity(self.windows.len());
        let mut carry = 0;
        for (k, window) in self.windows.iter().enumerate() {
            let mut digit = (value & ((1 << window.bits) - 1)) as i32 + carry;
            value >>= window.bits;
            carry = 0;
            if k != last && digit > 1 << (window.bits - 1) {
                digit -= 1 << window.bits;
                carry = 1;
            }
            digits.push(digit);
        }
        digits
    }
}
