//! Wire formats, version 1.
//!
//! All integers are little-endian. Every object is
//!
//! | bytes | field |
//! |---|---|
//! | 4 | magic `HLQF` |
//! | 2 | version, 1 |
//! | 2 | suite, 1 = BLS12-381 |
//! | 1 | kind: 1 public key, 2 master key, 3 functional key, 4 ciphertext, 5 mask, 6 key share, 7 partial key, 8 commitments, 9 message of a ceremony |
//! | 1 | points: 0 uncompressed (96 and 192 bytes), 1 compressed (48 and 96 bytes); always 0 for kinds 2, 5, 6 and 9 |
//! | 2 | zero |
//! | 32 | public-key id (of messages: the session) |
//! | 4 × 4 | `n`, `m`, units, outputs (zero where they do not apply; of commitments the threshold, zero; of messages step and entries) |
//! | 8 | bytes of the body |
//! | … | body: flat arrays of points, scalars, `i32` weights |
//! | 32 | SHA-256 of everything before |
//!
//! Bodies of shares, partial keys and commitments begin with their seat: epoch (8), servers (2),
//! threshold (2), index (2), zero (2). Then come the scalars `s(i)`; SHA-256 of the function and a
//! point for each output; the points `[a_l]₁` for `l = 1..τ`. Messages: see [`shares::ceremony`](crate::shares::ceremony).
//!
//! Points are in the canonical encoding of the ZCash specification (big-endian, as
//! in the IETF drafts). Reading checks lengths before it allocates, then the
//! checksum, then every encoding, then that all points lie in the subgroup of
//! prime order (see the `subgroup` module for the soundness, `2^−40`).

mod error;
mod frame;
mod kind;
mod objects;
mod points;
#[cfg(feature = "shares")]
mod shares;

pub use error::WireError;
pub use frame::{Encoding, Header, peek};
pub use kind::Kind;
#[cfg(feature = "evaluate")]
pub(crate) use objects::check_ciphertexts;
pub use objects::ciphertext_size;
#[cfg(feature = "shares")]
pub(crate) use shares::{Deal, Message, MessageBody, MessageHead, read_message, write_message};
