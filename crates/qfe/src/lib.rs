//! Quadratic functional encryption over BLS12-381.

mod algebra;
mod batch;
#[cfg(not(target_family = "wasm"))]
pub mod bench;
mod constant_time;
mod cost;
mod dlog;
mod encrypt;
mod evaluate;
mod group;
#[cfg(not(target_family = "wasm"))]
pub mod keyfile;
mod keys;
mod map;
#[cfg(not(target_family = "wasm"))]
mod maskstore;
mod plan;
mod pool;
mod raw;
#[cfg(not(target_family = "wasm"))]
mod tables;
mod timing;
mod wire;

pub use algebra::FormSpan;
pub use constant_time::encrypt_constant_time;
pub use dlog::{LogError, LogTable, LogTableError};
pub use encrypt::{Ciphertext, EncryptError, Encryptor, Mask};
pub use evaluate::{EvaluateError, Evaluator};
pub use keys::{FunctionalKey, KeyError, MasterKey, PublicKey, PublicKeyId, SUITE, setup};
pub use map::{MapError, QuadraticMap};
#[cfg(not(target_family = "wasm"))]
pub use maskstore::{MaskStore, MaskStoreError};
pub use plan::{Counts, Plan, Strategy};
pub use pool::MaskPool;
#[cfg(not(target_family = "wasm"))]
pub use tables::{Origin, TableError};
pub use timing::{LEAK, Subject, TimingError, TimingReport, timing_test};
pub use wire::{Encoding, Header, Kind, WireError, ciphertext_size, peek};
