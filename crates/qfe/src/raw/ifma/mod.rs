//! Eight prime-field elements side by side, by AVX-512 IFMA.
//!
//! Elements are eight limbs of 52 bits in Montgomery form with `R = 2^416`; every
//! limb is below `2^52`. The slack of 35 bits above the modulus lets sums go
//! unreduced for a while, and products come out below `2p` without a comparison.
//!
//! In memory, elements of this *shifted* form are stored as six limbs of 64 bits
//! (an `Fp` whose value is `2^32` times what blst would read, below `8p`).
//!
//! [`notes::limbs`](crate::notes::limbs) derives radix, `R` and every bound. Tests carry the bound of every
//! vector along, and fail where one is too large.

#[cfg(feature = "verify")]
mod columns;
mod dispatch;
mod kernels;
mod limbs;
#[cfg(test)]
mod model;
mod token;

#[cfg(feature = "verify")]
pub(crate) use self::columns::Cubic;
#[cfg(feature = "verify")]
pub(crate) use self::limbs::Sign;
use self::limbs::{Limbs, multiple, split};
pub(crate) use self::token::Ifma;
use super::{Fp, Fp2, Lanes, LanesMut, Vector};

/// Radix-2^52 limbs, `limb[k][lane]`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Fp8 {
    limbs: Limbs,
    token: Ifma,
    /// In multiples of `p`, eight times: padding would carry what lay on the stack into memory that is inspected.
    #[cfg(test)]
    bound: [u64; 8],
}

/// What a kernel made, with its bound in tests.
#[cfg(not(test))]
macro_rules! bounded {
    ($bound:expr, $made:expr) => {
        $made
    };
}

/// What a kernel made, with its bound.
#[cfg(test)]
macro_rules! bounded {
    ($bound:expr, $made:expr) => {{
        let bound = $bound;
        $made.bounded(bound)
    }};
}

/// Negatives are taken from `2^NEGATIVE·p`.
const NEGATIVE: u32 = 4;
/// Bound of elements in memory, in multiples of `p`.
const STORED: u64 = 8;
/// Bound of a product.
#[cfg(test)]
const PRODUCT: u64 = 2;
/// Bound of a product of quadratic elements, which may have been negative.
#[cfg(test)]
const SIGNED_PRODUCT: u64 = 3;
/// Most that the bounds of two factors may multiply to.
const MOST_PRODUCT: u64 = 1 << 33;
/// Most that [`Fp8::settle`] takes.
const MOST: u64 = 1 << 11;

impl Fp8 {
    #[inline(always)]
    fn of(token: Ifma, limbs: Limbs, _bound: u64) -> Self {
        Self {
            limbs,
            token,
            #[cfg(test)]
            bound: [_bound; 8],
        }
    }

    /// In multiples of `p`; known in tests only.
    #[cfg(test)]
    fn bound(&self) -> u64 {
        self.bound[0]
    }

    /// Not known.
    #[cfg(not(test))]
    #[inline(always)]
    fn bound(&self) -> u64 {
        0
    }

    #[cfg(test)]
    fn bounded(mut self, bound: u64) -> Self {
        self.bound = [bound; 8];
        self
    }

    /// The same element in all lanes.
    pub(crate) fn splat(token: Ifma, shifted: &Fp) -> Self {
        Self::of(token, split(shifted.limbs()).map(|limb| [limb; 8]), STORED)
    }

    /// Lane `k` of the result is lane `k + by` modulo eight.
    pub(crate) fn rotate(&self, by: usize) -> Self {
        bounded!(self.bound(), self.token.rotate(self, by))
    }

    /// Zero in the lanes of the mask.
    #[cfg(feature = "verify")]
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        self.blend(&Self::zero(self.token), mask)
    }

    /// The other in the lanes of the mask.
    #[cfg(feature = "verify")]
    #[inline(always)]
    fn blend(&self, other: &Self, mask: u8) -> Self {
        bounded!(self.bound().max(other.bound()), self.token.blend(self, other, mask))
    }
}

impl Vector for Fp8 {
    type Element = Fp;

    #[inline(always)]
    fn zero(token: Ifma) -> Self {
        Self::of(token, [[0; 8]; 8], 0)
    }

