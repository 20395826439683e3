//! The bulk arithmetic that pairing libraries lack.
//!
//! - [`batch`]: many affine additions that share one inversion.
//! - [`vector`], [`coordinates`]: the same, eight at a time.
//! - [`fixed_base`], [`windows`]: one scalar times every base of a public key.
//! - [`comb`]: a few scalars times the generator.
//! - [`program`], [`project`], [`passes`], [`common`]: sums of points with small integer weights.
//! - [`miller`], [`scalar_miller`], [`target`], [`powers`]: products of pairings and the target group.
//! - [`lanes12`], [`lanes_target`], [`lanes_powers`]: the same, eight at a time.
//! - [`subgroup`]: one check for many points.
//! - [`schedule`]: the division of work among threads.

pub(crate) mod batch;
pub(crate) mod comb;
#[cfg(feature = "evaluate")]
mod common;
#[cfg_attr(not(all(target_arch = "x86_64", feature = "lanes")), allow(dead_code, reason = "for vectors"))]
mod coordinates;
pub(crate) mod fixed_base;
#[cfg(feature = "verify")]
mod lanes12;
#[cfg(feature = "evaluate")]
pub(crate) mod lanes_powers;
#[cfg(feature = "evaluate")]
pub(crate) mod lanes_target;
#[cfg(feature = "verify")]
pub(crate) mod miller;
mod passes;
#[cfg(feature = "evaluate")]
pub(crate) mod powers;
pub(crate) mod program;
pub(crate) mod project;
#[cfg(feature = "verify")]
mod scalar_miller;
pub(crate) mod schedule;
pub(crate) mod subgroup;
#[cfg(feature = "verify")]
pub(crate) mod target;
pub(crate) mod vector;
mod windows;
