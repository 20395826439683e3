//! A second table is read as the first one was, or refused by name.

mod sample;

use std::fmt::Write;

use dataset::import::{ArrayOptions, ImportError, TableOptions, TableRules, npz};
use dataset::schema::{self, Kind, Missing, Outside, SchemaFileError, Unknown};
use dataset::{Dataset, SchemaError, Summary};
use encoder::{Encoder, EncoderOptions};
use host::Silent;
use sample::{TRAIN, count, like, put, read, row, strings, train, value};

#[test]
fn every_kind_of_column_is_learned_and_kept_in_the_file() {
    let data = train();
    let schema = data.schema().unwrap();
    let kinds: Vec<&str> = schema.columns.iter().map(dataset::schema::Column::kind_name).collect();
    assert_eq!(kinds, ["numeric", "category", "date", "ordinal", "text"]);
    assert!((value(&data, 1, "joined") - 18_272.0).abs() < 0.1);
    assert!((value(&data, 1, "size") - 2.0).abs() < 1e-3);
    assert_eq!((value(&data, 0, "colour=red"), value(&data, 0, "colour=blue")), (1.0, 0.0));
    assert_eq!((value(&data, 3, "note=?"), value(&data, 2, "note=?")), (1.0, 0.0));
    let words =
        |item| -> Vec<bool> { (0..8).map(|place| value(&data, item, &format!("note#{place}")) > 0.5).collect() };
    let fox = words(0).into_iter().zip(words(2)).filter(|&(a, b)| a && b).count();
    assert!(fox >= 1 && words(3) == [false; 8]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.safetensors");
    data.save(&path).unwrap();
    assert_eq!(Dataset::load(&path).unwrap(), data);
    assert_eq!(schema::load(&path).unwrap(), data.whole_schema().unwrap());
    let alone = folder.path().join("schema.json");
    schema::save(&data.whole_schema().unwrap(), &alone).unwrap();
    assert_eq!(schema::load(&alone).unwrap().labels[0].classes, ["no", "yes"]);
}

#[test]
fn a_table_read_like_another_has_its_columns_scales_and_categories() {
    let train = train();
    // Other extremes, one category only, columns in another order, and one more.
    let table = "y,size,age,colour,extra,joined,note\nyes,M,30,blue,9,2020-01-11,the dog\n";
    let imported = read(table, &like(&train)).unwrap();
    assert_eq!(imported.data.image(0)[..4], train.image(1)[..4]);
    assert_eq!(imported.data.labels("y").unwrap().classes, ["no", "yes"]);
    assert_eq!((imported.ignored, imported.data.len()), (strings(&["extra"]), 1));
    train.check_schema(&imported.data).unwrap();
    train.check_classes(&imported.data, "y").unwrap();
    assert_eq!(imported.data.schema_hash(), train.schema_hash());
}

#[test]
fn byte_order_marks_line_ends_quotes_and_separators_change_nothing() {
    let train = train();
    let expected = train.images();
    let quoted = TRAIN.replace("a quick fox", "\"a, quick\nfox\"").replace("red", "\"red\"");
    let semicolons = TRAIN.replace(',', ";");
    let spaced = TRAIN.replace(',', " ,\t ");
    let variants: [(&str, Vec<u8>); 6] = [
        ("mark", [b"\xef\xbb\xbf", TRAIN.as_bytes()].concat()),
        ("CRLF", TRAIN.replace('\n', "\r\n").into_bytes()),
        ("quotes", quoted.into_bytes()),
        ("semicolons", semicolons.into_bytes()),
        ("spaces", spaced.into_bytes()),
        ("no last line end", TRAIN.trim_end().into()),
    ];
    for (name, content) in variants {
        let data = read(content, &like(&train)).unwrap_or_else(|error| panic!("{name}: {error}")).data;
        assert_eq!(data.images(), expected, "{name}");
    }
}

#[test]
fn malformed_second_tables_are_refused_by_name() {
    let train = train();
    let strict = |rules: TableRules| {
        let mut options = like(&train);
        options.rules = TableRules { like: options.rules.like, ..rules };
        options
    };
    let plain = || strict(TableRules::default());
    let refuse = || {
        strict(TableRules { missing: Some(Missing::Refuse), unknown: Some(Unknown::Refuse), ..TableRules::default() })
    };
    let renamed = TRAIN.replace("colour", "color");
    let good = "20,red,2020-01-01,S,x,no";
    let cases = [
        (renamed, plain(), "no column `colour`, which the schema has; its other columns are color"),
        (TRAIN.replace("colour,", "").replace("red,", ""), plain(), "no column `colour`"),
        (TRAIN.replace(",y\n", ",z\n"), plain(), "no label column `y`"),
        (row("old,red,2020-01-01,S,x,no"), plain(), "row 2: `age` is \"old\", not a number"),
        (row("20,red,yesterday,S,x,no"), plain(), "`joined` is \"yesterday\", not a date (ISO 8601"),
        (row("20,red,2020-01-01,S,x,maybe"), plain(), "label `y` has no class \"maybe\" in the schema"),
        (row("20,green,2020-01-01,S,x,no"), refuse(), "`colour` has no category \"green\""),
        (row("20,red,2020-01-01,XL,x,no"), refuse(), "`size` has no category \"XL\""),
        (row(",red,2020-01-01,S,x,no"), refuse(), "`age` is \"\", not a number"),
        (row("20,?,2020-01-01,S,x,no"), refuse(), "`colour` is missing"),
        (row("20,red,2020-01-01,S,x,"), plain(), "a label is missing"),
        (row(good).replace(",y\n", ",y,y\n"), plain(), "two columns `y`"),
        (
            row("99,red,2020-01-01,S,x,no"),
            strict(TableRules { outside: Some(Outside::Refuse), ..TableRules::default() }),
            "`age` is \"99\", outside 20 to 60",
        ),
        (
            row(good),
            TableOptions { texts: strings(&["age"]), ..plain() },
            "`texts` is given: the schema decides that already",
        ),
        (row(good), TableOptions { labels: strings(&["age"]), ..plain() }, "`age` is a feature in the schema"),
        (
            row(good),
            strict(TableRules { new_classes: strings(&["who"]), ..TableRules::default() }),
            "`who` is not a label that may have new classes",
        ),
    ];
    for (table, options, expected) in cases {
        let error = read(&table, &options).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}\nnot: {expected}");
    }
    read(row(good), &plain()).unwrap();
}

