//! The lanes of processors without the vector instructions: eight scalars.
//! [`available`] is never true here, so that the callers take their scalar paths.

use super::{Coordinate, Field, Fp, Fp2, Vector};

/// Whether there are vector instructions: no.
pub(crate) fn available() -> bool {
    false
}

/// There is nothing to switch.
pub(crate) fn enable(_on: bool) {}

#[derive(Clone, Copy)]
pub(crate) struct Lanes<F>([F; 8]);
pub(crate) type Fp8 = Lanes<Fp>;
pub(crate) type Fp2x8 = Lanes<Fp2>;

impl<F: Coordinate> Lanes<F> {
    fn zip(&self, other: &Self, f: impl Fn(&F, &F) -> F) -> Self {
        Self(std::array::from_fn(|k| f(&self.0[k], &other.0[k])))
    }
}

impl<F: Coordinate<Vector = Self>> Vector for Lanes<F> {
    type Element = F;
    const ZERO: Self = Self([F::ZERO; 8]);

    fn load(elements: [&F; 8]) -> Self {
        Self(elements.map(|e| e.unshifted()))
    }

    fn unload(&self) -> [F; 8] {
        self.0.map(F::to_shifted)
    }

    fn add(&self, other: &Self) -> Self {
        self.zip(other, F::add)
    }

    fn sub(&self, other: &Self) -> Self {
        self.zip(other, F::sub)
    }

    fn mul(&self, other: &Self) -> Self {
        self.zip(other, F::mul)
    }

    fn sqr(&self) -> Self {
        Self(self.0.map(|e| e.sqr()))
    }

    fn neg_lanes(&self, mask: u8) -> Self {
        Self(std::array::from_fn(|k| if mask >> k & 1 == 1 { self.0[k].neg() } else { self.0[k] }))
    }

    fn zero_limbs(&self) -> u8 {
        (0..8).fold(0, |mask, k| mask | u8::from(self.0[k].is_zero()) << k)
    }

    fn norm(&self) -> Fp8 {
        Lanes(self.0.map(|e| e.norm()))
    }

    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        Self(std::array::from_fn(|k| self.0[k].with_inverse_norm(&inverse.0[k])))
    }

    fn scale(&self, by: &Fp8) -> Self {
        Self(std::array::from_fn(|k| self.0[k].scale(&by.0[k])))
    }

    fn conjugate(&self) -> Self {
        Self(self.0.map(|e| e.conjugate()))
    }
}

impl Fp8 {
    pub(crate) const ZERO: Self = Lanes([Fp::ZERO; 8]);

    /// The same element in all lanes.
    pub(crate) fn splat(shifted: &Fp) -> Self {
        Lanes([shifted.unshifted(); 8])
    }

    /// Zero in the lanes of the mask.
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        Lanes(std::array::from_fn(|k| if mask >> k & 1 == 1 { Fp::ZERO } else { self.0[k] }))
    }
}

impl Fp2x8 {
    pub(crate) fn mul_by_nonresidue(&self) -> Self {
        Lanes(self.0.map(|e| e.mul_by_nonresidue()))
    }

    /// Elements of the prime field.
    pub(crate) fn from_base(base: &Fp8) -> Self {
        Lanes(base.0.map(|c0| Fp2 { c0, c1: Fp::ZERO }))
    }
}
