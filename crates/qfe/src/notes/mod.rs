//! Derivations that the code rests on, for readers; there is no code here.
//!
//! - [`limbs`]: why vector lanes use radix 2^52 and `R = 2^416`, and every bound on
//!   their carries.

pub mod limbs;
