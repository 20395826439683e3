//! Integer networks in safetensors, by their header and data. What is accepted stays the same when it is written.

use std::sync::LazyLock;

use model::{BiasColumn, CompiledNetwork, ImportOptions, Inputs};

use crate::{Scratch, safetensors};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("integers.safetensors"));
static AGAIN: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("again.safetensors"));

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, low, constant, data @ ..] = data else { return };
    let options = ImportOptions {
        inputs: Inputs::Pixels { height: 1, width: 2, bits: 8 },
        low: i64::from(*low as i8) << (mode >> 4),
        bias: [BiasColumn::First, BiasColumn::Last, BiasColumn::None][usize::from(mode % 3)],
        constant: i32::from(*constant as i8),
        classes: None,
        main: "kind".into(),
    };
    let bytes = if mode & 8 == 0 { safetensors(data) } else { data.to_vec() };
    let Ok(network) = CompiledNetwork::import(FILE.put(&bytes), &options) else { return };
    network.save(AGAIN.path()).expect("it can be written");
    assert!(CompiledNetwork::load(AGAIN.path()).expect("what was written can be read") == network);
}
