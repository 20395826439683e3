//! The service: an authority that decides under a policy which functions may ever be opened, a predictor that
//! evaluates ciphertexts over HTTP, and the owner's client.
//!
//! | role | module | holds |
//! |---|---|---|
//! | authority | [`authority`], with [`policy`], [`ledger`], [`opened`], [`approval`], [`proposal`] | master keys |
//! | predictor | [`predictor`], with [`oip`], the protocol | functional keys |
//! | owner | [`owner`] | public keys |
//! | auditor | [`audit`], the signed report | a signing key |
//! | who combines | [`quorum`] | nothing: parts of a key that several authorities issue |
//!
//! What passes between them is signed or named by its hash: [`grant`], [`parameters`], [`envelope`]. [`transport`] is
//! what both servers share. Owners block; servers are asynchronous and need a multi-threaded runtime
//! ([`run::block_on`]).

pub mod approval;
pub mod audit;
pub mod authority;
pub mod board;
pub mod files;
pub mod ink;
pub mod ledger;
pub mod oip;
pub mod owner;
pub mod page;
pub mod policy;
pub mod predictor;
pub mod proposal;
pub mod quorum;
pub mod run;
pub mod transport;

pub use roles::{clock, envelope, grant, hash, opened, parameters, signature};
