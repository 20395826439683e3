//! Errors of wire formats.

use thiserror::Error;

use super::kind::Kind;
use crate::MapError;

/// Why bytes are not the object they should be.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// Fewer bytes than any object has, or another length than the header says.
    #[error("length is {found} bytes, but {expected} are expected: the file is truncated or has bytes appended")]
    Length {
        /// Bytes given.
        found: u64,
        /// Bytes that the header asks for (or the least of any object).
        expected: u64,
    },
    /// The first bytes are not the magic of this format.
    #[error("magic is {found:02x?}, but `HLQF` is expected: this is not a Halflight key, ciphertext or mask")]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// A version that this library does not read.
    #[error("version is {found}, but 1 is expected: use a newer release")]
    Version {
        /// The version.
        found: u16,
    },
    /// A suite that this library does not know.
    #[error("suite is {found}, but 1 (BLS12-381) is expected: use a newer release")]
    Suite {
        /// The suite.
        found: u16,
    },
    /// An object of another kind.
    #[error("this is a {found}, but a {expected} was expected: pass the right file")]
    Kind {
        /// The kind found.
        found: Kind,
        /// The kind wanted.
        expected: Kind,
    },
    /// A header field has an impossible value.
    #[error("header field `{field}` is {value}: the file is damaged or forged")]
    Header {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// The checksum does not match.
    #[error("checksum does not match: the file was damaged; fetch it again")]
    Checksum,
    /// A point is not a canonical encoding of a point of the curve.
    #[error("point {index} of `{field}` is not a canonical point of the curve: the file is damaged or forged")]
    Point {
        /// Name of the array.
        field: &'static str,
        /// Index of the point.
        index: usize,
    },
    /// Some point is not in the subgroup of prime order.
    #[error("a point of `{field}` is outside the prime-order subgroup: the file is forged")]
    Subgroup {
        /// Name of the array.
        field: &'static str,
    },
    /// A scalar is not below the group order.
    #[error("scalar {index} of `{field}` is not below the group order: the file is damaged or forged")]
    Scalar {
        /// Name of the array.
        field: &'static str,
        /// Index of the scalar.
        index: usize,
    },
    /// The public key's points do not hash to its id.
    #[error("the public-key id does not belong to the points: the file is forged")]
    Id,
    /// The function of a key is not valid.
    #[error("function: {0}")]
    Map(#[from] MapError),
}
