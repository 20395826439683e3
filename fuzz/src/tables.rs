//! A stored table of logarithms with bytes changed, and any bytes instead of it: it is used only if it is exactly the
//! table that would be built; otherwise it is built again.

use std::fs;
use std::sync::LazyLock;

use host::Silent;
use qfe::{LogTable, Origin};

use crate::{Scratch, edited};

const BITS: u32 = 8;

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("log-8.table"));
static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = FILE.path().parent().expect("it lies in a folder");
    LogTable::open_or_build(BITS, folder, &Silent).expect("8 bits are allowed");
    FILE.read()
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let whole = &*TABLE;
    let table = if mode % 4 == 0 { data.to_vec() } else { edited(whole, data) };
    let path = FILE.put(&table);
    let folder = path.parent().expect("it lies in a folder");
    let (_, origin) = LogTable::open_or_build(BITS, folder, &Silent).expect("8 bits are allowed");
    assert!((origin == Origin::Mapped) == (table == *whole));
    assert!(fs::read(path).expect("it is there") == *whole);
}