    #[inline(always)]
    fn load_from(token: Ifma, elements: &impl Lanes<Fp>) -> Self {
        bounded!(STORED, token.load(token, elements))
    }

    #[inline(always)]
    fn token(&self) -> Ifma {
        self.token
    }

    #[inline(always)]
    fn unload_to(&self, places: &mut impl LanesMut<Fp>) {
        debug_assert!(self.bound() <= MOST);
        self.token.unload(self, places);
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        bounded!(self.bound() + other.bound(), self.token.add(self, other))
    }

    #[inline(always)]
    fn sub<const BITS: u32>(&self, other: &Self) -> Self {
        debug_assert!(other.bound() <= 1 << BITS);
        bounded!(self.bound() + (1 << BITS), self.token.sub(self, other, const { &multiple(BITS) }))
    }

    #[inline(always)]
    fn settle(&self) -> Self {
        debug_assert!(self.bound() <= MOST);
        bounded!(PRODUCT, self.token.settle(self))
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        debug_assert!(self.bound() * other.bound() <= MOST_PRODUCT);
        bounded!(PRODUCT, self.token.mul(self, other))
    }

    #[inline(always)]
    fn sqr(&self) -> Self {
        debug_assert!(self.bound().pow(2) <= MOST_PRODUCT);
        bounded!(PRODUCT, self.token.sqr(self))
    }

    #[inline(always)]
    fn neg_lanes(&self, mask: u8) -> Self {
        if mask == 0 {
            return *self;
        }
        debug_assert!(self.bound() <= 1 << NEGATIVE);
        bounded!(self.bound().max(1 << NEGATIVE), self.token.negate_lanes(self, mask, const { &multiple(NEGATIVE) }))
    }

    #[inline(always)]
    fn zero_limbs(&self) -> u8 {
        self.token.zero_limbs(self)
    }

    #[inline(always)]
    fn norm(&self) -> Fp8 {
        *self
    }

    #[inline(always)]
    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        *inverse
    }

    #[inline(always)]
    fn scale(&self, by: &Fp8) -> Self {
        self.mul(by)
    }

    #[inline(always)]
    fn conjugate(&self) -> Self {
        *self
    }
}

/// Eight elements of the quadratic extension.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Fp2x8 {
    c0: Fp8,
    c1: Fp8,
}

impl Fp2x8 {
    #[cfg(test)]
    fn bounded(self, bound: u64) -> Self {
        Self { c0: self.c0.bounded(bound), c1: self.c1.bounded(bound) }
    }

    /// Of both coordinates.
    #[inline(always)]
    fn bound(&self) -> u64 {
        self.c0.bound().max(self.c1.bound())
    }
}

#[cfg(feature = "verify")]
impl Fp2x8 {
    /// Elements of the prime field.
    pub(crate) fn from_base(base: &Fp8) -> Self {
        Self { c0: *base, c1: Fp8::zero(base.token) }
    }

    /// From both coordinates.
    pub(crate) fn from_parts(c0: &Fp8, c1: &Fp8) -> Self {
        Self { c0: *c0, c1: *c1 }
    }

    /// Zero in the lanes of the mask.
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        Self { c0: self.c0.clear_lanes(mask), c1: self.c1.clear_lanes(mask) }
    }

    /// `3t + 2·self` or, if that is said, `3t − 2·self`.
    #[inline(always)]
    pub(crate) fn with_triple(&self, t: &Self, negative: bool) -> Self {
        const BITS: u32 = 3;
        debug_assert!(2 * self.bound() <= 1 << BITS && 3 * t.bound() + 2 * self.bound() + (1 << BITS) <= MOST);
        bounded!(PRODUCT, self.token().quadratic_triple(t, self, negative, const { &multiple(BITS) }))
    }

    /// Multiplication by `1 + i`, of what is below `2^BITS·p`.
    #[inline(always)]
    pub(crate) fn mul_by_nonresidue<const BITS: u32>(&self) -> Self {
        Self { c0: self.c0.sub::<BITS>(&self.c1), c1: self.c0.add(&self.c1) }
    }
}

/// The first coordinates of elements, and the second ones.
struct First<P>(P);
struct Second<P>(P);

