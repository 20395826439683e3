//! Data sets with several labels per item: where they come from, the one file they live in, and the
//! encoder that turns an item into the small integers that an owner encrypts.
//!
//! | to have | use |
//! |---|---|
//! | characters drawn from fonts, as in the paper | [`draw`] |
//! | MNIST and its like | [`idx`] |
//! | real handwriting without any download | [`handwriting`] |
//! | folders of pictures, speech, faces, tables | [`import`] |
//! | a file that numpy and PyTorch open | [`Dataset::save`], [`Dataset::load`] |
//! | a look at what one has | [`sheet`], [`Summary`] |
//! | a second table read as the first one was | [`schema`] |
//! | changed copies of pictures | [`Dataset::augmented`] |
//! | integers to encrypt | [`Encoder`] |
//!
//! For WebAssembly only the encoder is built.
//!
//! ```
//! use dataset::draw::{DrawSpec, Generator};
//! use dataset::{Dataset, Encoder, EncoderOptions};
//! use indicatif::ProgressBar;
//!
//! // 200 images of digits in two fonts; seed 1 names them for ever.
//! let data = Generator::new(&DrawSpec::default())?.draw(200, 1, &ProgressBar::hidden());
//! assert_eq!(data.labels("font")?.classes, ["cursive", "serif"]);
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("digits.safetensors");
//! data.save(&path)?;
//! let data = Dataset::load(&path)?;
//!
//! // Levels 0 to 15 of each pixel that ever has ink, behind the constant 1.
//! let encoder = Encoder::fit(&data, &EncoderOptions::default())?;
//! let encoded = encoder.encode(data.image(0))?;
//! assert_eq!((encoded.u.len(), encoded.v.len()), encoder.inputs());
//! assert_eq!(encoded.u[0], 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(not(target_family = "wasm"))]
mod augment;
#[cfg(not(target_family = "wasm"))]
mod data;
#[cfg(not(target_family = "wasm"))]
pub mod draw;
pub mod encoder;
#[cfg(not(target_family = "wasm"))]
mod features;
#[cfg(not(target_family = "wasm"))]
mod file;
#[cfg(not(target_family = "wasm"))]
pub mod handwriting;
#[cfg(not(target_family = "wasm"))]
pub mod idx;
#[cfg(not(target_family = "wasm"))]
pub mod import;
#[cfg(not(target_family = "wasm"))]
mod reshape;
#[cfg(not(target_family = "wasm"))]
pub mod schema;
#[cfg(not(target_family = "wasm"))]
pub mod sheet;

#[cfg(not(target_family = "wasm"))]
pub use augment::{AugmentError, AugmentOptions};
#[cfg(not(target_family = "wasm"))]
pub use data::{Dataset, DatasetError, Labels};
pub use encoder::{EncodeError, Encoded, Encoder, Noise, Ranges};
#[cfg(not(target_family = "wasm"))]
pub use encoder::{EncoderOptions, Normalise, Transform};
#[cfg(not(target_family = "wasm"))]
pub use features::Features;
#[cfg(not(target_family = "wasm"))]
pub use file::FileError;
#[cfg(not(target_family = "wasm"))]
pub use schema::{Schema, SchemaError};
#[cfg(not(target_family = "wasm"))]
pub use sheet::Summary;
