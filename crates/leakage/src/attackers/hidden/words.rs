//! Columns of integers: outputs and small combinations of them.

/// The outputs themselves, at most `most`.
pub(crate) fn outputs(width: usize, most: usize) -> Vec<Vec<(usize, i64)>> {
    (0..width.min(most)).map(|output| vec![(output, 1)]).collect()
}

/// The outputs, their pairwise sums and differences, and the sum of all; at most `most`, in that order.
pub(crate) fn combinations(width: usize, most: usize) -> Vec<Vec<(usize, i64)>> {
    let mut all = outputs(width, most);
    if width > 2 {
        all.push((0..width).map(|output| (output, 1)).collect());
    }
    for b in 1..width {
        for a in 0..b {
            if all.len() >= most {
                return all;
            }
            all.extend([1, -1].map(|sign| vec![(a, 1), (b, sign)]));
        }
    }
    all.truncate(most);
    all
}

/// Integer columns; sums that exceed 64 bits wrap around, which preserves every remainder modulo a power of two.
pub(crate) struct Words {
    pub columns: Vec<Vec<i64>>,
}

impl Words {
    pub fn new(values: &[i64], width: usize, combinations: &[Vec<(usize, i64)>], rows: &[usize]) -> Words {
        let column = |terms: &Vec<(usize, i64)>| {
            let one = |&row: &usize| {
                let parts = terms.iter().map(|&(output, factor)| values[row * width + output].wrapping_mul(factor));
                parts.fold(0_i64, i64::wrapping_add)
            };
            rows.iter().map(one).collect()
        };
        Words { columns: combinations.iter().map(column).collect() }
    }

    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// The smallest and the largest value of a column.
    pub fn range(&self, column: usize) -> (i64, i64) {
        let values = || self.columns[column].iter().copied();
        (values().min().unwrap_or(0), values().max().unwrap_or(0))
    }

    /// Bits of the difference between the largest and the smallest value of a column.
    pub fn bits(&self, column: usize) -> u32 {
        let (low, high) = self.range(column);
        u64::BITS - high.wrapping_sub(low).cast_unsigned().leading_zeros()
    }
}
