//! UTKFace names and IMDB-WIKI descriptions, as SciPy's writer makes them, sound and damaged.

use std::path::{Path, PathBuf};

use dataset::import::{FaceOptions, ImportError, Imported, PictureOptions, imdb_faces, utk_faces};
use host::Silent;
use image::{GrayImage, Luma};

const PLAIN: &[u8] = include_bytes!("files/wiki-plain.mat");
const COMPRESSED: &[u8] = include_bytes!("files/wiki.mat");

fn options() -> FaceOptions {
    FaceOptions { picture: PictureOptions { height: 4, width: 4, ..Default::default() }, ..Default::default() }
}

fn picture(path: PathBuf) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_fn(16, 16, |x, y| Luma([if (4..10).contains(&x) && (4..10).contains(&y) { 250 } else { 10 }]))
        .save(path)
        .unwrap();
}

/// Four faces: born 1981 taken 2009 male; born 1925 taken 1964 female with a second face; no face
/// found; born 1962 taken 1961.
fn wiki(description: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["01/a.jpg", "02/b.jpg", "03/ü.jpg", "04/d.jpg"] {
        picture(folder.path().join(name));
    }
    let path = folder.path().join("wiki.mat");
    std::fs::write(&path, description).unwrap();
    (folder, path)
}

fn import(path: &Path, options: &FaceOptions) -> Result<Imported, ImportError> {
    imdb_faces(path, options, false, &Silent)
}

fn classes(imported: &Imported, label: &str) -> Vec<String> {
    let column = imported.data.labels(label).unwrap();
    column.values.iter().map(|&value| column.classes[value as usize].clone()).collect()
}

#[test]
fn descriptions_of_scipy_are_read_plain_and_compressed() {
    for description in [PLAIN, COMPRESSED] {
        let (_folder, path) = wiki(description);
        let imported = import(&path, &options()).unwrap();
        assert_eq!(
            (classes(&imported, "age"), classes(&imported, "gender")),
            (vec!["20-29".into()], vec!["male".into()])
        );
        let reasons: Vec<_> = imported.filtered.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
        assert_eq!(reasons, [("age impossible", 1), ("score too low", 1), ("second face", 1)]);
        let all = import(&path, &FaceOptions { single: false, ..options() }).unwrap();
        assert_eq!(classes(&all, "age"), ["20-29", "30-39"]);
        assert_eq!(classes(&all, "gender"), ["male", "female"]);
    }
}

#[test]
fn faces_are_cut_out_of_whole_pictures() {
    let (_folder, path) = wiki(PLAIN);
    let whole = import(&path, &options()).unwrap();
    let cut = import(&path, &FaceOptions { locate: Some(0.0), ..options() }).unwrap();
    let mean = |imported: &Imported| imported.data.image(0).iter().map(|&byte| u32::from(byte)).sum::<u32>() / 16;
    // The bright 6×6 square lies within the 10×10 face.
    assert!(mean(&cut) > mean(&whole) + 30, "{} {}", mean(&cut), mean(&whole));
}

#[test]
fn a_missing_picture_is_named() {
    let (folder, path) = wiki(PLAIN);
    std::fs::remove_file(folder.path().join("01/a.jpg")).unwrap();
    let error = import(&path, &options()).unwrap_err().to_string();
    assert!(error.contains("01/a.jpg"), "{error}");
}

#[test]
fn named_faults_of_a_description_are_named() {
    let mut big_endian = PLAIN.to_vec();
    big_endian[124..128].copy_from_slice(&[1, 0, b'M', b'I']);
    let mut renamed = PLAIN.to_vec();
    let place = renamed.windows(9).position(|window| window == b"full_path").unwrap();
    renamed[place] = b'F';
    let cases = [
        (vec![], "too short"),
        (vec![b'x'; 200], "not a MATLAB file"),
        ([b"MATLAB 7.3 MAT-file".to_vec(), vec![0; 200]].concat(), "version 7.3"),
        (big_endian, "big-endian"),
        (PLAIN[..700].to_vec(), "truncated"),
        (COMPRESSED[..300].to_vec(), "truncated"),
        (renamed, "no structure with a field `full_path`"),
    ];
    for (bytes, expected) in cases {
        let (_folder, path) = wiki(&bytes);
        let error = import(&path, &options()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("wiki.mat"), "{error}");
    }
}

#[test]
fn no_flipped_byte_of_a_description_panics() {
    let (_folder, path) = wiki(PLAIN);
    for description in [PLAIN, COMPRESSED] {
        for place in (0..description.len()).step_by(3) {
            let mut bytes = description.to_vec();
            bytes[place] ^= [1, 0x80, 0xff][place / 3 % 3];
            std::fs::write(&path, bytes).unwrap();
            drop(import(&path, &options()));
        }
    }
}

#[test]
fn names_of_utkface_are_labels() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["26_1_2_20170116174525125.jpg.chip.jpg", "101_0_4_2017.jpg", "61_1_2017.jpg", "300_0_0_1.jpg", "5_3_0_1.jpg"]
    {
        picture(folder.path().join(name));
    }
    let imported = utk_faces(folder.path(), &options(), true, &Silent).unwrap();
    assert_eq!(classes(&imported, "age"), ["60+", "20-29"]);
    assert_eq!(classes(&imported, "gender"), ["male", "female"]);
    assert_eq!(classes(&imported, "race"), ["Others", "Asian"]);
    let reasons: Vec<&str> = imported.skipped.iter().map(|bad| bad.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["its age is 300", "its gender is 3", "its name does not match the pattern {age}_{gender}_{race}_{}.jpg"]
    );
    assert!(matches!(utk_faces(folder.path(), &options(), false, &Silent), Err(ImportError::Item { .. })));
}

#[test]
fn bad_options_are_named() {
    let (_folder, path) = wiki(PLAIN);
    for ages in [vec![], vec![1, 5], vec![0, 9, 9], vec![0, 500]] {
        let error = import(&path, &FaceOptions { ages, ..options() }).unwrap_err();
        assert!(matches!(error, ImportError::Option { field: "ages", .. }), "{error}");
    }
    let locate = FaceOptions { locate: Some(f64::NAN), ..options() };
    assert!(matches!(import(&path, &locate), Err(ImportError::Option { field: "locate", .. })));
}
