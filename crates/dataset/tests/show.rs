//! The embedded handwriting, contact sheets and summaries.

use std::collections::BTreeMap;

use dataset::draw::{DrawSpec, Generator};
use dataset::sheet::{self, SheetError, SheetOptions};
use dataset::{Dataset, Labels, Summary, handwriting};
use encoder::{Encoder, EncoderOptions};
use host::Silent;

#[test]
fn handwriting_has_the_known_counts() {
    let data = handwriting::digits();
    assert_eq!((data.len(), data.height(), data.width()), (1797, 8, 8));
    let summary = Summary::of(&data);
    let counts: Vec<usize> = summary.labels[0].classes.iter().map(|class| class.count).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert_eq!(summary.labels[1].classes[1].count, 178 + 181 + 174 + 180);
    // First image of the set: a zero, first row 0 0 5 13 9 1 0 0 of 16.
    assert_eq!(data.image(0)[..8], [0, 0, 79, 207, 143, 15, 0, 0]);
    assert_eq!(data.labels("digit").unwrap().values[..3], [0, 1, 2]);
    assert!(data.images().contains(&255));
}

#[test]
fn handwriting_can_be_encoded() {
    let data = handwriting::digits();
    let encoder = Encoder::fit(&data, &EncoderOptions { low: -1.5, high: 2.5, ..Default::default() }).unwrap();
    assert!(encoder.features() <= 64);
    assert!(encoder.encode(data.image(5)).is_ok());
}

#[test]
fn a_summary_tells_what_one_label_gives_away_of_another() {
    let summary = Summary::of(&handwriting::digits());
    let floor = |known: &str, guessed: &str| {
        let mut all = summary.associations.iter();
        all.find(|pair| pair.known == known && pair.guessed == guessed).unwrap().clone()
    };
    assert_eq!(floor("digit", "loop").informed, 100.0);
    assert!((floor("digit", "loop").blind - 100.0 * 1084.0 / 1797.0).abs() < 1e-9);
    assert!(floor("loop", "digit").informed < 25.0);
    let json = serde_json::to_string(&summary).unwrap();
    // Percentages may lose their last bit in JSON.
    let read: Summary = serde_json::from_str(&json).unwrap();
    assert_eq!((&read.labels, read.to_string()), (&summary.labels, summary.to_string()));
    let text = summary.to_string();
    assert!(text.contains("1797 images of 8x8") && text.contains("digit: 10 classes"), "{text}");
}

#[test]
fn a_sheet_is_a_png_with_a_row_for_each_combination() {
    let data = Generator::new(&DrawSpec::default()).unwrap().draw(600, 1, &Silent);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sheet.png");
    sheet::write(&data, &path, &SheetOptions::default()).unwrap();
    let picture = image::open(&path).unwrap().to_luma8();
    assert_eq!(picture.height(), 4 + 20 * 32);
    let dark = picture.pixels().filter(|pixel| pixel.0[0] < 20).count();
    assert!(dark > 100_000, "{dark}");
}

#[test]
fn sheets_of_odd_data_sets_have_their_answers() {
    let unlabelled = Dataset::new(2, 5, vec![7; 100], vec![], BTreeMap::new()).unwrap();
    assert!(sheet::png(&unlabelled, &SheetOptions::default()).is_ok());
    let name = "a name \n longer than any row of any sheet should ever be, 漢字 and all".to_string();
    let labels = vec![Labels { name: "x".into(), classes: vec![name], values: vec![0; 10] }];
    let labelled = Dataset::new(2, 5, vec![7; 100], labels, BTreeMap::new()).unwrap();
    assert!(sheet::png(&labelled, &SheetOptions::default()).is_ok());
    let fails = |data: &Dataset, options| sheet::png(data, &options).unwrap_err();
    assert!(matches!(fails(&unlabelled.subset(&[]), SheetOptions::default()), SheetError::Empty));
    assert!(matches!(fails(&unlabelled, SheetOptions { columns: 0, rows: 1 }), SheetError::Field { .. }));
    let large = Dataset::new(8000, 8000, vec![0; 2 * 8000 * 8000], vec![], BTreeMap::new()).unwrap();
    assert!(matches!(fails(&large, SheetOptions::default()), SheetError::Large { .. }));
    let nowhere = sheet::write(&unlabelled, "/nonexistent/x.png".as_ref(), &SheetOptions::default()).unwrap_err();
    assert!(nowhere.to_string().contains("/nonexistent/x.png"), "{nowhere}");
}