impl<P: Lanes<Fp2>> Lanes<Fp> for First<&P> {
    #[inline(always)]
    fn lane(&self, lane: usize) -> &Fp {
        &self.0.lane(lane).c0
    }
}

impl<P: Lanes<Fp2>> Lanes<Fp> for Second<&P> {
    #[inline(always)]
    fn lane(&self, lane: usize) -> &Fp {
        &self.0.lane(lane).c1
    }
}

impl<P: LanesMut<Fp2>> LanesMut<Fp> for First<&mut P> {
    #[inline(always)]
    fn place(&mut self, lane: usize) -> Option<&mut Fp> {
        self.0.place(lane).map(|element| &mut element.c0)
    }
}

impl<P: LanesMut<Fp2>> LanesMut<Fp> for Second<&mut P> {
    #[inline(always)]
    fn place(&mut self, lane: usize) -> Option<&mut Fp> {
        self.0.place(lane).map(|element| &mut element.c1)
    }
}

impl Vector for Fp2x8 {
    type Element = Fp2;

    #[inline(always)]
    fn zero(token: Ifma) -> Self {
        Self { c0: Fp8::zero(token), c1: Fp8::zero(token) }
    }

    #[inline(always)]
    fn load_from(token: Ifma, elements: &impl Lanes<Fp2>) -> Self {
        Self { c0: Fp8::load_from(token, &First(elements)), c1: Fp8::load_from(token, &Second(elements)) }
    }

    #[inline(always)]
    fn token(&self) -> Ifma {
        self.c0.token
    }

    #[inline(always)]
    fn unload_to(&self, places: &mut impl LanesMut<Fp2>) {
        self.c0.unload_to(&mut First(&mut *places));
        self.c1.unload_to(&mut Second(&mut *places));
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        bounded!(self.bound() + other.bound(), self.token().quadratic_add(self, other))
    }

    #[inline(always)]
    fn sub<const BITS: u32>(&self, other: &Self) -> Self {
        debug_assert!(other.bound() <= 1 << BITS);
        let c = const { &multiple(BITS) };
        bounded!(self.bound() + (1 << BITS), self.token().quadratic_sub(self, other, c))
    }

    #[inline(always)]
    fn settle(&self) -> Self {
        debug_assert!(self.bound() <= MOST);
        bounded!(PRODUCT, self.token().quadratic_settle(self))
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        debug_assert!(4 * self.bound() * other.bound() <= MOST_PRODUCT);
        bounded!(SIGNED_PRODUCT, self.token().quadratic_mul(self, other))
    }

    #[inline(always)]
    fn sqr(&self) -> Self {
        const BITS: u32 = 11;
        debug_assert!(self.bound() <= 1 << BITS);
        bounded!(PRODUCT, self.token().quadratic_sqr(self, const { &multiple(BITS) }))
    }

    #[inline(always)]
    fn neg_lanes(&self, mask: u8) -> Self {
        Self { c0: self.c0.neg_lanes(mask), c1: self.c1.neg_lanes(mask) }
    }

    #[inline(always)]
    fn zero_limbs(&self) -> u8 {
        self.c0.zero_limbs() & self.c1.zero_limbs()
    }

    #[inline(always)]
    fn norm(&self) -> Fp8 {
        debug_assert!(2 * self.bound().pow(2) <= MOST_PRODUCT);
        bounded!(PRODUCT, self.token().quadratic_norm(self))
    }

    #[inline(always)]
    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        debug_assert!(self.bound() * inverse.bound() <= MOST_PRODUCT);
        let c = const { &multiple(1) };
        bounded!(PRODUCT, self.token().quadratic_scale_conjugate(self, inverse, c))
    }

    #[inline(always)]
    fn scale(&self, by: &Fp8) -> Self {
        debug_assert!(self.bound() * by.bound() <= MOST_PRODUCT);
        bounded!(PRODUCT, self.token().quadratic_scale(self, by))
    }

    #[inline(always)]
    fn conjugate(&self) -> Self {
        Self { c0: self.c0, c1: self.c1.neg_lanes(0xff) }
    }
}

#[cfg(test)]
mod tests;
