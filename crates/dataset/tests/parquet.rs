//! Parquet tables, as Arrow writes them, sound and damaged.

use std::path::{Path, PathBuf};

use dataset::Dataset;
use dataset::import::{ImportError, Imported, TableOptions, parquet};
use host::Silent;

const PARQUET: &[u8] = include_bytes!("files/people.parquet");

fn put(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn read_parquet(path: &Path, skip_bad: bool) -> Result<Imported, ImportError> {
    let options = TableOptions { labels: vec!["sex".into()], ..Default::default() };
    parquet(path, &options, skip_bad, &Silent)
}

fn value(data: &Dataset, item: usize, column: usize) -> f32 {
    data.features().unwrap().value(column, data.image(item)[column])
}

#[test]
fn a_parquet_table_of_arrow_becomes_features_and_labels() {
    let (_folder, path) = put("people.parquet", PARQUET);
    let imported = read_parquet(&path, true).unwrap();
    // One age is missing.
    assert_eq!((imported.data.len(), imported.skipped.len()), (4, 1));
    assert!(imported.skipped[0].place.ends_with("row 3"), "{:?}", imported.skipped);
    let names = &imported.data.features().unwrap().names;
    assert_eq!(names[..5], ["age", "height", "colour=blue", "colour=red", "member=false"].map(String::from));
    assert_eq!(imported.data.labels("sex").unwrap().classes, ["f", "m"]);
    assert!((value(&imported.data, 2, 0) - 33.0).abs() < 0.2);
    assert!((value(&imported.data, 1, 1) - 1.25).abs() < 0.01);
    assert!(matches!(read_parquet(&path, false), Err(ImportError::Item { .. })));
}

#[test]
fn no_damaged_parquet_file_panics() {
    let (_folder, path) = put("people.parquet", PARQUET);
    // The guard catches the decoder's own panics; their messages would drown the test's.
    std::panic::set_hook(Box::new(|panic| {
        if panic.location().is_some_and(|place| place.file().contains("dataset")) {
            eprintln!("{panic}");
        }
    }));
    for length in (0..PARQUET.len()).step_by(61) {
        std::fs::write(&path, &PARQUET[..length]).unwrap();
        assert!(read_parquet(&path, true).is_err(), "{length}");
    }
    for place in (0..PARQUET.len()).step_by(3) {
        let mut bytes = PARQUET.to_vec();
        bytes[place] ^= [1, 0x40, 0xff][place / 3 % 3];
        std::fs::write(&path, bytes).unwrap();
        drop(read_parquet(&path, true));
    }
    drop(std::panic::take_hook());
}
