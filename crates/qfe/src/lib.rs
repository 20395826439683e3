//! Quadratic functional encryption over BLS12-381.

mod dlog;
mod encrypt;
mod evaluate;
mod group;
mod keys;
mod map;
mod raw;
mod wire;

pub use dlog::{LogError, LogTable, LogTableError};
pub use encrypt::{Ciphertext, EncryptError, Encryptor, Mask};
pub use evaluate::{EvaluateError, Evaluator};
pub use keys::{FunctionalKey, KeyError, MasterKey, PublicKey, PublicKeyId, SUITE, setup};
pub use map::{MapError, QuadraticMap};
pub use wire::{Encoding, Header, Kind, WireError, ciphertext_size, peek};
