//! Wire formats, version 1.
//!
//! All integers are little-endian. Every object is
//!
//! | bytes | field |
//! |---|---|
//! | 4 | magic `HLQF` |
//! | 2 | version, 1 |
//! | 2 | suite, 1 = BLS12-381 |
//! | 1 | kind: 1 public key, 2 master key, 3 functional key, 4 ciphertext, 5 mask |
//! | 1 | points: 0 uncompressed (96 and 192 bytes), 1 compressed (48 and 96 bytes) |
//! | 2 | zero |
//! | 32 | public-key id |
//! | 4 × 4 | `n`, `m`, units, outputs (zero where they do not apply) |
//! | 8 | bytes of the body |
//! | … | body: flat arrays of points, scalars, `i32` weights |
//! | 32 | SHA-256 of all before |
//!
//! Points are in the canonical encoding of the ZCash specification (big-endian, as
//! in the IETF drafts). Reading checks lengths before it allocates, then the
//! checksum, then every encoding, then that all points lie in the subgroup of
//! prime order (see the `subgroup` module for the soundness, `2^−40`).

mod error;
mod frame;
mod objects;
mod points;

pub use error::WireError;
pub use frame::{Encoding, Header, Kind, peek};
pub(crate) use objects::check_ciphertexts;
pub use objects::ciphertext_size;
