//! The Open Inference Protocol v2: its REST form with the binary tensor extension, and requests of its gRPC form.
//!
//! A request is one JSON object, or one JSON object followed by the raw bytes of its binary tensors; then the header
//! `Inference-Header-Content-Length` says where the JSON ends. A tensor of ciphertexts is `BYTES` (one element per
//! ciphertext; base64 in JSON, 4-byte little-endian length and bytes in binary) or `UINT8` (`[bytes]` for one,
//! `[items, bytes]` for several of equal length).

mod call;
mod flatten;
mod request;
mod response;

pub use call::Call;
pub use request::{InferRequest, InputTensor, RequestedOutput};
pub use response::{InferResponse, OutputTensor, Values};

/// The header that says where the JSON part of a body ends.
pub const HEADER_LENGTH: &str = "inference-header-content-length";

/// A request that does not follow the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OipError {
    /// The JSON part is not a request.
    #[error("the JSON part of the request is not an inference request: {0}")]
    Json(#[from] serde_json::Error),
    /// The header names more bytes than there are.
    #[error("{HEADER_LENGTH} is {given}, but the body has {present} bytes; give the length of the JSON part")]
    HeaderLength {
        /// What the header says.
        given: usize,
        /// Length of the body.
        present: usize,
    },
    /// The binary part is shorter or longer than its tensors.
    #[error("input '{input}': binary_data_size is {given}, but {present} bytes follow; they must agree")]
    BinaryLength {
        /// The tensor.
        input: String,
        /// What it says.
        given: usize,
        /// What is left of the body.
        present: usize,
    },
    /// Bytes after the last tensor.
    #[error("{0} bytes follow the last tensor; remove them or name their tensor")]
    Trailing(usize),
    /// A field has a value that cannot be.
    #[error("input '{input}': {field} is {value}; {remedy}")]
    Field {
        /// The tensor.
        input: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What to send.
        remedy: String,
    },
    /// A tensor or output is missing, doubled or unknown.
    #[error("{kind} '{name}' {problem}; this model has {known}")]
    Name {
        /// `input` or `output`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        problem: &'static str,
        /// The names that exist.
        known: String,
    },
}
