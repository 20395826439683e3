//! A small table with every kind of column, and ways to read tables like it.

#![allow(dead_code)] // each test program uses its own part

use std::path::PathBuf;

use dataset::Dataset;
use dataset::import::{Handled, ImportError, Imported, TableOptions, TableRules, csv};
use dataset::schema::{Missing, Unknown};
use host::Silent;

pub const TRAIN: &str = "age,colour,joined,size,note,y\n\
    20,red,2020-01-01,S,a quick fox,no\n\
    30,blue,2020-01-11,L,the dog,yes\n\
    40,red,2020-01-21,M,Fox and dog,no\n\
    60,red,2020-01-31,M,,yes\n";

pub fn put(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

pub fn read(content: impl AsRef<[u8]>, options: &TableOptions) -> Result<Imported, ImportError> {
    let (_folder, path) = put("table.csv", content.as_ref());
    csv(&path, options, false, &Silent)
}

pub fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| text.to_string()).collect()
}

pub fn options() -> TableOptions {
    TableOptions {
        labels: strings(&["y"]),
        ordinals: vec![("size".into(), strings(&["S", "M", "L"]))],
        hashed: strings(&["note"]),
        hash_columns: 8,
        rules: TableRules { missing: Some(Missing::Category), unknown: Some(Unknown::Other), ..TableRules::default() },
        ..TableOptions::default()
    }
}

pub fn train() -> Dataset {
    read(TRAIN, &options()).unwrap().data
}

pub fn like(data: &Dataset) -> TableOptions {
    let rules = TableRules { like: data.whole_schema(), ..TableRules::default() };
    TableOptions { rules, ..TableOptions::default() }
}

pub fn row(line: &str) -> String {
    format!("{}{line}\n", &TRAIN[..TRAIN.find('\n').unwrap() + 1])
}

pub fn value(data: &Dataset, item: usize, name: &str) -> f32 {
    let features = data.features().unwrap();
    let place = features.names.iter().position(|found| found == name).unwrap_or_else(|| panic!("{name}"));
    features.value(place, data.image(item)[place])
}

pub fn count(handled: &[Handled], column: &str, what: &str) -> usize {
    handled.iter().find(|one| one.column == column && one.what == what).map_or(0, |one| one.count)
}
