//! Compiled networks: everything needed to serve one, and nothing to train one.
//!
//! ```text
//! item ──encoder──▶ (u, v) ──quadratic map──▶ output(x) ──public head──▶ class
//!         (owner)            (under encryption)   (in the clear)
//! ```
//!
//! | to get | use |
//! |---|---|
//! | the network | [`CompiledNetwork`] |
//! | its file | [`CompiledNetwork::load`], [`CompiledNetwork::save`] |
//! | a network from elsewhere | [`CompiledNetwork::import`] |
//! | noise under encryption, narrower ranges | [`CompiledNetwork::with_noise`], [`CompiledNetwork::with_range`] |
//!
//! ```
//! use encoder::Encoder;
//! use model::{CompiledNetwork, Origin, Parts, PublicHead};
//! use quadratic::QuadraticMap;
//!
//! // Two outputs of two pixels, x and y: x·y and 255·(x + y).
//! let map = QuadraticMap::new(3, 3, 2, 2, vec![0, 1, 0, 0, 1, 1], vec![0, 0, 1, 255, 0, 0], vec![1, 0, 0, 1])?;
//! let network = CompiledNetwork::new(Parts {
//!     encoder: Encoder::pixels(1, 2, 8)?,
//!     map,
//!     squares: false,
//!     head: PublicHead::Largest,
//!     main: "kind".into(),
//!     classes: vec!["product".into(), "sum".into()],
//!     origin: Origin::Imported { file: "by hand".into() },
//! })?;
//! let output = network.evaluate(&network.encoder().encode(&[3, 4])?)?;
//! assert_eq!(output, [12, 255 * 7]);
//! assert_eq!(network.exact_bounds()[0], (0, 255 * 255));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

mod error;
mod evaluate;
mod file;
mod head;
mod import;
pub mod layers;
mod network;
mod noise;
mod output_noise;
mod parameters;
mod range;
mod shuffled;
pub mod storage;

pub use error::{EvaluateError, ModelError};
pub use head::{PublicHead, largest, probabilities, standardise};
pub use import::{BiasColumn, ImportError, ImportOptions, Inputs, IntegerMatrix, Integers};
pub use network::{CompiledNetwork, Origin, Parts};
pub use output_noise::{OutputNoise, OutputNoiseError, output_noise};
pub use parameters::{Parameter, Parameters};
pub use range::{Range, width_bits};
pub use storage::FileError;