#[test]
fn rules_handle_and_count_what_does_not_fit() {
    let train = train();
    let table = row("99,green,2020-01-01,XL,x,no") + ",,,,,yes\n10,red,2020-01-01,M,x,yes\n";
    let imported = read(&table, &like(&train)).unwrap();
    let (data, handled) = (&imported.data, &imported.handled);
    assert_eq!((count(handled, "age", "outside"), count(handled, "age", "missing")), (2, 1));
    assert_eq!((count(handled, "colour", "unknown"), count(handled, "colour", "missing")), (1, 1));
    assert_eq!((count(handled, "size", "unknown"), count(handled, "note", "missing")), (1, 1));
    assert_eq!((value(data, 0, "colour=(other)"), value(data, 0, "colour=red")), (1.0, 0.0));
    assert_eq!((value(data, 1, "age=?"), value(data, 1, "colour=?"), value(data, 0, "age=?")), (1.0, 1.0, 0.0));
    // The middle of 20, 30, 40, 60 is taken above.
    assert!((value(data, 1, "age") - 40.0).abs() < 0.1 && (value(data, 0, "age") - 60.0).abs() < 0.1);

    let mut options = like(&train);
    options.rules.missing = Some(Missing::Median);
    options.rules.unknown = Some(Unknown::Drop);
    options.rules.outside = Some(Outside::Drop);
    let imported =
        read(row(",,2020-01-01,S,x,no") + "30,green,2020-01-01,S,x,no\n99,red,2020-01-01,S,x,no\n", &options);
    let imported = imported.unwrap();
    assert_eq!(imported.data.len(), 1);
    assert_eq!((value(&imported.data, 0, "colour=red"), value(&imported.data, 0, "colour=?")), (1.0, 0.0));
    let filtered: Vec<_> = imported.filtered.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(filtered, [("`age` outside", 1), ("`colour` unknown", 1)]);

    options.rules.missing = Some(Missing::Drop);
    let imported = read(row(",red,2020-01-01,S,x,no") + "30,red,2020-01-01,S,x,\n30,red,2020-01-01,S,x,no\n", &options);
    assert_eq!(imported.unwrap().data.len(), 1);
}

#[test]
fn a_rule_that_wants_a_feature_the_schema_lacks_is_refused() {
    let table = "a,c,y\n1,r,0\n2,b,1\n";
    let data = read(table, &TableOptions { labels: strings(&["y"]), ..TableOptions::default() }).unwrap().data;
    for (missing, unknown, field) in
        [(Some(Missing::Category), None, "missing"), (None, Some(Unknown::Other), "unknown")]
    {
        let mut options = like(&data);
        (options.rules.missing, options.rules.unknown) = (missing, unknown);
        let error = read(table, &options).unwrap_err();
        assert!(matches!(error, ImportError::Option { field: found, .. } if found == field), "{error}");
    }
}

