//! From a row of a table or a recording to the bytes that an encoder takes.
//!
//! | an item begins as | it is read by | with |
//! |---|---|---|
//! | a row of a table | [`RecordReader`] | the [`Schema`] of its training data |
//! | a recording | [`SoundReader`] | the [`Analysis`] of its training data |
//!
//! An import, the command and a page in a browser share this crate, so that all of them turn one item into the same
//! bytes. It opens no file, and computes the same bits on every machine.

#![warn(missing_debug_implementations)]

mod features;
mod form;
mod hash;
pub mod schema;
pub mod sound;

pub use features::{Features, span, step};
pub use form::Form;
pub use hash::{EncoderMismatch, check_columns, columns_hash};
pub use schema::{RecordError, RecordReader, Schema};
pub use sound::{Analysis, Recording, SoundError, SoundReader};
