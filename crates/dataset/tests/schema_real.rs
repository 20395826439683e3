//! Schemas of large and real tables, where those are at hand.

mod sample;

use std::fmt::Write;
use std::path::Path;

use dataset::Summary;
use dataset::import::{TableOptions, TableRules, csv};
use dataset::schema::Missing;
use host::Silent;
use sample::{TRAIN, count, like, read, strings, train};

#[test]
fn a_million_rows_are_read_by_a_schema_in_bounded_memory() {
    let train = train();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.csv");
    let mut text = TRAIN[..TRAIN.find('\n').unwrap() + 1].to_string();
    for row in 0..1_000_000 {
        writeln!(text, "{},{},2020-01-{:02},M,word{},no", row % 90, ["red", "green"][row % 2], row % 28 + 1, row)
            .unwrap();
    }
    std::fs::write(&path, &text).unwrap();
    let imported = csv(&path, &like(&train), false, &Silent).unwrap();
    assert_eq!((imported.data.len(), count(&imported.handled, "colour", "unknown")), (1_000_000, 500_000));
    let mut options = like(&train);
    options.rules.budget = 10 << 20;
    let error = csv(&path, &options, false, &Silent).unwrap_err().to_string();
    assert!(error.contains("bytes that an import may take"), "{error}");
}

#[test]
fn a_summary_of_a_table_tells_kinds_ranges_and_correlations() {
    let table = "a,c,z,y\n1,r,5,0\n2,r,5,0\n9,b,5,1\n10,b,5,1\n,b,5,1\n";
    let rules = TableRules { missing: Some(Missing::Category), ..TableRules::default() };
    let options = TableOptions { labels: strings(&["y"]), rules, ..TableOptions::default() };
    let summary = Summary::of(&read(table, &options).unwrap().data);
    let [a, c, z] = &summary.columns[..] else { panic!("{:?}", summary.columns) };
    assert_eq!((a.kind.as_str(), a.missing, c.kind.as_str(), c.missing), ("numeric", Some(1), "category", Some(0)));
    assert!((a.least.unwrap() - 1.0).abs() < 0.1 && (a.greatest.unwrap() - 10.0).abs() < 0.1);
    // c is y by another name; z is always the same; a nearly tells y.
    assert!((c.labels[0].value - 1.0).abs() < 1e-9 && c.labels[0].measure == "Cramér's V");
    assert_eq!((z.labels[0].value, z.labels[0].measure.as_str()), (0.0, "R²"));
    assert!(a.labels[0].value > 0.9, "{a:?}");
    let text = summary.to_string();
    assert!(text.starts_with("5 rows of 3 columns, 7 features\n") && !text.contains("pixels"), "{text}");
}

/// A file of the optional data, unpacked.
fn optional(name: &str) -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("HALFLIGHT_DATA") else {
        eprintln!("skipped: HALFLIGHT_DATA is not set");
        return None;
    };
    let path = Path::new(&folder).join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&bytes[..]), &mut content)
        .is_ok()
        .then_some(content)
        .or(Some(bytes))
}

#[test]
fn both_files_of_the_census_have_the_same_columns() {
    let (Some(train), Some(test)) = (optional("adult/train.csv.gz"), optional("adult/test.csv.gz")) else { return };
    let features: Vec<String> = "age,workclass,education,education_num,marital_status,occupation,relationship,\
        capital_gain,capital_loss,hours_per_week,native_country"
        .split(',')
        .map(String::from)
        .collect();
    let options = TableOptions {
        labels: strings(&["income", "sex", "race"]),
        features,
        quantile: strings(&["capital_gain", "capital_loss"]),
        rules: TableRules { missing: Some(Missing::Category), ..TableRules::default() },
        ..TableOptions::default()
    };
    let first = read(train, &options).unwrap().data;
    assert_eq!(first.len(), 32_561);
    // Apart they differ: a country is missing, and extremes are others.
    let apart = read(&test, &options).unwrap().data;
    let error = first.check_schema(&apart).unwrap_err().to_string();
    assert!(error.contains("column `native_country=Holand-Netherlands` is missing in the second"), "{error}");
    let second = read(&test, &like(&first)).unwrap();
    assert_eq!(second.data.len(), 16_281);
    first.check_schema(&second.data).unwrap();
    for label in ["income", "sex", "race"] {
        first.check_classes(&second.data, label).unwrap();
    }
    assert_eq!(first.features(), second.data.features());
    // As `grep -c ', ?'` counts them in the file.
    let missing = |column| count(&second.handled, column, "missing");
    assert_eq!((missing("workclass"), missing("occupation"), missing("native_country")), (963, 966, 274));
    assert_eq!(count(&second.handled, "native_country", "unknown"), 0);
}

#[test]
fn vowels_split_by_speaker_have_the_same_columns() {
    let Some(vowels) = optional("vowels/peterson-barney.csv") else { return };
    let vowels = String::from_utf8(vowels).unwrap();
    let header = vowels.lines().next().unwrap();
    let speaker = |line: &&str| line.split(',').nth(2).and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
    let part = |test: bool| -> String {
        let lines = vowels.lines().skip(1).filter(|line| (speaker(line) % 4 == 0) == test);
        std::iter::once(header).chain(lines).map(|line| format!("{line}\n")).collect()
    };
    let options = TableOptions {
        labels: strings(&["Vowel", "Sex", "Type", "Speaker"]),
        features: strings(&["F0", "F1", "F2", "F3"]),
        ..TableOptions::default()
    };
    let first = read(part(false), &options).unwrap().data;
    let error = read(part(true), &like(&first)).unwrap_err().to_string();
    assert!(error.contains("label `Speaker` has no class \"4\" in the schema"), "{error}");
    let mut options = like(&first);
    options.rules.new_classes = strings(&["Speaker"]);
    let second = read(part(true), &options).unwrap().data;
    assert_eq!(first.len() + second.len(), 1520);
    first.check_schema(&second).unwrap();
    for label in ["Vowel", "Sex", "Type"] {
        first.check_classes(&second, label).unwrap();
    }
    assert!(first.check_classes(&second, "Speaker").is_err());
}
