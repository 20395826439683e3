//! Products of quadratic elements that are not reduced yet.
//!
//! A reduction costs as much as a product of prime-field elements. What is added up from many
//! products is therefore added in columns and reduced once.

use super::{
    Fp2x8, Fp8, Ifma, MOST_PRODUCT, SIGNED_PRODUCT,
    kernels::{self, Limbs},
};
use crate::raw::Vector;

/// Both coordinates of eight quadratic elements, as signed columns.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Fp2Columns {
    columns: [kernels::Columns; 2],
    token: Ifma,
    #[cfg(test)]
    size: Size,
}

/// What the coordinates stay below in absolute value.
#[derive(Clone, Copy, Default)]
struct Size {
    /// As a whole, in multiples of `p²`.
    value: u64,
    /// In every column, in multiples of `2^52`.
    column: u64,
}

/// `2^62`, so that the reduction does not leave a word.
const MOST_COLUMN: u64 = 1 << 10;

impl Fp2Columns {
    #[inline(always)]
    fn of(token: Ifma, columns: [kernels::Columns; 2], _size: Size) -> Self {
        Self {
            columns,
            token,
            #[cfg(test)]
            size: _size,
        }
    }

    /// Known in tests only.
    #[cfg(test)]
    fn size(&self) -> Size {
        self.size
    }

    /// Not known.
    #[cfg(not(test))]
    #[inline(always)]
    fn size(&self) -> Size {
        Size::default()
    }

    #[inline(always)]
    fn sum(a: Size, b: Size) -> Size {
        Size { value: a.value + b.value, column: a.column + b.column }
    }

    /// `a·b`.
    #[inline(always)]
    pub(crate) fn product(a: &Fp2x8, b: &Fp2x8) -> Self {
        let token = a.token();
        // A column of a product has at most 15 terms; two products are subtracted from the imaginary one.
        let size = Size { value: 4 * a.bound() * b.bound(), column: 30 };
        Self::of(token, token.quadratic_columns(a.limbs(), b.limbs()), size)
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        let ([a0, a1], [b0, b1]) = (&self.columns, &other.columns);
        let columns = [self.token.add_columns(a0, b0), self.token.add_columns(a1, b1)];
        Self::of(self.token, columns, Self::sum(self.size(), other.size()))
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        let ([a0, a1], [b0, b1]) = (&self.columns, &other.columns);
        let columns = [self.token.sub_columns(a0, b0), self.token.sub_columns(a1, b1)];
        Self::of(self.token, columns, Self::sum(self.size(), other.size()))
    }

    /// Multiplication by `1 + i`.
    #[inline(always)]
    pub(crate) fn mul_by_nonresidue(&self) -> Self {
        let [a0, a1] = &self.columns;
        let columns = [self.token.sub_columns(a0, a1), self.token.add_columns(a0, a1)];
        Self::of(self.token, columns, Self::sum(self.size(), self.size()))
    }

    #[inline(always)]
    pub(crate) fn reduce(&self) -> Fp2x8 {
        debug_assert!(self.size().value <= MOST_PRODUCT && self.size().column <= MOST_COLUMN);
        let reduced = |columns: &kernels::Columns| -> Fp8 {
            let limbs: Limbs = self.token.reduce_columns(columns);
            Fp8::of(self.token, limbs, SIGNED_PRODUCT)
        };
        Fp2x8 { c0: reduced(&self.columns[0]), c1: reduced(&self.columns[1]) }
    }
}
