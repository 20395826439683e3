//! The data set file: round trips, stable bytes, damage of every kind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dataset::{Dataset, DatasetError, FileError, Labels};
use proptest::prelude::*;

fn column(name: &str, classes: &[&str], values: Vec<u32>) -> Labels {
    Labels { name: name.into(), classes: classes.iter().map(|class| class.to_string()).collect(), values }
}

fn small() -> Dataset {
    let labels = vec![
        column("shape", &["round", "square", "star"], vec![2, 0, 1, 1]),
        column("colour", &["black", "wh\"ite\n"], vec![0, 1, 1, 0]),
    ];
    let about = BTreeMap::from([("generator".into(), "test".into()), ("seed".into(), "7".into())]);
    Dataset::new(2, 3, (0..24).collect(), labels, about).unwrap()
}

fn saved(data: &Dataset) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.safetensors");
    data.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (folder, path, bytes)
}

fn load_bytes(bytes: &[u8]) -> Result<Dataset, FileError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.safetensors");
    std::fs::write(&path, bytes).unwrap();
    Dataset::load(&path)
}

/// A safetensors file with the given header text and body.
fn container(header: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A file of one 1×2 image with one label, with parts of its header replaced.
fn altered(from: &str, to: &str) -> Result<Dataset, FileError> {
    let header = r#"{"__metadata__":{"format":"halflight dataset","version":"1","labels":"[\"a\"]","classes":"{\"a\":[\"x\",\"y\"]}"},"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"images":{"dtype":"U8","shape":[1,1,2],"data_offsets":[8,10]}}"#;
    assert!(header.contains(from), "{from}");
    load_bytes(&container(&header.replace(from, to), &[1, 0, 0, 0, 0, 0, 0, 0, 5, 6]))
}

#[test]
fn comes_back_as_it_was_with_the_same_bytes() {
    let data = small();
    let (_folder, path, bytes) = saved(&data);
    assert_eq!(Dataset::load(&path).unwrap(), data);
    assert_eq!(saved(&data).2, bytes);
}

#[test]
fn the_safetensors_library_reads_it() {
    let (_folder, _, bytes) = saved(&small());
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("images").unwrap().shape(), [4, 2, 3]);
    assert_eq!(tensors.tensor("shape").unwrap().dtype(), safetensors::Dtype::I64);
}

