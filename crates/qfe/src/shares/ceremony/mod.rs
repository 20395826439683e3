//! Keys that nobody ever holds, shares for other servers, renewed and recovered shares.
//!
//! One protocol without a network: [`Participant`]s make messages, a [`Board`] holds the public ones, the caller
//! transports them. It assumes a bulletin board: all honest participants see the same messages in each step, and steps
//! end by a clock that the caller keeps. (The last step confirms that the board showed everybody the same.)
//!
//! | step | who | message |
//! |---|---|---|
//! | 1 commit | dealers | SHA-256 of the dealing |
//! | 2 deal | dealers | `[a_l]₁` for `l = 0..τ`, a proof of knowledge of `a_0`; for a new key also `[t]₂` and its proof; to each receiver `f(j)`, privately |
//! | 3 complain | receivers | signed private messages whose share does not fit `Σ_l j^l [a_l]₁`, whole |
//! | 4 endorse | receivers that have their share | SHA-256 of all messages and the result |
//!
//! A dealer is *disqualified* if it stays silent, if its dealing is not the one it committed to, if a proof is invalid,
//! or if it signed a wrong share. Who is disqualified follows from the board alone: everybody arrives at the same
//! [`Outcome`], and so does anybody who reads the board later ([`Board::verify`]).
//!
//! - **New key** ([`Ceremony::generate`]): every server deals a random `a_0` and a random `t`. With `Q` the qualified ones,
//!   `s = Σ_Q a_0`, `t = Σ_Q t`, and server `j` holds `Σ_Q f(j)`. Every `t` is erased before its dealing is sent; one
//!   server that does so is enough. (Pedersen 1991, with hash commitments.)
//! - **New shares** ([`Ceremony::reshare`]): each old server `i` deals `a_0 = s(i)`, checked against the old commitments. With the
//!   first `τ + 1` qualified ones and Lagrange's `λ_i`, server `j` holds `Σ_i λ_i f_i(j)` (Desmedt and Jajodia 1997). The polynomial
//!   is new, its value at zero is not: the public key stays.
//!
//! # What up to `τ` dishonest servers can do
//!
//! They cannot learn `s`, make honest servers accept wrong shares, have an honest dealer disqualified, or choose the
//! key: commitments are made before any dealing is seen, and proofs of knowledge rule out dealings made from others'
//! points. But a server that sees the dealings may still drop out of step 2 or provoke its disqualification, so the key
//! is one of at most `2^τ` random ones. The generic-group bound grows by that factor and no more; the proof does not
//! need uniform keys beyond it.
//!
//! They can stop a ceremony, by withholding shares: a missing message proves nothing. No share of a dealer that follows
//! the protocol is ever published, whoever complains and whatever mail is lost: for each receiver whose shares were
//! public, the key would need one server less. A receiver instead asks for its message again ([`Participant::missing`],
//! [`Participant::deliver_again`]), in private and until it finishes. If a dealer still withholds it, that receiver has
//! no share and endorses nothing. With `n − τ` endorsements the others have theirs, and a renewal, which takes `τ + 1`
//! servers that deal, gives it one. With fewer, begin again without that dealer ([`Ceremony::without`]). Only its
//! receivers know who withholds. If nobody withholds, at most `τ` dishonest servers stop nothing.
//!
//! # What the caller provides
//!
//! Private messages ([`Dealing::private`]) contain shares: seal each for its receiver (an age recipient, mutual TLS)
//! before it leaves the process. They are signed, so that a receiver knows the dealer. A restarted server needs its
//! stored state ([`Participant::keep`], [`Participant::resume`]): it must not continue with other secrets in a ceremony
//! in which it has dealt. If it stored nothing, begin again with a fresh label.

mod board;
mod definition;
mod kept;
mod outcome;
mod participant;
mod proof;
mod tally;

use thiserror::Error;

pub use board::{Board, Step};
pub use definition::Ceremony;
pub use outcome::{Blame, Fault, Outcome};
pub use participant::{Dealing, Finished, Participant};

