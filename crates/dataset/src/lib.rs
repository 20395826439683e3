//! Data sets with several labels per item: their sources, and the one file format that holds them.
//!
//! | to get | use |
//! |---|---|
//! | characters drawn from fonts, as in the paper | [`draw`] |
//! | MNIST and similar sets | [`idx`] |
//! | real handwriting without any download | [`handwriting`] |
//! | folders of pictures, speech, faces, tables | [`import`] |
//! | a file that numpy and PyTorch open | [`Dataset::save`], [`Dataset::load`] |
//! | an overview of a data set | [`sheet`], [`Summary`] |
//! | a second table read like the first one | [`schema`] |
//! | changed copies of pictures | [`Dataset::augmented`] |
//! | integers to encrypt | the crate `encoder`, which is fitted on a [`Dataset`] |
//!
//! ```
//! use dataset::draw::{DrawSpec, Generator};
//! use dataset::Dataset;
//! use encoder::{Encoder, EncoderOptions};
//! use host::Silent;
//!
//! // 200 images of digits in two fonts; random seed 1 always gives these.
//! let data = Generator::new(&DrawSpec::default())?.draw(200, 1, &Silent);
//! assert_eq!(data.labels("font")?.classes, ["cursive", "serif"]);
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("digits.safetensors");
//! data.save(&path)?;
//! let data = Dataset::load(&path)?;
//!
//! // Levels 0 to 15 of each pixel that ever has ink, after the constant 1.
//! let encoder = Encoder::fit(&data, &EncoderOptions::default())?;
//! let encoded = encoder.encode(data.image(0))?;
//! assert_eq!((encoded.u.len(), encoded.v.len()), encoder.inputs());
//! assert_eq!(encoded.u[0], 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_debug_implementations)]

mod augment;
mod data;
pub mod draw;
mod error;
mod file;
pub mod handwriting;
pub mod idx;
pub mod import;
mod reshape;
pub mod schema;
pub mod sheet;

pub use augment::{AugmentError, AugmentOptions};
pub use data::{Dataset, Labels};
pub use error::DatasetError;
pub use file::FileError;
pub use items::Features;
pub use schema::{Schema, SchemaError};
pub use sheet::Summary;
