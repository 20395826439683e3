//! A stored table of logarithms with bytes changed, and any bytes instead of it: it is used only if it is exactly the
//! table that would be built; otherwise it is built again.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use halflight_fuzz::{Scratch, edited};
use host::Silent;
use libfuzzer_sys::fuzz_target;
use qfe::{LogTable, Origin};

const BITS: u32 = 8;

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("log-8.table"));
static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = FILE.path().parent().expect("it lies in a folder");
    LogTable::open_or_build(BITS, folder, &Silent).expect("8 bits are allowed");
    FILE.read()
});

fuzz_target!(|data: &[u8]| {
    halflight_fuzz::alone();
    let [mode, data @ ..] = data else { return };
    let whole = &*TABLE;
    let table = if mode % 4 == 0 { data.to_vec() } else { edited(whole, data) };
    let path = FILE.put(&table);
    let folder = path.parent().expect("it lies in a folder");
    let (_, origin) = LogTable::open_or_build(BITS, folder, &Silent).expect("8 bits are allowed");
    assert!((origin == Origin::Mapped) == (table == *whole));
    assert!(fs::read(path).expect("it is there") == *whole);
});