#[test]
fn replaces_an_older_file_and_leaves_nothing_beside_it() {
    let (folder, path, _) = saved(&small());
    small().subset(&[3, 3]).save(&path).unwrap();
    assert_eq!(Dataset::load(&path).unwrap().len(), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let error = small().save(&PathBuf::from("/nonexistent/x.safetensors")).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/x.safetensors"), "{error}");
}

#[test]
fn every_truncation_is_an_error() {
    let (_folder, _, bytes) = saved(&small());
    for length in 0..bytes.len() {
        assert!(load_bytes(&bytes[..length]).is_err(), "{length}");
    }
    assert!(load_bytes(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn no_flipped_byte_panics() {
    let (_folder, _, bytes) = saved(&small());
    for place in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[place] ^= flip;
            drop(load_bytes(&bytes));
        }
    }
}

#[test]
fn a_header_that_declares_more_than_the_file_is_refused_before_reading() {
    for declared in [u64::MAX, 1 << 40, 100_000] {
        let mut bytes = saved(&small()).2;
        bytes[..8].copy_from_slice(&declared.to_le_bytes());
        assert!(matches!(load_bytes(&bytes), Err(FileError::Container { .. })));
    }
}

#[test]
fn named_faults_are_named_in_the_message() {
    let cases = [
        (r#""images""#, r#""pictures""#, "`images` is missing"),
        (r#""dtype":"U8""#, r#""dtype":"I8""#, "`images` has element type I8"),
        (r#"[1,1,2]"#, r#"[1,2]"#, "`images` has shape [1, 2]"),
        (r#"[1,1,2]"#, r#"[2,1,1]"#, "label `a` has 1 values for 2 images"),
        (r#"[1,1,2]"#, r#"[1,1,3]"#, "header"),
        (r#""dtype":"I64""#, r#""dtype":"F64""#, "`a` has element type F64"),
        (r#""shape":[1],"#, r#""shape":[1,1],"#, "`a` has shape [1, 1]"),
        (r#"[\"x\",\"y\"]"#, r#"[\"x\"]"#, "has the value 1 at item 0, but only 1 classes"),
        (r#"[\"x\",\"y\"]"#, r#"[\"x\",\"x\"]"#, "names two classes `x`"),
        (r#"{\"a\":"#, r#"{\"b\":"#, "lists no classes for `a`"),
        (r#""classes""#, r#""klasses""#, "`classes` is missing"),
        (r#""[\"a\"]""#, r#""[\"b\"]""#, "`b` is missing"),
        (r#""[\"a\"]""#, r#""[7]""#, "`labels` is not the JSON expected"),
        (r#""version":"1""#, r#""version":"2""#, "this program reads 1"),
        (r#"halflight dataset"#, r#"other"#, "`format` is"),
        (r#"[8,10]"#, r#"[7,9]"#, "header"),
    ];
    assert!(altered("images", "images").is_ok());
    for (from, to, expected) in cases {
        let error = altered(from, to).expect_err(to).to_string();
        assert!(error.contains(expected) && error.contains("data.safetensors"), "{error}");
    }
}

#[test]
fn a_negative_label_is_out_of_range() {
    let mut bytes = saved(&small()).2;
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..][..8].copy_from_slice(&(-1i64).to_le_bytes());
    let error = load_bytes(&bytes).unwrap_err();
    let FileError::Content { source: DatasetError::Range { value: -1, .. }, .. } = error else { panic!("{error}") };
}

#[test]
fn inconsistent_parts_make_no_data_set() {
    let make = |labels, about| Dataset::new(1, 2, vec![0; 4], labels, about);
    let none = BTreeMap::new;
    assert!(matches!(Dataset::new(0, 2, vec![], vec![], none()), Err(DatasetError::Size { .. })));
    assert!(matches!(Dataset::new(1, 2, vec![0; 3], vec![], none()), Err(DatasetError::Pixels { .. })));
    let short = column("a", &["x"], vec![0]);
    assert!(matches!(make(vec![short], none()), Err(DatasetError::Count { found: 1, expected: 2, .. })));
    let twice = vec![column("a", &["x"], vec![0, 0]); 2];
    assert!(matches!(make(twice, none()), Err(DatasetError::LabelName { .. })));
    let taken = column("images", &["x"], vec![0, 0]);
    assert!(matches!(make(vec![taken], none()), Err(DatasetError::LabelName { .. })));
    let about = BTreeMap::from([("version".to_string(), "9".to_string())]);
    assert!(matches!(make(vec![], about), Err(DatasetError::ReservedKey { .. })));
    let error = small().labels("size").unwrap_err().to_string();
    assert!(error.contains("shape, colour"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_data_set_survives_the_file(
        height in 1usize..5, width in 1usize..5, count in 0usize..20,
        classes in proptest::collection::btree_set(".{0,8}", 1..5), seed in any::<u64>(),
    ) {
        let number = |item: usize| (seed.wrapping_mul(item as u64 * 2 + 1) >> 32) as u32;
        let classes: Vec<String> = classes.into_iter().collect();
        let values = (0..count).map(|item| number(item) % classes.len() as u32).collect();
        let images = (0..count * height * width).map(|pixel| number(pixel) as u8).collect();
        let labels = vec![Labels { name: "any".into(), classes, values }];
        let data = Dataset::new(height, width, images, labels, BTreeMap::new()).unwrap();
        prop_assert_eq!(load_bytes(&saved(&data).2).unwrap(), data);
    }
}
