//! Data sets with several labels per item: where they come from, the one file they live in, and the
//! encoder that turns an item into the small integers that an owner encrypts.

mod data;
pub mod draw;
pub mod encoder;
mod file;

pub use data::{Dataset, DatasetError, Labels};
pub use encoder::{EncodeError, Encoded, Encoder, EncoderOptions, Ranges};
pub use file::FileError;
