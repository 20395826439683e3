//! CSV and NumPy tables, as NumPy writes them, sound and damaged.

use std::io::Write;
use std::path::{Path, PathBuf};

use dataset::Dataset;
use dataset::import::{ArrayOptions, ImportError, Imported, TableOptions, csv, npz};
use host::Silent;
use zip::write::SimpleFileOptions;

const FEATURES: &[u8] = include_bytes!("files/features.npz");
const PICTURES: &[u8] = include_bytes!("files/pictures.npz");

fn put(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn labels(names: &[&str]) -> TableOptions {
    TableOptions { labels: names.iter().map(|name| name.to_string()).collect(), ..Default::default() }
}

fn read_csv(content: impl AsRef<[u8]>, options: &TableOptions, skip_bad: bool) -> Result<Imported, ImportError> {
    let (_folder, path) = put("table.csv", content.as_ref());
    csv(&path, options, skip_bad, &Silent)
}

fn read_npz(content: &[u8], options: &ArrayOptions) -> Result<Imported, ImportError> {
    let (_folder, path) = put("arrays.npz", content);
    npz(&path, options, false, &Silent)
}

fn value(data: &Dataset, item: usize, column: usize) -> f32 {
    data.features().unwrap().value(column, data.image(item)[column])
}

#[test]
fn a_csv_table_becomes_features_and_labels() {
    let table = "age,sex,colour,height\n20,f,red,1.50\n40,m,blue,2.00\n30,f,red,1.75\n";
    let data = read_csv(table, &labels(&["sex"]), false).unwrap().data;
    assert_eq!((data.len(), data.height(), data.width()), (3, 1, 4));
    assert_eq!(data.features().unwrap().names, ["age", "colour=blue", "colour=red", "height"]);
    assert_eq!(data.labels("sex").unwrap().values, [0, 1, 0]);
    let expected = [[20.0, 0.0, 1.0, 1.5], [40.0, 1.0, 0.0, 2.0], [30.0, 0.0, 1.0, 1.75]];
    for (item, row) in expected.iter().enumerate() {
        for (column, &expected) in row.iter().enumerate() {
            assert!((value(&data, item, column) - expected).abs() < 0.05, "{item} {column}");
        }
    }
}

#[test]
fn columns_can_be_chosen_and_taken_as_texts() {
    let table = "a,b,code,y\n1,2,10115,0\n3,4,20095,1\n";
    let strings = |list: &[&str]| list.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    let options = TableOptions {
        labels: strings(&["y"]),
        features: strings(&["code", "a"]),
        texts: strings(&["code"]),
        ..Default::default()
    };
    let data = read_csv(table, &options, false).unwrap().data;
    assert_eq!(data.features().unwrap().names, ["code=10115", "code=20095", "a"]);
    assert_eq!(data.image(0), [255, 0, 0]);
}

#[test]
fn bad_rows_are_named_or_skipped() {
    let table = "a,c,y\n1,r,0\n,r,1\n3,,1\n4,r\n5,r,\n6,\u{fffd},1\n7,b,1\n".replace('\u{fffd}', "r");
    let mut table = table.into_bytes();
    table.extend(b"8,\xff,1\n9,b,0\n");
    let imported = read_csv(&table, &labels(&["y"]), true).unwrap();
    assert_eq!(imported.data.len(), 4);
    let skipped: Vec<String> = imported.skipped.iter().map(|bad| format!("{}: {}", bad.place, bad.reason)).collect();
    let expected = [
        "row 3: `a` is \"\", not a number",
        "row 4: `c` is missing",
        "row 5: it has 2 fields, and the header 3",
        "row 6: a label is missing",
        "row 9: it is not UTF-8 text",
    ];
    assert_eq!(skipped.len(), expected.len(), "{skipped:?}");
    for (found, expected) in skipped.iter().zip(expected) {
        assert!(found.contains("table.csv") && found.ends_with(expected), "{found}");
    }
    let error = read_csv(&table, &labels(&["y"]), false).unwrap_err();
    assert!(error.to_string().contains("row 3"), "{error}");
}

#[test]
fn faults_of_a_table_are_named() {
    let many: String = (0..100).map(|row| format!("name{row},1\n")).collect();
    let cases = [
        (read_csv("a,y\n1,0\n", &labels(&["z"]), false), "no column `z`; choose one of a, y"),
        (read_csv("a,y\n1,0\n", &labels(&[]), false), "`labels` is wrong"),
        (read_csv("y\n0\n", &labels(&["y"]), false), "`features` is wrong"),
        (read_csv("a,a,y\n1,1,0\n", &labels(&["y"]), false), "two columns `a`"),
        (read_csv("a,y\n", &labels(&["y"]), true), "no item could be imported"),
        (read_csv("a,y\n,0\n", &labels(&["y"]), true), "1 bad ones skipped"),
        (read_csv(format!("a,y\n{many}"), &labels(&["y"]), true), "no number in row 2 (\"name0\"), and more than 64"),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let missing = csv(Path::new("/nonexistent.csv"), &labels(&["y"]), true, &Silent);
    assert!(matches!(missing, Err(ImportError::Io { .. })));
}

#[test]
fn numpy_archives_become_pictures_or_features() {
    let data = read_npz(PICTURES, &ArrayOptions::default()).unwrap().data;
    assert_eq!((data.len(), data.height(), data.width()), (3, 2, 4));
    assert_eq!(data.image(1), [8, 9, 10, 11, 12, 13, 14, 15]);
    assert_eq!(data.labels("writer").unwrap().classes, ["anna", "ötto"]);
    assert_eq!(data.labels("digit").unwrap().values, [1, 0, 1]);
    assert!(data.labels("weight").is_err());
    let data = read_npz(FEATURES, &ArrayOptions::default()).unwrap().data;
    assert_eq!((data.len(), data.width(), data.labels("y").unwrap().values.clone()), (3, 2, vec![1, 0, 1]));
    assert!((value(&data, 1, 1) - 4.0).abs() < 0.02);
}

#[test]
fn faults_of_an_archive_are_named() {
    let options = |items: &str, labels: &[&str]| ArrayOptions {
        items: items.into(),
        labels: labels.iter().map(|label| label.to_string()).collect(),
        ..Default::default()
    };
    let array = |header: &str, data: &[u8]| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    };
    let archive = |content: &[u8]| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        writer.start_file("x.npy", SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap().into_inner()
    };
    let header = |element: &str, order: &str, shape: &str| {
        format!("{{'descr': '{element}', 'fortran_order': {order}, 'shape': {shape}, }}\n")
    };
    let made = |element: &str, order: &str, shape: &str| archive(&array(&header(element, order, shape), &[0; 8]));
    let plain = ArrayOptions::default();
    let cases = [
        (read_npz(PICTURES, &options("x", &[])), "no array `x`; choose one of digit, images, weight, writer"),
        (read_npz(PICTURES, &options("", &["weight"])), "`weight` is not a label"),
        (read_npz(PICTURES, &options("writer", &[])), "shape [3]: give [N, D]"),
        (read_npz(b"PK", &plain), "not a readable NumPy archive"),
        (read_npz(&PICTURES[..400], &plain), "not a readable NumPy archive"),
        (read_npz(&archive(b"text"), &plain), "`x` is truncated"),
        (read_npz(&archive(b"no numpy here"), &plain), "`x` is not in NumPy's format"),
        (read_npz(&made("<f8", "True", "(1, 1)"), &plain), "Fortran order"),
        (read_npz(&made("|O", "False", "(1, 1)"), &plain), "elements of type |O"),
        (read_npz(&made("<f8", "False", "(99999999999, 9999)"), &plain), "too much memory"),
        (read_npz(&made("<f8", "False", "(2, 1)"), &plain), "truncated: 8 of 16 bytes"),
        (read_npz(&made("<f8", "False", "(2, x)"), &plain), "no readable shape"),
        (read_npz(&made("<f8", "False", "(0, 3)"), &plain), "has no elements"),
        (
            read_npz(&archive(&array(&header("<f4", "False", "(1, 1)"), &f32::NAN.to_le_bytes())), &plain),
            "`x[0]` is \"NaN\", not a number",
        ),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("arrays.npz"), "{error}");
    }
}

#[test]
fn no_flipped_byte_of_an_archive_panics() {
    for archive in [PICTURES, FEATURES] {
        for place in 0..archive.len() {
            let mut bytes = archive.to_vec();
            bytes[place] ^= [1, 0x40, 0xff][place % 3];
            drop(read_npz(&bytes, &ArrayOptions::default()));
        }
    }
}