#[test]
fn heavy_tails_are_scaled_by_rank() {
    let rows: String = (1..=1000).fold(String::new(), |mut text, row| {
        writeln!(text, "{},{}", row * row * row, row % 2).unwrap();
        text
    });
    let table = format!("income,y\n{rows}");
    let options = TableOptions { labels: strings(&["y"]), ..TableOptions::default() };
    let plain = read(&table, &options).unwrap().data;
    let ranked = read(&table, &TableOptions { quantile: strings(&["income"]), ..options.clone() }).unwrap().data;
    // The median of a cube is an eighth of its range, and half of its ranks.
    assert!((i32::from(plain.image(500)[0]) - 32).abs() <= 1, "{}", plain.image(500)[0]);
    assert!((i32::from(ranked.image(500)[0]) - 128).abs() <= 2, "{}", ranked.image(500)[0]);
    let again = read("income,y\n125000000,0\n5000000000,0\n", &like(&ranked)).unwrap();
    assert!((i32::from(again.data.image(0)[0]) - 128).abs() <= 2);
    assert_eq!((again.data.image(1)[0], count(&again.handled, "income", "outside")), (255, 1));
    let error = read("a,y\nx,0\nz,1\n", &TableOptions { quantile: strings(&["a"]), ..options }).unwrap_err();
    assert!(error.to_string().contains("no numbers that quantiles could scale"), "{error}");
}

#[test]
fn rare_and_many_categories_go_to_other() {
    let mut table = "c,y\n".to_string();
    for row in 0..300 {
        writeln!(table, "common{},0", row % 3).unwrap();
        writeln!(table, "name{row},1").unwrap();
    }
    let options = TableOptions { labels: strings(&["y"]), categories: 5, rare: 2, ..TableOptions::default() };
    let error = read(&table, &options).unwrap_err().to_string();
    assert!(error.contains("`rare` is 2: say where rare categories go"), "{error}");
    let error = read(&table, &TableOptions { rare: 0, ..options.clone() }).unwrap_err().to_string();
    assert!(error.contains("more than 5 different texts") && error.contains("hash its words"), "{error}");
    let rules = TableRules { unknown: Some(Unknown::Other), ..TableRules::default() };
    let data = read(&table, &TableOptions { rules, ..options }).unwrap().data;
    assert_eq!(data.features().unwrap().names, ["c=common0", "c=common1", "c=common2", "c=(other)"]);
    assert_eq!(data.image(1), [0, 0, 0, 255]);
}

#[test]
fn data_sets_of_other_columns_are_refused_by_name() {
    let options = TableOptions { labels: strings(&["y"]), ..TableOptions::default() };
    let make = |table: &str| read(table, &options).unwrap().data;
    let first = make("age,c,y\n20,r,no\n60,b,yes\n");
    let cases = [
        ("age,c,y\n20,r,no\n60,r,yes\n", "column `c=b` is missing in the second"),
        ("age,c,y\n20,r,no\n60,b,yes\n30,g,no\n", "column `c=g` is missing in the first"),
        ("c,age,y\nr,20,no\nb,60,yes\n", "column `age` is at another place"),
        ("age,c,y\n20,r,no\n50,b,yes\n", "column `age` is scaled from 20 to 60"),
    ];
    for (table, expected) in cases {
        let error = first.check_schema(&make(table)).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("by the schema of the first"), "{error}");
    }
    let other = make("age,c,y\n20,r,no\n60,b,maybe\n");
    first.check_schema(&other).unwrap();
    let error = first.check_classes(&other, "y").unwrap_err().to_string();
    assert!(error.contains("label `y` has other classes: only the second has `maybe`"), "{error}");
    assert!(matches!(first.check_classes(&other, "z"), Err(SchemaError::Label(_))));
    let pictures = Dataset::new(1, 3, vec![0; 6], vec![], Default::default()).unwrap();
    assert!(matches!(first.check_schema(&pictures), Err(SchemaError::Kinds { .. })));
    assert!(matches!(pictures.check_schema(&first), Err(SchemaError::Kinds { .. })));

    let encoder = Encoder::fit(&first, &EncoderOptions::default()).unwrap();
    first.check_encoder(&encoder).unwrap();
    other.check_encoder(&encoder).unwrap();
    let wrong = make("age,c,y\n20,r,no\n50,b,yes\n").check_encoder(&encoder).unwrap_err().to_string();
    assert!(wrong.contains("not those that the encoder was fitted on"), "{wrong}");
    assert!(pictures.check_encoder(&encoder).is_err());
    let stored = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&stored).unwrap(), encoder);
    // An encoder made before schemas existed does not describe columns.
    let old = stored.replace(&format!(",\"schema\":\"{}\"", encoder.schema().unwrap()), "");
    assert!(old != stored && pictures.check_encoder(&serde_json::from_str(&old).unwrap()).is_ok());
    let short = encoder.encode(&[1, 2]).unwrap_err().to_string();
    assert!(short.contains("the row has 2 columns, and this encoder takes 3"), "{short}");
}

