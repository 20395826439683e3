//! What libraries need from the machine that they run on.
//!
//! | to get | use |
//! |---|---|
//! | progress reports of long work | [`Progress`], [`Silent`] |
//! | randomness for keys, masks and noise | [`fresh_rng`] |
//! | bounded reading and atomic writing of files | `files` (feature of this name) |
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use host::Progress;
//!
//! #[derive(Default)]
//! struct Counter(AtomicU64);
//!
//! impl Progress for Counter {
//!     fn begin(&self, _: u64) {}
//!
//!     fn advance(&self, steps: u64) {
//!         self.0.fetch_add(steps, Ordering::Relaxed);
//!     }
//! }
//!
//! fn work(progress: &dyn Progress) {
//!     progress.begin(10);
//!     (0..10).for_each(|_| progress.advance(1));
//! }
//!
//! let counter = Counter::default();
//! work(&counter);
//! assert_eq!(counter.0.into_inner(), 10);
//! ```

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

#[cfg(feature = "files")]
pub mod files;
mod progress;
mod random;

pub use progress::{Progress, Silent};
pub use random::fresh_rng;
