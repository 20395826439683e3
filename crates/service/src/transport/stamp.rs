//! Whether files were written since they were read.

use std::path::Path;
use std::time::SystemTime;

/// Sizes and modification times of files; none for a missing file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stamp(Vec<Option<(u64, SystemTime)>>);

impl Stamp {
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(paths.into_iter().map(about).collect())
    }

    /// With one more file.
    pub fn add(&mut self, path: &Path) {
        self.0.push(about(path));
    }
}

fn about(path: &Path) -> Option<(u64, SystemTime)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.len(), about.modified().ok()?))
}