#[test]
fn data_sets_of_before_schemas_stay_readable_and_are_compared_by_names_and_scales() {
    let data = train();
    let old = Dataset::new(1, data.width(), data.images().to_vec(), data.columns().to_vec(), Default::default());
    let old = old.unwrap().with_features(data.features().unwrap().clone()).unwrap();
    let (_folder, path) = put("old.safetensors", b"");
    old.save(&path).unwrap();
    let read = Dataset::load(&path).unwrap();
    assert_eq!((&read, read.schema()), (&old, None));
    read.check_schema(&data).unwrap();
    data.check_schema(&read).unwrap();
    assert!(matches!(schema::load(&path), Err(SchemaFileError::None { .. })));
    assert!(Summary::of(&read).columns.iter().all(|column| column.kind == "numeric"));
}

#[test]
fn damaged_schemas_are_refused() {
    let data = train();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("schema.json");
    schema::save(&data.whole_schema().unwrap(), &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let cases = [
        ("\"age\"", "\"colour\"", "two columns `colour`"),
        ("\"blue\"", "\"zebra\"", "categories that are not in ascending order"),
        ("\"version\": 1", "\"version\": 2", "not halflight schema 1"),
        ("\"low\": 20.0", "\"low\": 90.0", "an invalid scale"),
        ("\"columns\": 8", "\"columns\": 99999", "choose from 1 to 4096"),
        ("\"numeric\"", "\"complex\"", "unknown variant `complex`"),
        ("{", "[", "it is not a schema"),
    ];
    for (from, to, expected) in cases {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = schema::load(&path).expect_err(to).to_string();
        assert!(error.contains(expected) && error.contains("schema.json"), "{error}");
    }
    for length in (0..text.len()).step_by(7) {
        std::fs::write(&path, &text[..length]).unwrap();
        assert!(schema::load(&path).is_err(), "{length}");
    }
    // In the file of a data set: a schema that is not that of the columns.
    let path = folder.path().join("data.safetensors");
    data.save(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.windows(14).position(|window| window == br#"\"middle\":40.0"#.get(..14).unwrap()).unwrap();
    bytes[place + 11] = b'x';
    std::fs::write(&path, bytes).unwrap();
    assert!(Dataset::load(&path).unwrap_err().to_string().contains("`schema`"));
}

#[test]
fn arrays_have_schemas_too() {
    const FEATURES: &[u8] = include_bytes!("files/features.npz");
    const PICTURES: &[u8] = include_bytes!("files/pictures.npz");
    let import = |content: &[u8], options: &ArrayOptions| {
        let (_folder, path) = put("arrays.npz", content);
        npz(&path, options, false, &Silent)
    };
    let data = import(FEATURES, &ArrayOptions::default()).unwrap().data;
    assert_eq!(data.schema().unwrap().columns[1].name, "x[1]");
    let rules = TableRules { like: data.whole_schema(), ..TableRules::default() };
    let again = import(FEATURES, &ArrayOptions { rules: rules.clone(), ..ArrayOptions::default() }).unwrap().data;
    assert_eq!(again, data);
    let error = import(PICTURES, &ArrayOptions { rules, ..ArrayOptions::default() }).unwrap_err().to_string();
    assert!(error.contains("holds pictures"), "{error}");
    let ranked = import(FEATURES, &ArrayOptions { quantile: true, ..ArrayOptions::default() }).unwrap().data;
    assert!(
        matches!(&ranked.schema().unwrap().columns[0].kind, Kind::Numeric { scale, .. } if !scale.quantiles.is_empty())
    );
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_table_is_read_by_the_schema_of_another() {
    let (_folder, path) = put("people.parquet", include_bytes!("files/people.parquet"));
    let options = TableOptions {
        labels: strings(&["sex"]),
        rules: TableRules { missing: Some(Missing::Median), ..TableRules::default() },
        ..TableOptions::default()
    };
    let import = |options: &TableOptions| dataset::import::parquet(&path, options, false, &Silent);
    let first = import(&options).unwrap();
    assert_eq!((first.data.len(), count(&first.handled, "age", "missing")), (5, 1));
    assert_eq!(import(&like(&first.data)).unwrap().data, first.data);
}