use super::{SeatError, ShareError};
use crate::{MapError, WireError};

/// Why a ceremony, a message or a board is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// Impossible dimensions.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A share, or numbers of servers.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// Something of another key.
    #[error(transparent)]
    Seat(#[from] SeatError),
    /// Half the servers or more could block the ceremony.
    #[error(
        "threshold {threshold} among {servers} servers: more than twice as many servers as the threshold are needed"
    )]
    Threshold {
        /// Servers.
        servers: u16,
        /// Threshold.
        threshold: u16,
    },
    /// Not as many keys as servers.
    #[error("{found} keys for {expected} servers: give one for each server, in the order of their indices")]
    Servers {
        /// Keys given.
        found: usize,
        /// Servers.
        expected: u16,
    },
    /// A key that is none, weak, or given twice.
    #[error("key of server {server}: it is not an Ed25519 key of its own; ask the server for its key")]
    ServerKey {
        /// Place of the key, from 1.
        server: usize,
    },
    /// The signing key is of nobody in the ceremony.
    #[error("the signing key belongs to no server of this ceremony: use the key that was named in its definition")]
    Stranger,
    /// Bytes that are not a message.
    #[error("message: {0}")]
    Wire(#[from] WireError),
    /// A message of another ceremony.
    #[error("the message belongs to another ceremony: check the definition")]
    Session,
    /// A message of another step.
    #[error("the message of server {server} belongs to another step: this one is {step:?}")]
    Late {
        /// Sender.
        server: u16,
        /// The current step.
        step: Step,
    },
    /// A message in the name of a server that did not sign it.
    #[error("the message is not signed by server {server}, which it names as its sender")]
    Signature {
        /// The sender that the message names.
        server: u16,
    },
    /// Two different messages of one server in one step.
    #[error("server {server} has posted two different messages in one step: the first one stands")]
    Equivocation {
        /// The server.
        server: u16,
    },
    /// A dealing that was left out beforehand.
    #[error("the definition excludes the dealing of server {server}")]
    LeftOut {
        /// The dealer.
        server: u16,
    },
    /// Dealers to leave out that are none.
    #[error("dealers to leave out are {found:?}: give indices from 1 to {dealers}, each once, in ascending order")]
    Without {
        /// Indices given.
        found: Vec<u16>,
        /// Dealers.
        dealers: usize,
    },
    /// A message for somebody else.
    #[error("the message is for server {found}")]
    Receiver {
        /// Receiver named.
        found: u16,
    },
    /// A private share that does not fit the dealing.
    #[error("the share from server {server} does not fit its dealing: complain")]
    WrongShare {
        /// The dealer.
        server: u16,
    },
    /// A private share without a dealing that counts.
    #[error("server {server} has posted no dealing that counts: take its share when it has")]
    NoDealing {
        /// The dealer.
        server: u16,
    },
    /// A private share that has not come.
    #[error("no share of server {server} has arrived: ask it to deliver again; if it does not, begin again without it")]
    MissingShare {
        /// The dealer.
        server: u16,
    },
    /// Bytes that are not this server's dealing in this ceremony.
    #[error("the stored state is not the dealing of this server in this ceremony: begin again with a new ceremony")]
    Kept,
    /// Too few dealers are left.
    #[error("{found} dealers qualified, but {needed} are needed: begin again without those that failed")]
    TooFew {
        /// Qualified dealers.
        found: usize,
        /// Dealers needed.
        needed: usize,
    },
    /// Too few receivers confirmed the result.
    #[error("{found} servers endorsed this result, but {needed} are needed; others: {others:?}")]
    Endorsements {
        /// Endorsements of this result.
        found: usize,
        /// Endorsements needed.
        needed: usize,
        /// Servers that endorsed another one: they saw another board.
        others: Vec<u16>,
    },
    /// Bytes that are not a board.
    #[error("the transcript is damaged at byte {place}: fetch it again")]
    Transcript {
        /// Where.
        place: usize,
    },
}
