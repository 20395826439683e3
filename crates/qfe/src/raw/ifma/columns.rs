//! Products of quadratic elements that are not reduced yet.
//!
//! A reduction costs as much as a product of prime-field elements. What is added up from many
//! products is therefore added in columns and reduced once. Columns take 2 kB a quadratic element: they
//! are written to memory that is there already.

use super::Fp2x8;
use super::limbs::{Columns, Sign};
use super::token::Ifma;
#[cfg(test)]
use super::{MOST_PRODUCT, SIGNED_PRODUCT};
use crate::raw::Vector;

/// Both coordinates of eight quadratic elements, as signed columns.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Fp2Columns {
    columns: [Columns; 2],
    token: Ifma,
    #[cfg(test)]
    size: Size,
}

/// What the coordinates stay below in absolute value.
#[cfg(test)]
#[derive(Clone, Copy, Default)]
struct Size {
    /// As a whole, in multiples of `p²`.
    value: u64,
    /// In every column, in multiples of `2^52`.
    column: u64,
}

#[cfg(test)]
impl Size {
    fn of_product(a: u64, b: u64) -> Self {
        // A column of a product has at most 15 terms; two products are subtracted from the imaginary one.
        Self { value: 4 * a * b, column: 30 }
    }

    fn plus(self, other: Self) -> Self {
        Self { value: self.value + other.value, column: self.column + other.column }
    }

    fn twice(self) -> Self {
        self.plus(self)
    }
}

/// `2^62`, so that the reduction does not leave a word.
#[cfg(test)]
const MOST_COLUMN: u64 = 1 << 10;

impl Fp2Columns {
    pub(crate) fn new(token: Ifma) -> Self {
        Self {
            columns: [[[0; 8]; 16]; 2],
            token,
            #[cfg(test)]
            size: Size::default(),
        }
    }

    /// Becomes `a·b`.
    #[inline(always)]
    pub(crate) fn set_product(&mut self, a: &Fp2x8, b: &Fp2x8) {
        self.token.product_columns(&mut self.columns, a, b);
        #[cfg(test)]
        {
            self.size = Size::of_product(a.bound(), b.bound());
        }
    }
}

impl Fp2x8 {
    /// Becomes the reduced sum of some terms.
    #[inline(always)]
    pub(crate) fn set_sum<const N: usize>(&mut self, terms: [(Sign, &Fp2Columns); N]) {
        #[cfg(test)]
        {
            let size = terms.iter().fold(Size::default(), |sum, (sign, term)| {
                let twisted = matches!(sign, Sign::Twisted | Sign::MinusTwisted);
                sum.plus(if twisted { term.size.twice() } else { term.size })
            });
            assert!(size.value <= MOST_PRODUCT && size.column <= MOST_COLUMN);
        }
        self.c0.token.reduce_terms(self, &terms.map(|(sign, term)| (sign, &term.columns)));
        #[cfg(test)]
        {
            *self = self.bounded(SIGNED_PRODUCT);
        }
    }
}

/// Eight elements of the cubic extension of the quadratic one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Cubic {
    pub(crate) coefficients: [Fp2Columns; 3],
}

impl Cubic {
    pub(crate) fn new(token: Ifma) -> Self {
        Self { coefficients: [Fp2Columns::new(token); 3] }
    }

    /// Becomes `a·b`, by Karatsuba's method: six products.
    pub(crate) fn set_product(&mut self, a: &[Fp2x8; 3], b: &[Fp2x8; 3], scratch: &mut Self) {
        for k in 0..3 {
            scratch.coefficients[k].set_product(&a[k], &b[k]);
        }
        for (k, (i, j)) in [(1, 2), (0, 1), (0, 2)].into_iter().enumerate() {
            self.coefficients[k].set_product(&a[i].add(&a[j]), &b[i].add(&b[j]));
        }
        self.finish(scratch, Ifma::finish_cubic);
        #[cfg(test)]
        {
            let [v0, v1, v2] = scratch.coefficients.map(|v| v.size);
            let [c0, c1, c2] = &mut self.coefficients;
            c0.size = v0.plus(c0.size.plus(v1).plus(v2).twice());
            c1.size = c1.size.plus(v0).plus(v1).plus(v2.twice());
            c2.size = c2.size.plus(v0).plus(v2).plus(v1);
        }
    }

    /// Becomes `a·(b₁v + b₂v²)`: five products.
    pub(crate) fn set_sparse_product(&mut self, a: &[Fp2x8; 3], b1: &Fp2x8, b2: &Fp2x8, scratch: &mut Self) {
        scratch.coefficients[1].set_product(&a[1], b1);
        scratch.coefficients[2].set_product(&a[2], b2);
        self.coefficients[0].set_product(&a[1].add(&a[2]), &b1.add(b2));
        self.coefficients[1].set_product(&a[0], b1);
        self.coefficients[2].set_product(&a[0], b2);
        self.finish(scratch, Ifma::finish_sparse);
        #[cfg(test)]
        {
            let [_, v1, v2] = scratch.coefficients.map(|v| v.size);
            let [c0, c1, c2] = &mut self.coefficients;
            c0.size = c0.size.plus(v1).plus(v2).twice();
            c1.size = c1.size.plus(v2.twice());
            c2.size = c2.size.plus(v1);
        }
    }

    #[inline(always)]
    fn finish(&mut self, scratch: &Self, by: impl Fn(Ifma, [&mut [Columns; 2]; 3], [&[Columns; 2]; 3])) {
        let token = self.coefficients[0].token;
        let [c0, c1, c2] = &mut self.coefficients;
        let [v0, v1, v2] = &scratch.coefficients;
        by(token, [&mut c0.columns, &mut c1.columns, &mut c2.columns], [&v0.columns, &v1.columns, &v2.columns]);
    }
}
