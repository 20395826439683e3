//! Data that people have: folders of pictures, faces, speech and tables.
//!
//! An import first lists its items with their labels ([`LabelSource`]), then converts each of them,
//! in parallel, to one row of bytes. An item that cannot be read ends the import with its place (file
//! or row) and the reason, the first of several, or, with `skip_bad`, is left out and reported in
//! [`Imported::skipped`].
//! The order of items is that of their paths, whatever the file system says.

mod budget;
mod error;
mod faces;
mod imported;
mod inside;
mod job;
mod listing;
mod pattern;
mod pictures;
mod speech;
mod table;

pub use budget::{Budget, DEFAULT_BUDGET, Held, OverBudget};
pub use error::ImportError;
pub use faces::{FaceOptions, imdb_faces, utk_faces};
pub use imported::{Handled, Imported, Skipped};
pub use listing::LabelSource;
pub use pictures::{Crop, PictureOptions, pictures};
pub use speech::{SpeechOptions, SynthesisError, SynthesisOptions, speech, synthesise};
pub use table::{ArrayOptions, TableOptions, TableRules, csv, npz};
#[cfg(feature = "parquet")]
pub use table::{ParquetSize, parquet, parquet_footer, parquet_size};

use job::Job;
