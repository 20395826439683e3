//! Who holds what: the one place where networks and keys meet. No HTTP.
//!
//! | role | holds | type |
//! |---|---|---|
//! | authority | the master key, or one share of it | [`Authority`]; [`ShareHolder`], made in a [`ceremony`] |
//! | owner | the public key and the encoder | [`Owner`], from [`Published`] |
//! | predictor | a functional key and the network that it opens | [`Predictor`], from a [`ModelFolder`] |
//!
//! ```
//! use std::sync::Arc;
//!
//! use encoder::Encoder;
//! use host::Silent;
//! use model::{CompiledNetwork, Origin, Parts, PublicHead};
//! use qfe::LogTable;
//! use quadratic::QuadraticMap;
//! use roles::{Authority, Owner, Predictor, table_bits};
//!
//! // Two outputs of two pixels, x and y: x·y and 255·(x + y).
//! let network = CompiledNetwork::new(Parts {
//!     encoder: Encoder::pixels(1, 2, 8)?,
//!     map: QuadraticMap::new(3, 3, 2, 2, vec![0, 1, 0, 0, 1, 1], vec![0, 0, 1, 255, 0, 0], vec![1, 0, 0, 1])?,
//!     squares: false,
//!     head: PublicHead::Largest,
//!     main: "kind".into(),
//!     classes: vec!["product".into(), "sum".into()],
//!     origin: Origin::Imported { file: "by hand".into() },
//! })?;
//! let authority = Authority::setup(network.encoder().clone())?;
//! let key = authority.issue(&network)?;
//!
//! let owner = Owner::new(authority.published(), &Silent);
//! let ciphertext = owner.encrypt(&[3, 4])?;
//!
//! let table = Arc::new(LogTable::build(table_bits([&network]), &Silent)?);
//! let prediction = Predictor::new(network, &key, table)?.predict(&ciphertext)?;
//! assert_eq!((prediction.output, prediction.label.as_str()), (vec![12, 255 * 7], "sum"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

pub mod admission;
mod authority;
mod batch;
pub mod ceremony;
pub mod clock;
mod closed;
pub mod envelope;
mod folder;
pub mod grant;
pub mod hash;
pub mod keyfile;
mod masks;
pub mod opened;
mod owner;
pub mod parameters;
pub mod pkcs11;
mod predictor;
mod published;
mod share;
pub mod signature;

pub use admission::{Admission, AdmissionError, ModelOptions};
pub use authority::{Authority, IssueError};
pub use batch::BatchError;
pub use folder::{FolderError, ModelFolder};
pub use masks::{MaskStore, MaskStoreError};
pub use owner::{Owner, OwnerError};
pub use predictor::{KeyMismatch, PredictError, Prediction, Predictor, Step, Unopenable, openable, table_bits};
pub use published::{ENCODER, PUBLIC_KEY, Published, PublishedError};
pub use share::{COMMITMENTS, SHARE, ShareFileError, ShareHolder, SharedKey};
