//! Data that people have: folders of pictures, faces, speech and tables.
//!
//! An import first lists its items with their labels ([`LabelSource`]), then converts each of them,
//! in parallel, to one row of bytes. An item that cannot be read ends the import with its place (file
//! or row) and the reason, or, with `skip_bad`, is left out and reported in [`Imported::skipped`].
//! The order of items is that of their paths, whatever the file system says.

mod faces;
mod listing;
mod pattern;
mod pictures;
mod speech;
mod table;

pub use faces::{FaceOptions, imdb_faces, utk_faces};
pub use listing::LabelSource;
pub use pictures::{Crop, PictureOptions, pictures};
pub use speech::{SpeechOptions, SynthesisError, SynthesisOptions, speech, synthesise};
#[cfg(feature = "parquet")]
pub use table::parquet;
pub use table::{ArrayOptions, TableOptions, csv, npz};

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use rayon::prelude::*;

use crate::{Dataset, DatasetError, Labels};
use listing::Entry;

/// What an import gives.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The data set.
    pub data: Dataset,
    /// What was left out and why, in order; empty unless bad items may be skipped.
    pub skipped: Vec<Skipped>,
    /// How many sound items the options left out, by reason.
    pub filtered: BTreeMap<String, usize>,
}

/// An item that was left out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// Its file, or file and row.
    pub place: String,
    /// Why it could not be read.
    pub reason: String,
}

/// Why data cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The operating system refused.
    #[error("cannot read {}: {source}: check the path", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file that describes the items and is damaged or of another form.
    #[error("{}: {problem}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// A bad item, where none may be skipped.
    #[error("{place}: {reason}: repair or remove it, or leave bad items out (--skip-bad)")]
    Item {
        /// Its file, or file and row.
        place: String,
        /// Why it could not be read.
        reason: String,
    },
    /// Nothing left to import.
    #[error("{}: no item could be imported ({skipped} bad ones skipped): {remedy}", path.display())]
    Nothing {
        /// Where items were looked for.
        path: PathBuf,
        /// How many bad items there were.
        skipped: usize,
        /// What to check.
        remedy: &'static str,
    },
    /// An option outside its limits.
    #[error("`{field}` is {value}: {remedy}")]
    Option {
        /// The option.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        remedy: String,
    },
    /// Labels that make no data set.
    #[error("the imported labels are inconsistent: {0}")]
    Content(#[from] DatasetError),
}

/// What every import of files needs to know.
struct Job<'a> {
    /// Where items are, for messages.
    path: &'a Path,
    label_names: Vec<String>,
    entries: Vec<Result<Entry, Skipped>>,
    height: usize,
    width: usize,
    /// Add the label `copy`: the number of the item among those of one entry.
    copies: bool,
    skip_bad: bool,
    generator: String,
}

impl Job<'_> {
    /// Converts every entry to one or more items of `height · width` bytes.
    fn run<T: Send>(
        self,
        progress: &ProgressBar,
        scratch: impl Fn() -> T + Sync + Send,
        convert: impl Fn(&mut T, &Entry) -> Result<Vec<u8>, String> + Sync + Send,
    ) -> Result<Imported, ImportError> {
        progress.set_length(self.entries.len() as u64);
        let convert = |scratch: &mut T, entry: &Result<Entry, Skipped>| {
            let result = match entry {
                Ok(entry) => convert(scratch, entry)
                    .map_err(|reason| Skipped { place: entry.path.display().to_string(), reason }),
                Err(skipped) => Err(skipped.clone()),
            };
            progress.inc(1);
            match result {
                Err(Skipped { place, reason }) if !self.skip_bad => Err(ImportError::Item { place, reason }),
                result => Ok(result),
            }
        };
        let items: Vec<_> = self.entries.par_iter().map_init(scratch, convert).collect::<Result<_, _>>()?;

        let pixels = self.height * self.width;
        let (mut bytes, mut texts) = (Vec::new(), vec![Vec::new(); self.label_names.len()]);
        let (mut copies, mut skipped) = (Vec::new(), Vec::new());
        for (entry, item) in self.entries.into_iter().zip(items) {
            match (entry, item) {
                (Ok(entry), Ok(item)) => {
                    copies.extend((0..item.len() / pixels).map(|copy| copy.to_string()));
                    for (texts, label) in texts.iter_mut().zip(entry.labels) {
                        texts.extend(std::iter::repeat_n(label, item.len() / pixels));
                    }
                    bytes.extend(item);
                }
                (_, Err(bad)) | (Err(bad), _) => skipped.push(bad),
            }
        }
        if bytes.is_empty() {
            let remedy = "check the folder, the kind of files and where their labels come from";
            return Err(ImportError::Nothing { path: self.path.into(), skipped: skipped.len(), remedy });
        }
        let labels = self.label_names.into_iter().zip(texts).map(|(name, texts)| Labels::from_texts(name, &texts));
        let copies = self.copies.then(|| Labels::from_texts("copy", &copies));
        let about = BTreeMap::from([("generator".into(), self.generator)]);
        let data = Dataset::new(self.height, self.width, bytes, labels.chain(copies).collect(), about)?;
        Ok(Imported { data, skipped, filtered: BTreeMap::new() })
    }
}
