//! Integer quadratic maps of low rank, and what a set of them opens together.
//!
//! ```math
//! f_j(u, v) = \sum_{k=1}^{d} D_{jk} \, (P_k \cdot u) \, (R_k \cdot v), \qquad j = 1, \dots, S
//! ```
//!
//! A map has `S` outputs and `d` units.
//!
//! | to get | use |
//! |---|---|
//! | the map, evaluated exactly | [`QuadraticMap`] |
//! | the same at many points | [`Columns`] |
//! | the exact range of every output | [`Bounds`] |
//! | the dimension of what several maps open | [`FormSpan`] |
//! | rank, bits, and what noise leaves uncovered | [`Opened`] |
//!
//! ```
//! use quadratic::{FormSpan, QuadraticMap};
//!
//! // f(u, v) = 5·(u₀ + 2u₁)·(v₀ − v₁)
//! let f = QuadraticMap::new(2, 2, 1, 1, vec![1, 2], vec![1, -1], vec![5])?;
//! assert_eq!(f.evaluate(&[1, 2], &[7, 4])?, [5 * 5 * 3]);
//!
//! // A multiple of f opens nothing more.
//! let g = QuadraticMap::new(2, 2, 1, 1, vec![1, 2], vec![1, -1], vec![-3])?;
//! let mut span = FormSpan::new(2, 2);
//! assert_eq!((span.insert(&f)?, span.insert(&g)?), (1, 0));
//! # Ok::<(), quadratic::MapError>(())
//! ```

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

mod bounds;
mod columns;
mod echelon;
mod eigenvalues;
mod field;
mod map;
mod opened;
#[cfg(test)]
mod rational;
mod span;
mod unnoised;

pub use bounds::{Bounds, Interval};
pub use columns::Columns;
pub use map::{MapError, QuadraticMap};
pub use opened::{LEAST_NOISE, NoiseLaw, Opened, Opening};
pub use span::FormSpan;
