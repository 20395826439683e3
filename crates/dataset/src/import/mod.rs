//! Data that people have: folders of pictures, faces, speech and tables.
//!
//! An import first lists its items with their labels ([`LabelSource`]), then converts each of them,
//! in parallel, to one row of bytes. An item that cannot be read ends the import with its place (file
//! or row) and the reason, the first of several, or, with `skip_bad`, is left out and reported in
//! [`Imported::skipped`].
//! The order of items is that of their paths, whatever the file system says.

mod budget;
mod faces;
mod inside;
mod listing;
mod pattern;
mod pictures;
mod speech;
mod table;

pub use budget::{Budget, DEFAULT_BUDGET, Held, OverBudget};
pub use faces::{FaceOptions, imdb_faces, utk_faces};
pub use listing::LabelSource;
pub use pictures::{Crop, PictureOptions, pictures};
pub use speech::{SpeechOptions, SynthesisError, SynthesisOptions, speech, synthesise};
#[cfg(feature = "parquet")]
pub use table::parquet;
pub use table::{ArrayOptions, TableOptions, TableRules, csv, npz};

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use host::Progress;
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
    /// Values of tables that did not fit, and the rule that stood for them.
    pub handled: Vec<Handled>,
    /// Columns of a table that are neither features nor labels.
    pub ignored: Vec<String>,
}

/// Values of one column that a rule stood for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Handled {
    /// The column.
    pub column: String,
    /// `missing`, `unknown` or `outside`.
    pub what: String,
    /// The rule, such as `median`.
    pub rule: String,
    /// How many.
    pub count: usize,
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
    /// What the import may unpack.
    budget: &'a Budget,
    /// Items that each entry gives.
    items: usize,
    /// Add the label `copy`: the number of the item among those of one entry.
    copies: bool,
    skip_bad: bool,
    generator: String,
}

impl Job<'_> {
    /// Converts every entry to one or more items of `height · width` bytes.
    fn run<T: Send>(
        self,
        progress: &dyn Progress,
        scratch: impl Fn() -> T + Sync + Send,
        convert: impl Fn(&mut T, &Entry) -> Result<Vec<u8>, String> + Sync + Send,
    ) -> Result<Imported, ImportError> {
        progress.begin(self.entries.len() as u64);
        // Every item once by itself and once among all.
        let each = 2 * (self.items * self.height * self.width) as u64;
        let sound = self.entries.iter().filter(|entry| entry.is_ok()).count() as u64;
        let over = |over: OverBudget| ImportError::Description { path: self.path.into(), problem: over.to_string() };
        self.budget.keep(sound.saturating_mul(each)).map_err(over)?;
        // The place of the first bad item that ends the import, so far: nothing behind it is read.
        let end = AtomicUsize::new(usize::MAX);
        let convert = |scratch: &mut T, (place, entry): (usize, &Result<Entry, Skipped>)| {
            if place > end.load(Ordering::Relaxed) {
                return Ok(Vec::new());
            }
            let item = match entry {
                Ok(entry) => convert(scratch, entry)
                    .map_err(|reason| Skipped { place: entry.path.display().to_string(), reason }),
                Err(skipped) => Err(skipped.clone()),
            };
            if item.is_err() && !self.skip_bad {
                end.fetch_min(place, Ordering::Relaxed);
            }
            progress.advance(1);
            item
        };
        let items: Vec<Result<Vec<u8>, Skipped>> =
            self.entries.par_iter().enumerate().map_init(scratch, convert).collect();
        if let Some(Err(Skipped { place, reason })) = items.get(end.into_inner()).cloned() {
            return Err(ImportError::Item { place, reason });
        }

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
        Ok(Imported { data, skipped, filtered: BTreeMap::new(), handled: vec![], ignored: vec![] })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use host::Silent;

    #[test]
    fn the_first_bad_item_is_named_though_another_thread_finds_a_later_one_sooner() {
        let entries = (0..64).map(|index| Ok(Entry { index, path: format!("{index}").into(), labels: vec![] }));
        let job = Job {
            path: Path::new("."),
            label_names: vec![],
            entries: entries.collect(),
            height: 1,
            width: 1,
            budget: &Budget::new(1000),
            items: 1,
            copies: false,
            skip_bad: false,
            generator: String::new(),
        };
        let read = AtomicUsize::new(0);
        let convert = |(): &mut (), entry: &Entry| {
            // All are bad, and the first takes longest.
            let waited = Instant::now();
            while entry.index == 0 && read.load(Ordering::Relaxed) == 0 && waited.elapsed() < Duration::from_secs(9) {
                std::thread::yield_now();
            }
            read.fetch_add(1, Ordering::Relaxed);
            Err(format!("bad {}", entry.index))
        };
        let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let ended = threads.install(|| job.run(&Silent, || (), convert));
        assert!(matches!(ended, Err(ImportError::Item { place, .. }) if place == "0"));
        assert!(read.into_inner() > 1);
    }
}
