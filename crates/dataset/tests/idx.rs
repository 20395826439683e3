//! IDX files: plain, gzipped, damaged, lying; and MNIST itself where HALFLIGHT_DATA has it.

use std::io::Write;
use std::path::{Path, PathBuf};

use dataset::idx::{self, IdxError, IdxOptions};
use dataset::{Dataset, Summary};
use flate2::{Compression, write::GzEncoder};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn file(sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend_from_slice(body);
    bytes
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn images(&self, bytes: &[u8]) -> Result<idx::Images, IdxError> {
        idx::read_images(&self.put("images", bytes))
    }
}

fn read(images: &[u8], labels: &[u8]) -> Result<Dataset, IdxError> {
    let folder = Folder::new();
    idx::read(&folder.put("images", images), &folder.put("labels", labels))
}

#[test]
fn plain_and_gzipped_files_give_the_same_data() {
    let (images, labels) = (file(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]), file(&[2], &[0, 3]));
    let data = read(&images, &labels).unwrap();
    assert_eq!(read(&gzip(&images), &gzip(&labels)).unwrap(), data);
    assert_eq!((data.height(), data.width(), data.image(1)), (1, 3, &[4, 5, 6][..]));
    let digit = data.labels("digit").unwrap();
    assert_eq!((digit.classes.len(), &digit.values[..]), (4, &[0, 3][..]));
}

#[test]
fn rows_and_columns_can_be_exchanged() {
    let folder = Folder::new();
    let images = folder.put("images", &file(&[1, 2, 3], &[1, 2, 3, 4, 5, 6]));
    let labels = folder.put("labels", &file(&[1], &[1]));
    let options = IdxOptions { label: "letter".into(), transpose: true, ..IdxOptions::default() };
    let data = idx::read_with(&images, &labels, &options).unwrap();
    assert_eq!((data.height(), data.width(), data.images()), (3, 2, &[1, 4, 2, 5, 3, 6][..]));
    assert!(data.labels("letter").is_ok());
}

#[test]
fn named_faults_are_named_in_the_message() {
    let good = file(&[2, 1, 3], &[0; 6]);
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("empty", vec![], "truncated"),
        ("cut in the header", good[..9].to_vec(), "truncated"),
        ("cut in the pixels", good[..20].to_vec(), "truncated: 4 of 6"),
        ("one byte too many", [&good[..], &[0]].concat(), "more than the 6 bytes"),
        ("labels for images", file(&[2], &[0, 1]), "begins with [0, 0, 8, 1]"),
        ("floats", [&[0, 0, 13, 3], &good[4..]].concat(), "begins with [0, 0, 13, 3]"),
        ("no rows", file(&[2, 0, 3], &[]), "0x3"),
        ("huge", file(&[u32::MAX, u32::MAX, u32::MAX], &[0; 9]), "more than the file holds"),
        ("huge in gzip", gzip(&file(&[1000, 1000, 1000], &[0; 9])), "more than the file holds"),
        ("cut gzip", gzip(&good)[..24].to_vec(), "truncated"),
        ("a bomb behind the data", gzip(&file(&[2, 1, 3], &vec![0; 50 << 20])), "more than the 6 bytes"),
    ];
    let folder = Folder::new();
    for (name, bytes, expected) in cases {
        let error = folder.images(&bytes).expect_err(name).to_string();
        assert!(error.contains(expected) && error.contains("images"), "{name}: {error}");
    }
    let missing = idx::read_images(Path::new("/nonexistent/idx")).unwrap_err();
    assert!(matches!(missing, IdxError::Io { .. }), "{missing}");
    let unequal = read(&good, &file(&[3], &[0, 1, 2])).unwrap_err();
    assert!(unequal.to_string().contains("has 3 values for 2 images"), "{unequal}");
}

#[test]
fn no_flipped_byte_panics_and_gzip_notices_most() {
    let good = gzip(&file(&[20, 4, 4], &(0..=255).cycle().take(320).collect::<Vec<u8>>()));
    let folder = Folder::new();
    let mut noticed = 0;
    for place in 0..good.len() {
        let mut damaged = good.clone();
        damaged[place] ^= 0x5a;
        noticed += usize::from(folder.images(&damaged).is_err());
    }
    // Time stamp and operating system in the header mean nothing.
    assert!(noticed + 10 >= good.len(), "{noticed} of {}", good.len());
}

#[test]
fn mnist_reads() {
    let Some(data) = std::env::var_os("HALFLIGHT_DATA") else {
        eprintln!("skipped: HALFLIGHT_DATA is unset");
        return;
    };
    let folder = Path::new(&data).join("mnist");
    let data = idx::read(&folder.join("t10k-images-idx3-ubyte.gz"), &folder.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    assert_eq!((data.len(), data.height(), data.width()), (10_000, 28, 28));
    let counts: Vec<usize> = Summary::of(&data).labels[0].classes.iter().map(|class| class.count).collect();
    assert_eq!(counts, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
}
