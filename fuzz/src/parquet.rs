//! Parquet tables: any bytes, and a valid table with bytes changed. The decoder may panic, the import may not.

use std::sync::LazyLock;

use dataset::import::{TableOptions, TableRules, parquet};
use host::Silent;

use crate::{BUDGET, Scratch, edited};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("people.parquet"));
static VALID: &[u8] = include_bytes!("../../crates/dataset/tests/files/people.parquet");

/// Runs one input.
pub fn run(data: &[u8]) {
    crate::caught();
    let [mode, data @ ..] = data else { return };
    let bytes = if mode % 4 == 0 { data.to_vec() } else { edited(VALID, data) };
    let rules = TableRules { budget: BUDGET, ..TableRules::default() };
    let options = TableOptions { labels: vec!["sex".into()], rules, ..TableOptions::default() };
    if let Ok(read) = parquet(FILE.put(&bytes), &options, mode & 16 != 0, &Silent) {
        assert_eq!(read.data.images().len(), read.data.len() * read.data.height() * read.data.width());
    }
}
