//! The only unsafe code of the crate: thin, total wrappers of blst, of vector
//! instructions and of memory maps. Everything above this module is safe Rust.
//!
//! Values here are public-size plain data; none of the functions allocates for
//! its caller or keeps a pointer after it returns.
#![allow(unsafe_code)]

mod fp;
#[cfg(feature = "verify")]
mod fp12;
mod fp2;
mod g1;
mod g2;
#[cfg(all(target_arch = "x86_64", feature = "lanes"))]
pub(crate) mod ifma;
#[cfg(not(all(target_arch = "x86_64", feature = "lanes")))]
#[path = "no_ifma.rs"]
pub(crate) mod ifma;
#[cfg(feature = "files")]
mod mapped;
#[cfg(feature = "verify")]
mod pairing;
mod plain;
mod point;
mod scalar;
mod storage;

pub(crate) use fp::Fp;
#[cfg(any(feature = "evaluate", feature = "lanes"))]
pub(crate) use fp::MODULUS;
pub(crate) use fp2::Fp2;
#[cfg(feature = "verify")]
pub(crate) use fp12::Fp12;
#[cfg(feature = "files")]
pub(crate) use mapped::{Mapped, as_bytes, map_file};
#[cfg(feature = "evaluate")]
pub(crate) use pairing::miller_loop;
#[cfg(feature = "verify")]
pub(crate) use pairing::miller_loop_many;
#[cfg(feature = "files")]
pub(crate) use plain::Plain;
#[cfg(feature = "verify")]
pub(crate) use point::X;
pub(crate) use point::{G1, G2, Point};
pub(crate) use scalar::Scalar;
pub(crate) use storage::Storage;

/// Arithmetic shared by the prime field, its quadratic extension, and their
/// vectors of eight.
pub(crate) trait Field: Copy + PartialEq + Send + Sync + 'static {
    const ZERO: Self;
    const ONE: Self;
    fn add(&self, other: &Self) -> Self;
    fn sub(&self, other: &Self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    fn neg(&self) -> Self;
    fn sqr(&self) -> Self;
    fn is_zero(&self) -> bool;
    fn double(&self) -> Self {
        self.add(self)
    }
}

/// The field of a curve's coordinates, with the operations of that curve.
///
/// The inverse of an element is found through its norm to the prime field, so
/// that batches share one inversion there: `1/a = conjugate(a) / norm(a)`.
pub(crate) trait Coordinate: Field {
    /// Bytes of one uncompressed point.
    const POINT_BYTES: usize;
    /// Sub-scalars that the curve's endomorphism splits a scalar into.
    const SPLIT: usize;
    /// Bits of the largest sub-scalar.
    const SPLIT_BITS: u32;
    /// Eight coordinates side by side.
    type Vector: Vector<Element = Self>;
    /// Combinations of a batched subgroup check and the largest coefficient.
    const SUBGROUP_COMBINATIONS: (usize, i32);
    fn norm(&self) -> Fp;
    fn with_inverse_norm(&self, inverse: &Fp) -> Self;
    /// To and from the form that vectors load and store (see [`ifma`]).
    fn to_shifted(self) -> Self;
    fn unshifted(self) -> Self;
    fn generator() -> Point<Self>;
    /// `scalar·point` without branches or addresses that depend on the scalar.
    fn scalar_mul(point: &Point<Self>, scalar: &Scalar) -> Point<Self>;
    /// `Σ scalars[i]·points[i]`, of scalars below `2^bits`. Time and addresses depend on the
    /// scalars, not on the points; memory is erased.
    #[cfg(feature = "verify")]
    fn combine_vartime(points: &[Point<Self>], scalars: &[Scalar], bits: usize) -> Point<Self>;
    /// `x·base + scalar·point` in constant time.
    fn combine_constant_time(base: &Point<Self>, x: i64, point: &Point<Self>, scalar: &Scalar) -> Point<Self>;
    /// The endomorphism `(x, y) ↦ (c_x·x̄, c_y·ȳ)` whose eigenvalue is the base of
    /// [`Coordinate::split_vartime`]: its constants.
    fn endomorphism_constants() -> &'static (Self, Self);
    /// The conjugate over the prime field.
    fn conjugate(&self) -> Self;
    /// `scalar = Σ part_k · eigenvalue^k`, each part an absolute value with a sign.
    fn split_vartime(scalar: &Scalar) -> Vec<(u128, bool)>;
    fn in_subgroup(point: &Point<Self>) -> bool;
    fn serialize(point: &Point<Self>, compressed: bool, out: &mut [u8]);
    /// Reads a canonical encoding of a point of the curve (any subgroup).
    fn deserialize(bytes: &[u8], compressed: bool) -> Option<Point<Self>>;
}

/// Where vectors find their elements: lists of eight pointers would pass through memory.
#[cfg_attr(not(all(target_arch = "x86_64", feature = "lanes")), allow(dead_code, reason = "for vectors"))]
pub(crate) trait Lanes<T> {
    fn lane(&self, lane: usize) -> &T;
}

/// Where vectors put their elements; some lanes may have no place.
#[cfg_attr(not(all(target_arch = "x86_64", feature = "lanes")), allow(dead_code, reason = "for vectors"))]
pub(crate) trait LanesMut<T> {
    fn place(&mut self, lane: usize) -> Option<&mut T>;
}

impl<T> Lanes<T> for [&T; 8] {
    #[inline(always)]
    fn lane(&self, lane: usize) -> &T {
        self[lane]
    }
}

impl<T> LanesMut<T> for [T; 8] {
    #[inline(always)]
    fn place(&mut self, lane: usize) -> Option<&mut T> {
        self.get_mut(lane)
    }
}

/// Eight elements of a coordinate field, one per lane.
///
/// Elements are loaded and stored in shifted form. Vectors are made with a token, which
/// proves that the instructions are there, and carry it.
pub(crate) trait Vector: Copy {
    type Element: Coordinate;
    fn zero(token: ifma::Ifma) -> Self;
    fn load_from(token: ifma::Ifma, elements: &impl Lanes<Self::Element>) -> Self;
    fn token(&self) -> ifma::Ifma;
    fn unload_to(&self, places: &mut impl LanesMut<Self::Element>);
    fn load(token: ifma::Ifma, elements: [&Self::Element; 8]) -> Self {
        Self::load_from(token, &elements)
    }
    fn unload(&self) -> [Self::Element; 8] {
        let mut out = [Self::Element::ZERO; 8];
        self.unload_to(&mut out);
        out
    }
    /// Sums and differences are not reduced: see [`notes::limbs`](crate::notes::limbs).
    fn add(&self, other: &Self) -> Self;
    /// `other` is below `2^BITS·p`, which is added.
    fn sub<const BITS: u32>(&self, other: &Self) -> Self;
    /// The same below `2p`.
    #[cfg_attr(not(feature = "verify"), expect(dead_code, reason = "for pairings"))]
    fn settle(&self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    fn sqr(&self) -> Self;
    /// `−self` in the lanes of the mask, of what is below `16p`.
    fn neg_lanes(&self, mask: u8) -> Self;
    /// Lanes stored as all-zero bits, as infinity is.
    fn zero_limbs(&self) -> u8;
    fn norm(&self) -> ifma::Fp8;
    fn with_inverse_norm(&self, inverse: &ifma::Fp8) -> Self;
    fn scale(&self, by: &ifma::Fp8) -> Self;
    fn conjugate(&self) -> Self;
}
