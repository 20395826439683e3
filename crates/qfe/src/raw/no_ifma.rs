//! For processors without vector instructions: types without values, so that the compiler knows that nothing which
//! takes one of them ever runs.

use super::{Fp, Fp2, Lanes, LanesMut, Vector};

#[derive(Clone, Copy)]
enum Never {}

/// The token of instructions that are not there.
#[derive(Clone, Copy)]
pub(crate) struct Ifma(Never);

impl Ifma {
    /// Never.
    pub(crate) fn detect() -> Option<Self> {
        None
    }

    /// Never.
    pub(crate) fn run<T>(self, _: impl FnOnce() -> T) -> T {
        match self.0 {}
    }

    /// There is nothing to switch.
    #[cfg(feature = "bench")]
    pub(crate) fn enable(_on: bool) {}
}

macro_rules! without_values {
    ($name:ident, $element:ty) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $name(Ifma);

        impl Vector for $name {
            type Element = $element;

            fn zero(token: Ifma) -> Self {
                match token.0 {}
            }

            fn load_from(token: Ifma, _: &impl Lanes<$element>) -> Self {
                match token.0 {}
            }

            fn token(&self) -> Ifma {
                self.0
            }

            fn unload_to(&self, _: &mut impl LanesMut<$element>) {
                match self.0.0 {}
            }

            fn add(&self, _: &Self) -> Self {
                *self
            }

            fn sub<const BITS: u32>(&self, _: &Self) -> Self {
                *self
            }

            fn settle(&self) -> Self {
                *self
            }

            fn mul(&self, _: &Self) -> Self {
                *self
            }

            fn sqr(&self) -> Self {
                *self
            }

            fn neg_lanes(&self, _: u8) -> Self {
                *self
            }

            fn zero_limbs(&self) -> u8 {
                match self.0.0 {}
            }

            fn norm(&self) -> Fp8 {
                match self.0.0 {}
            }

            fn with_inverse_norm(&self, _: &Fp8) -> Self {
                *self
            }

            fn scale(&self, _: &Fp8) -> Self {
                *self
            }

            fn conjugate(&self) -> Self {
                *self
            }
        }
    };
}

without_values!(Fp8, Fp);
without_values!(Fp2x8, Fp2);

impl Fp8 {
    /// As of lanes.
    pub(crate) fn splat(token: Ifma, _: &Fp) -> Self {
        match token.0 {}
    }

    /// As of lanes.
    pub(crate) fn rotate(&self, _: usize) -> Self {
        *self
    }

    /// As of lanes.
    #[cfg(feature = "verify")]
    pub(crate) fn clear_lanes(&self, _: u8) -> Self {
        *self
    }
}

#[cfg(feature = "verify")]
impl Fp2x8 {
    /// As of lanes.
    pub(crate) fn mul_by_nonresidue<const BITS: u32>(&self) -> Self {
        *self
    }

    /// As of lanes.
    pub(crate) fn from_parts(c0: &Fp8, _: &Fp8) -> Self {
        Self(c0.0)
    }

    /// As of lanes.
    pub(crate) fn clear_lanes(&self, _: u8) -> Self {
        *self
    }

    /// As of lanes.
    pub(crate) fn from_base(base: &Fp8) -> Self {
        Self(base.0)
    }
}

/// As of lanes.
#[cfg(feature = "verify")]
#[derive(Clone, Copy)]
pub(crate) enum Sign {
    Plus,
    Minus,
    Twisted,
    MinusTwisted,
}

/// As of lanes.
#[cfg(feature = "verify")]
#[derive(Clone, Copy)]
pub(crate) struct Fp2Columns(Ifma);

#[cfg(feature = "verify")]
impl Fp2Columns {
    /// As of lanes.
    pub(crate) fn set_product(&mut self, _: &Fp2x8, _: &Fp2x8) {
        match self.0.0 {}
    }
}

#[cfg(feature = "verify")]
impl Fp2x8 {
    /// As of lanes.
    pub(crate) fn set_sum<const N: usize>(&mut self, _: [(Sign, &Fp2Columns); N]) {
        match self.0.0 {}
    }

    /// As of lanes.
    #[cfg(feature = "evaluate")]
    pub(crate) fn with_triple(&self, _: &Self, _: bool) -> Self {
        *self
    }
}

/// As of lanes.
#[cfg(feature = "verify")]
#[derive(Clone, Copy)]
pub(crate) struct Cubic {
    pub(crate) coefficients: [Fp2Columns; 3],
}

#[cfg(feature = "verify")]
impl Cubic {
    /// As of lanes.
    pub(crate) fn new(token: Ifma) -> Self {
        match token.0 {}
    }

    /// As of lanes.
    pub(crate) fn set_product(&mut self, _: &[Fp2x8; 3], b: &[Fp2x8; 3], _: &mut Self) {
        match b[0].0.0 {}
    }

    /// As of lanes.
    pub(crate) fn set_sparse_product(&mut self, _: &[Fp2x8; 3], b1: &Fp2x8, _: &Fp2x8, _: &mut Self) {
        match b1.0.0 {}
    }
}
