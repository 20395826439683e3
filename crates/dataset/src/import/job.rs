//! Importing files: each entry of a listing converted, in parallel.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use host::Progress;
use rayon::prelude::*;

use super::budget::Budget;
use super::error::ImportError;
use super::imported::{Imported, Skipped};
use super::listing::Entry;
use crate::{Dataset, Labels};

/// What every import of files needs.
pub(super) struct Job<'a> {
    /// Where the items are, for messages.
    pub path: &'a Path,
    pub label_names: Vec<String>,
    pub entries: Vec<Result<Entry, Skipped>>,
    pub height: usize,
    pub width: usize,
    /// What the import may unpack.
    pub budget: &'a Budget,
    /// Items that each entry gives.
    pub items: usize,
    /// Add the label `copy`: the number of the item among those of one entry.
    pub copies: bool,
    pub skip_bad: bool,
    pub generator: String,
}

impl Job<'_> {
    /// Converts every entry to one or more items of `height · width` bytes.
    pub fn run<T: Send>(
        self,
        progress: &dyn Progress,
        scratch: impl Fn() -> T + Sync + Send,
        convert: impl Fn(&mut T, &Entry) -> Result<Vec<u8>, String> + Sync + Send,
    ) -> Result<Imported, ImportError> {
        progress.begin(self.entries.len() as u64);
        // Every item twice: by itself, and among all.
        let each = 2 * (self.items * self.height * self.width) as u64;
        let sound = self.entries.iter().filter(|entry| entry.is_ok()).count() as u64;
        self.budget.keep(sound.saturating_mul(each)).map_err(ImportError::memory(self.path))?;
        // The place of the first bad item that ends the import so far; items after it are not read.
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
            // All items are bad, and the first takes longest.
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
