//! Data from outside: folders of pictures, faces, speech and tables.
//!
//! An import first lists its items with their labels ([`LabelSource`]), then converts each of them, in parallel, to one
//! row of bytes. The first item that cannot be read ends the import with its place (file or row) and the reason. With
//! `skip_bad`, such items are left out and reported in [`Imported::skipped`]. Items are ordered by path, whatever the
//! order of the file system.

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
