//! Quadratic functional encryption over BLS12-381.

#[cfg(not(target_family = "wasm"))]
pub mod bench;
mod cost;
mod dlog;
mod encrypt;
mod evaluate;
mod group;
#[cfg(not(target_family = "wasm"))]
pub mod keyfile;
mod keys;
mod map;
mod plan;
mod raw;
#[cfg(not(target_family = "wasm"))]
mod tables;
mod wire;

pub use dlog::{LogError, LogTable, LogTableError};
pub use encrypt::{Ciphertext, EncryptError, Encryptor, Mask};
pub use evaluate::{EvaluateError, Evaluator};
pub use keys::{FunctionalKey, KeyError, MasterKey, PublicKey, PublicKeyId, SUITE, setup};
pub use map::{MapError, QuadraticMap};
pub use plan::{Counts, Plan, Strategy};
#[cfg(not(target_family = "wasm"))]
pub use tables::{Origin, TableError};
pub use wire::{Encoding, Header, Kind, WireError, ciphertext_size, peek};
