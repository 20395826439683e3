//! Tables: any text, under any rules. Rows that were read once are read again by the schema learned from them, as the
//! same items.

use std::sync::LazyLock;

use dataset::import::{TableOptions, TableRules, csv};
use dataset::schema::{Missing, Outside, Unknown};
use host::Silent;

use crate::{BUDGET, Scratch};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("table.csv"));

/// Runs one input.
pub fn run(data: &[u8]) {
    let [rule, kind, data @ ..] = data else { return };
    let named = |bit: u8, name: &str| if kind & bit != 0 { vec![name.to_owned()] } else { vec![] };
    let rules = TableRules {
        missing: [None, Some(Missing::Median), Some(Missing::Category), Some(Missing::Refuse)][usize::from(rule % 4)],
        unknown: [None, Some(Unknown::Other)][usize::from(rule >> 2) % 2],
        outside: [None, Some(Outside::Refuse)][usize::from(rule >> 3) % 2],
        budget: BUDGET,
        ..TableRules::default()
    };
    let options = TableOptions {
        labels: vec!["y".into()],
        texts: named(1, "a"),
        dates: if kind & 2 != 0 { vec![("b".into(), String::new())] } else { vec![] },
        ordinals: if kind & 4 != 0 { vec![("c".into(), vec!["low".into(), "high".into()])] } else { vec![] },
        hashed: named(8, "d"),
        quantile: named(16, "e"),
        hash_columns: 4,
        categories: 8,
        rules,
        ..TableOptions::default()
    };
    let skip_bad = kind & 32 != 0;
    let path = FILE.put(data);
    let Ok(first) = csv(path, &options, skip_bad, &Silent) else { return };
    let Some(schema) = first.data.whole_schema() else { return };
    let rules = TableRules { like: Some(schema), budget: BUDGET, ..TableRules::default() };
    let second = csv(path, &TableOptions { rules, ..TableOptions::default() }, skip_bad, &Silent);
    let second = second.unwrap_or_else(|error| panic!("not read again: {error}"));
    assert!(second.data.images() == first.data.images(), "another reading of the same table");
}
