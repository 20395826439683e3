//! Files that the library keeps for itself: masks under a valid checksum, and a table
//! of logarithms, which is used only when it is exactly what would be built.
#![no_main]

use std::{fs, sync::LazyLock};

use host::Silent;
use libfuzzer_sys::fuzz_target;
use qfe::{LogTable, Mask, Origin};
use sha2::{Digest, Sha256};

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));
static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    LogTable::open_or_build(8, FOLDER.path(), &Silent).expect("8 bits are allowed");
    fs::read(FOLDER.path().join("log-8.table")).expect("it was stored")
});

fuzz_target!(|data: &[u8]| {
    let mut sealed = data.to_vec();
    sealed.extend_from_slice(&Sha256::digest(data));
    if let Ok(again) = Mask::from_bytes(&sealed).map(|mask| mask.to_bytes()) {
        assert!(*again == sealed);
    }
    let mut table = TABLE.clone();
    for change in data.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % table.len();
        table[place] = change[2];
    }
    let path = FOLDER.path().join("log-8.table");
    fs::write(&path, &table).expect("the folder may be written");
    let (_, origin) = LogTable::open_or_build(8, FOLDER.path(), &Silent).expect("8 bits are allowed");
    assert!((origin == Origin::Mapped) == (table == *TABLE));
    assert!(fs::read(&path).expect("it is there") == *TABLE);
});
