//! IDX files of images and of labels: the first byte says how many bytes are the labels', and whether sides are
//! exchanged. Compressed ones begin with the magic of gzip.

use std::sync::LazyLock;

use dataset::idx::{self, IdxOptions};

use crate::{BUDGET, Scratch};

static IMAGES: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("images"));
static LABELS: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("labels"));

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let (labels, images) = data.split_at(usize::from(mode >> 1).min(data.len()));
    let options = IdxOptions { transpose: mode % 2 == 1, budget: BUDGET, ..IdxOptions::default() };
    if let Ok(read) = idx::read_with(IMAGES.put(images), LABELS.put(labels), &options) {
        assert_eq!(read.images().len(), read.len() * read.height() * read.width());
    }
}
