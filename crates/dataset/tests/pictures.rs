//! Pictures from folders, by every source of labels, and what is wrong with bad ones.

use std::path::{Path, PathBuf};

use dataset::import::{Crop, ImportError, Imported, LabelSource, PictureOptions, pictures};
use host::Silent;
use image::{GrayImage, Luma, Rgba, RgbaImage};
use proptest::prelude::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn picture(&self, name: &str, grey: u8) {
        GrayImage::from_pixel(8, 8, Luma([grey])).save(self.file(name)).unwrap();
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, labels: &LabelSource, skip_bad: bool) -> Result<Imported, ImportError> {
        let options = PictureOptions { height: 4, width: 4, ..Default::default() };
        pictures(self.path(), labels, &options, skip_bad, &Silent)
    }
}

fn folders(names: &[&str]) -> LabelSource {
    LabelSource::Folders(names.iter().map(|name| name.to_string()).collect())
}

fn classes(imported: &Imported, label: &str) -> Vec<String> {
    let column = imported.data.labels(label).unwrap();
    column.values.iter().map(|&value| column.classes[value as usize].clone()).collect()
}

#[test]
fn folders_are_classes_level_by_level() {
    let folder = Folder::new();
    folder.picture("10/anna/b.png", 30);
    folder.picture("9/anna/a.jpg", 10);
    folder.picture("9/otto/a.bmp", 20);
    folder.write("9/otto/notes.txt", "no picture");
    let imported = folder.import(&folders(&["digit", "writer"]), false).unwrap();
    assert_eq!(classes(&imported, "digit"), ["10", "9", "9"]);
    assert_eq!(imported.data.labels("digit").unwrap().classes, ["9", "10"]);
    assert_eq!(classes(&imported, "writer"), ["anna", "anna", "otto"]);
    assert_eq!(imported.data.image(0), [30; 16]);
    assert_eq!(imported.data.image(2), [20; 16]);
}

#[test]
fn names_are_labels_by_pattern() {
    let folder = Folder::new();
    folder.picture("deep/7_anna-lena_1.png", 1);
    folder.picture("8_otto_2.png", 2);
    let pattern = |text: &str| LabelSource::Pattern(text.into());
    let imported = folder.import(&pattern("{digit}_{writer}_{}.png"), false).unwrap();
    assert_eq!(
        (classes(&imported, "digit"), classes(&imported, "writer")),
        (vec!["8".into(), "7".into()], vec!["otto".into(), "anna-lena".into()])
    );
    let error = folder.import(&pattern("{digit}_{writer}_{x}_{y}.png"), false).unwrap_err().to_string();
    assert!(error.contains("does not match the pattern"), "{error}");
    let imported = folder.import(&pattern("{place}/{digit}_{}.png"), true).unwrap();
    assert_eq!((classes(&imported, "place"), imported.skipped.len()), (vec!["deep".to_string()], 1));
    for bad in ["{a}{b}.png", "{a", "plain.png", "{a}_{a}.png", "{}_{}.png"] {
        assert!(
            matches!(folder.import(&pattern(bad), false), Err(ImportError::Option { field: "pattern", .. })),
            "{bad}"
        );
    }
}

#[test]
fn a_csv_file_labels_the_files_it_names() {
    let folder = Folder::new();
    folder.picture("a.png", 1);
    folder.picture("b.png", 2);
    folder.picture("unnamed.png", 3);
    folder.write("labels.csv", "\u{feff}age,file,\"eye, colour\"\n41,b.png,blue\n7,a.png, brown\n");
    let inferred = LabelSource::infer(folder.path()).unwrap();
    let LabelSource::Csv { file, .. } = &inferred else { panic!("{inferred:?}") };
    assert_eq!(file, "file");
    let imported = folder.import(&inferred, false).unwrap();
    assert_eq!(classes(&imported, "age"), ["41", "7"]);
    assert_eq!(classes(&imported, "eye, colour"), ["blue", "brown"]);
    assert_eq!(imported.data.image(0), [2; 16]);
}

