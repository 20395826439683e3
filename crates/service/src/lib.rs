//! The service: an authority that decides under a policy which functions may ever be opened, a predictor that
//! evaluates ciphertexts over HTTP, and the owner's client.
//!
//! | role | module | holds |
//! |---|---|---|
//! | authority | [`authority`], with [`policy`], [`ledger`], [`opened`], [`approval`], [`proposal`] | master keys |
//! | predictor | [`predictor`], with [`oip`], the protocol | functional keys |
//! | owner | [`owner`] | public keys |
//! | auditor | [`audit`], the signed report | a signing key |
//! | combiner | [`quorum`] | nothing: it combines parts of a key that several authorities issue |
//!
//! Everything that passes between them is signed or identified by its hash: [`grant`], [`parameters`], [`envelope`].
//! [`transport`] is shared by both servers. Owners block; servers are asynchronous and need a multi-threaded runtime
//! ([`run::block_on`]).
//!
//! A policy refuses a key unless every one of its limits allows it:
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::path::Path;
//!
//! use service::hash::Hash;
//! use service::policy::{Opened, Policy, Request};
//!
//! let known = Hash([7; 32]);
//! let text = format!("version = 1\n[networks]\nallow = [\"{known}\"]\n[limits]\nrank = 4\nbits = 100.0\n");
//! let policy = Policy::parse(&text, Path::new("policy.toml"))?;
//! let opened = |rank, bits| Opened { rank, bits, noise_free: rank, unnoised_bits: bits };
//! let request = |network, rank| Request {
//!     network,
//!     registered: true,
//!     before: opened(0, 0.0),
//!     after: opened(rank, 20.0 * rank as f64),
//!     audits: &[],
//!     approved_by: &NOBODY,
//!     new_holder: true,
//!     holders: 1,
//!     others_open: false,
//!     now: 1_800_000_000,
//! };
//! # static NOBODY: BTreeSet<String> = BTreeSet::new();
//! assert!(policy.decide(&request(known, 4)).refusals.is_empty());
//! assert!(!policy.decide(&request(known, 5)).refusals.is_empty());
//! assert!(!policy.decide(&request(Hash([8; 32]), 4)).refusals.is_empty());
//! # Ok::<(), service::policy::PolicyError>(())
//! ```

pub mod approval;
pub mod audit;
pub mod authority;
pub mod board;
pub mod files;
pub mod ink;
pub mod ledger;
pub mod oip;
pub mod opinion;
pub mod owner;
pub mod page;
pub mod policy;
pub mod predictor;
pub mod proposal;
pub mod quorum;
pub mod run;
pub mod transport;

pub use roles::{clock, envelope, grant, hash, opened, parameters, signature};
