//! The bounded discrete logarithm in the target group: from `gT^v` back to `v`.
//!
//! Baby-step giant-step where a giant step costs one coordinate and no product.
//! With `g = gT` and `B` baby steps, every `|v| ≤ N` is `j(2B+1) ± i` with
//! `0 ≤ i ≤ B`. The table maps the first coordinate of `g^i` to `i`; that
//! coordinate is the same for `g^i` and `g^−i`. The first coordinate of `y·G` is a
//! dot product of twelve terms, six of which change sign from `G` to its inverse:
//! two giant steps for one pass over the terms.
//!
//! The search goes outward from the middle, so its cost depends on `|v|`, not on the bound. Every hit is confirmed by
//! comparing `g^v` with the target in full: a value outside the bounds is an error, never a wrong integer.

mod dot;
mod search;
mod table;

pub use search::LogError;
pub use table::{LogTable, LogTableError};