#[test]
fn faults_of_a_csv_file_are_named_with_their_line() {
    let folder = Folder::new();
    folder.picture("a.png", 1);
    let csv =
        |content: &[u8]| LabelSource::Csv { path: folder.write("l.csv", content), file: "file".into(), labels: vec![] };
    let cases: [(&[u8], &str); 9] = [
        (b"file,x\na.png,\n", "l.csv, line 2: a label is missing"),
        (b"file,x\na.png,1\na.png,2\n", "l.csv, line 3: it lists a.png a second time"),
        (b"file,x\n,1\n", "line 2: it names no file"),
        (b"file,x\na.png,\xff\n", "line 2: it is not UTF-8"),
        (b"file,x\nb.png,1\n", "b.png: No such file"),
        (b"file,x\na.png,1,2\n", "l.csv, line 2: it has 3 fields, and the header 2"),
        (b"name,x\na.png,1\n", "no column `file`; choose one of name, x"),
        (b"file,x,x\na.png,1,1\n", "two columns `x`"),
        (b"", "no column `file`"),
    ];
    for (content, expected) in cases {
        let error = folder.import(&csv(content), false).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let imported = folder.import(&csv(b"file,x\na.png,1\nb.png,2\na.png,3\n"), true).unwrap();
    assert_eq!((imported.data.len(), imported.skipped.len()), (1, 2));
}

#[test]
fn a_crop_keeps_the_middle_and_a_stretch_keeps_all() {
    let folder = Folder::new();
    let stripes = GrayImage::from_fn(24, 8, |x, _| Luma([if (8..16).contains(&x) { 200 } else { 0 }]));
    stripes.save(folder.file("a/x.png")).unwrap();
    let import = |crop| {
        let options = PictureOptions { height: 4, width: 4, crop, ..Default::default() };
        pictures(folder.path(), &folders(&["class"]), &options, false, &Silent).unwrap().data
    };
    assert_eq!(import(Crop::Centre).image(0), [200; 16]);
    assert!(import(Crop::Stretch).image(0)[0] < 10);
}

#[test]
fn transparent_parts_are_white_paper() {
    let folder = Folder::new();
    RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0])).save(folder.file("a/x.png")).unwrap();
    assert_eq!(folder.import(&folders(&["class"]), false).unwrap().data.image(0), [255; 16]);
}

#[test]
fn bad_pictures_are_named_or_skipped_and_nothing_is_lost() {
    let folder = Folder::new();
    folder.picture("a/good.png", 5);
    let png = std::fs::read(folder.path().join("a/good.png")).unwrap();
    folder.write("a/cut.png", &png[..png.len() / 2]);
    folder.write("a/empty.jpg", []);
    folder.write("a/text.jpg", "not a picture");
    folder.picture("loose.png", 1);
    // A header of 60,000 x 60,000 pixels.
    let mut bomb = b"P5 60000 60000 255\n".to_vec();
    bomb.extend([0; 100]);
    folder.write("a/bomb.pgm", bomb);
    let imported = folder.import(&folders(&["class"]), true).unwrap();
    assert_eq!(imported.data.len(), 1);
    let skipped: Vec<_> =
        imported.skipped.iter().map(|bad| (bad.place.rsplit('/').next().unwrap(), &bad.reason)).collect();
    let names: Vec<_> = skipped.iter().map(|bad| bad.0).collect();
    assert_eq!(names, ["bomb.pgm", "cut.png", "empty.jpg", "text.jpg", "loose.png"], "{skipped:?}");
    assert!(matches!(folder.import(&folders(&["class"]), false), Err(ImportError::Item { .. })));
}

#[test]
fn nothing_to_import_and_bad_options_are_errors() {
    let folder = Folder::new();
    assert!(matches!(folder.import(&folders(&["class"]), true), Err(ImportError::Nothing { .. })));
    let nowhere = pictures(Path::new("/nonexistent"), &folders(&["x"]), &PictureOptions::default(), true, &Silent);
    assert!(matches!(nowhere, Err(ImportError::Io { .. })));
    let zero = PictureOptions { height: 0, ..Default::default() };
    let zero = pictures(folder.path(), &folders(&["x"]), &zero, true, &Silent);
    assert!(matches!(zero, Err(ImportError::Option { field: "height", .. })));
    folder.picture("a/small.png", 1);
    let large = PictureOptions { smallest: 9, ..Default::default() };
    let error = pictures(folder.path(), &folders(&["x"]), &large, false, &Silent).unwrap_err();
    assert!(error.to_string().contains("8x8 pixels, fewer than the 9x9 required"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_flipped_byte_of_a_picture_panics(place in 0usize..2000, flip in 1u8.., jpeg: bool) {
        let folder = Folder::new();
        let name = if jpeg { "a/x.jpg" } else { "a/x.png" };
        GrayImage::from_fn(40, 30, |x, y| Luma([(x * y) as u8])).save(folder.file(name)).unwrap();
        let mut bytes = std::fs::read(folder.path().join(name)).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= flip;
        folder.write(name, bytes);
        drop(folder.import(&folders(&["class"]), false));
    }

    #[test]
    fn any_size_becomes_the_asked_one(width in 1u32..40, height in 1u32..40, to_width in 1usize..20, to_height in 1usize..20) {
        let folder = Folder::new();
        GrayImage::from_pixel(width, height, Luma([9])).save(folder.file("a/x.png")).unwrap();
        let options = PictureOptions { height: to_height, width: to_width, ..Default::default() };
        let data = pictures(folder.path(), &folders(&["class"]), &options, false, &Silent).unwrap().data;
        prop_assert_eq!(data.image(0), vec![9; to_width * to_height]);
    }
}
