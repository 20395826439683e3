//! Data sets: any file, any header before any data, and a valid one with bytes changed. What is accepted must be
//! written and read back as the same data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dataset::{Dataset, Labels};

use crate::{Scratch, edited, safetensors};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("data.safetensors"));
static AGAIN: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("again.safetensors"));
static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let labels = Labels { name: "kind".into(), classes: vec!["a".into(), "b".into()], values: vec![0, 1] };
    let data = Dataset::new(2, 2, (0..8).collect(), vec![labels], BTreeMap::new()).expect("a data set");
    data.save(FILE.path()).expect("it can be written");
    FILE.read()
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let bytes = match mode % 3 {
        0 => data.to_vec(),
        1 => safetensors(data),
        _ => edited(&VALID, data),
    };
    let Ok(read) = Dataset::load(FILE.put(&bytes)) else { return };
    read.save(AGAIN.path()).expect("it can be written");
    assert!(Dataset::load(AGAIN.path()).expect("what was written can be read") == read);
}
