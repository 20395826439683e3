//! Data that people have, through the command: what it understood, what it left out and why.

mod workshop;

use std::fs;
use std::path::Path;

use serde_json::Value;
use workshop::Workshop;

/// Half a second of a tone in 16-bit mono at 8 kHz.
fn tone(frequency: f32) -> Vec<u8> {
    let samples = (0..4000).map(|place| (place as f32 * frequency * std::f32::consts::TAU / 8000.0).sin());
    let data: Vec<u8> = samples.flat_map(|value| ((value * 12_000.0) as i16).to_le_bytes()).collect();
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + data.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend([8000u32.to_le_bytes(), 16_000u32.to_le_bytes()].concat());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((data.len() as u32).to_le_bytes());
    [wav, data].concat()
}

/// A grey picture of 16 × 16 pixels, light on the left up to a column.
fn picture(light: u8) -> Vec<u8> {
    let pixels = (0..256).map(|place| if place % 16 < u32::from(light) { 230 } else { 20 });
    [b"P5 16 16 255\n".to_vec(), pixels.collect()].concat()
}

fn put(shop: &Workshop, name: &str, content: impl AsRef<[u8]>) {
    let path = shop.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// `(file name, reason)` of everything skipped.
fn skipped(imported: &Value) -> Vec<(String, String)> {
    let items = imported["skipped"]["items"].as_array().unwrap();
    assert_eq!(imported["skipped"]["count"], items.len());
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let name = |place: String| Path::new(&place).file_name().unwrap().to_string_lossy().into_owned();
    items.iter().map(|item| (name(text(&item["place"])), text(&item["reason"]))).collect()
}

fn expect(found: &[(String, String)], expected: &[(&str, &str)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((place, reason), (file, words)) in found.iter().zip(expected) {
        assert!(place.contains(file) && reason.contains(words), "{place}: {reason}; expected {file}: {words}");
    }
}

#[test]
fn speech_from_recordings_to_a_split_by_speaker() {
    let shop = Workshop::empty();
    for (word, frequency) in [("yes", 500.0), ("no", 1500.0)] {
        for (speaker, factor) in [("anna", 1.0), ("ben", 1.2), ("cleo", 1.4)] {
            for index in 0..2 {
                let name = format!("words/{word}_{speaker}_{index}.wav");
                put(&shop, &name, tone(frequency * factor + 20.0 * index as f32));
            }
        }
    }
    let guessed = shop.json("dataset import speech words --out guessed.safetensors");
    assert_eq!(guessed["labels"], serde_json::json!(["main", "collateral", "index"]));
    assert!(guessed["understood"].as_str().unwrap().contains("{main}_{collateral}_{index}.wav"), "{guessed}");

    let imported = shop.json(
        "dataset import speech words --pattern {word}_{speaker}_{index}.wav --bands 12 --frames 8 --augment 2 \
         --out words.safetensors",
    );
    assert_eq!((&imported["items"], &imported["height"], &imported["width"]), (&36.into(), &12.into(), &8.into()));
    assert_eq!(imported["labels"], serde_json::json!(["word", "speaker", "index", "copy"]));
    let derived = "dataset derive words.safetensors --from speaker --label accent --out accents.safetensors";
    shop.refuses(&format!("{derived} --classes anna=north,ben=south"), &["words.safetensors", "speaker", "cleo"]);
    shop.works(&format!("{derived} --classes anna=north,ben=south,cleo=south"));

    let split = "dataset split accents.safetensors --rest train.safetensors --held test.safetensors";
    let divided = shop.json(&format!("{split} --by speaker --hold cleo"));
    assert_eq!((&divided["rest"]["items"], &divided["held"]["items"]), (&24.into(), &12.into()));
    let held = shop.json("dataset show test.safetensors");
    let speakers = held["labels"].as_array().unwrap().iter().find(|label| label["name"] == "speaker").unwrap();
    assert_eq!(speakers["classes"][0]["count"], 0);
    shop.refuses(&format!("{split} --by speaker --hold cleo"), &["train.safetensors", "--force"]);
    let split = format!("{split} --force");
    let divided = shop.json(&format!("{split} --by index --hold 0..1"));
    assert_eq!(divided["held"]["items"], 18);
    let divided = shop.json(&format!("{split} --share 0.25 --balance word,copy"));
    assert_eq!(divided["held"]["items"], 9);
    shop.refuses(&format!("{split} --by voice --hold cleo"), &["voice", "speaker"]);
    shop.refuses(&format!("{split} --by speaker --hold dora"), &["dora", "anna"]);
    shop.refuses(&format!("{split} --by index --hold 0..2"), &["--rest", "no item"]);
    shop.refuses(&split, &["--by"]);
}

#[test]
fn bad_recordings_are_listed_or_end_the_import() {
    let shop = Workshop::empty();
    let good = tone(700.0);
    put(&shop, "r/a_x_0.wav", &good);
    put(&shop, "r/b_x_0.wav", &good[..300]);
    let mut lying = good.clone();
    lying[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    put(&shop, "r/c_x_0.wav", lying);
    put(&shop, "r/d_x_0.wav", b"");
    put(&shop, "r/e_x_0.wav", [&good[..44], &vec![0; good.len() - 44][..]].concat());
    put(&shop, "r/f.wav", &good);
    let import = "dataset import speech r --pattern {word}_{speaker}_{}.wav --out r.safetensors";
    let imported = shop.json(&format!("{import} --skip-bad"));
    assert_eq!(imported["items"], 1);
    expect(
        &skipped(&imported),
        &[
            ("b_x_0.wav", "not a readable WAV"),
            ("c_x_0.wav", "not a readable WAV"),
            ("d_x_0.wav", "not a readable WAV"),
            ("e_x_0.wav", "silent"),
            ("f.wav", "does not match the pattern"),
        ],
    );
    let text = shop.works(&format!("{import} --skip-bad --force"));
    assert!(text.contains("skipped: 5") && text.contains("e_x_0.wav: it is silent"), "{text}");
    fs::remove_file(shop.path("r.safetensors")).unwrap();
    shop.refuses(import, &[".wav", "--skip-bad"]);
    shop.refuses("dataset import speech r --pattern {word}.mp3 --skip-bad --out s", &["no item could be imported"]);
    shop.refuses("dataset import speech r --pattern {word --out s", &["pattern", "close every brace"]);
    shop.refuses("dataset import speech nowhere --folders word --out s", &["nowhere", "check the path"]);
}

#[test]
fn pictures_from_folders_and_from_a_list() {
    let shop = Workshop::empty();
    for (class, light) in [("bright", 12), ("dark", 4)] {
        for index in 0..3 {
            put(&shop, &format!("p/{class}/anna/{index}.pgm"), picture(light + index));
        }
    }
    let imported = shop.json("dataset import pictures p --folders light,writer --height 8 --width 8 --out a");
    assert_eq!((&imported["items"], &imported["skipped"]["count"]), (&6.into(), &0.into()));
    assert_eq!(imported["classes"][0]["classes"][0]["name"], "bright");

    // PNM, JPEG and PNG whose headers promise more than there is, and more than memory.
    put(&shop, "l/good.pgm", picture(5));
    put(&shop, "l/cut.pgm", &picture(5)[..100]);
    put(&shop, "l/bomb.pgm", b"P5 60000 60000 255\n0");
    put(
        &shop,
        "l/bomb.jpg",
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9",
    );
    put(&shop, "l/text.png", b"not a picture at all");
    let list = "name;who\ngood.pgm;anna\ncut.pgm;anna\nbomb.pgm;ben\nbomb.jpg;ben\ntext.png;ben\ngood.pgm;ben\n\
                good.pgm\n;anna\nother.pgm;anna\nmissing-label.pgm;\n";
    put(&shop, "l/list.csv", [list.as_bytes(), b"\xff\xfe.pgm;anna\n"].concat());
    let import = "dataset import pictures l --csv l/list.csv --file-column name --out l.safetensors";
    shop.refuses(import, &["cut.pgm", "--skip-bad"]);
    let imported = shop.json(&format!("{import} --skip-bad"));
    assert_eq!(imported["items"], 1);
    expect(
        &skipped(&imported),
        &[
            ("cut.pgm", "not a readable picture"),
            ("bomb.pgm", ""),
            ("bomb.jpg", ""),
            ("text.png", "not a readable picture"),
            ("line 7", "good.pgm a second time"),
            ("line 8", "1 fields, and the header 2"),
            ("line 9", "names no file"),
            ("other.pgm", "No such file"),
            ("line 11", "label is missing"),
            ("line 12", "not UTF-8"),
        ],
    );
    shop.refuses(&format!("{} --force", import.replace("name", "path")), &["no column `path`", "name, who"]);
}

#[test]
fn faces_of_both_collections() {
    let shop = Workshop::empty();
    for name in ["25_0_2_20170116.jpg", "61_1_0_20170117.jpg", "250_1_0_1.jpg", "30_5_0_1.jpg"] {
        put(&shop, &format!("utk/{name}"), picture(8));
    }
    let imported = shop.json("dataset import faces utk --size 8 --ages 0,30,60 --skip-bad --out utk.safetensors");
    assert_eq!(imported["labels"], serde_json::json!(["age", "gender", "race"]));
    assert_eq!(imported["items"], 2);
    expect(&skipped(&imported), &[("250_1_0_1.jpg", "age is 250"), ("30_5_0_1.jpg", "gender is 5")]);
    shop.refuses("dataset import faces utk --ages 20,10 --out r", &["ages", "ascending"]);

    put(&shop, "wiki/wiki.mat", include_bytes!("../../dataset/tests/files/wiki.mat"));
    for name in ["01/a.jpg", "02/b.jpg", "03/ü.jpg", "04/d.jpg"] {
        put(&shop, &format!("wiki/{name}"), picture(8));
    }
    let imported = shop.json("dataset import faces wiki/wiki.mat --size 8 --with-second --out wiki.safetensors");
    assert_eq!((&imported["items"], &imported["filtered"]["score too low"]), (&2.into(), &1.into()));
    fs::remove_file(shop.path("wiki/02/b.jpg")).unwrap();
    let import = "dataset import faces wiki/wiki.mat --size 8 --with-second --out again.safetensors";
    shop.refuses(import, &["b.jpg", "--skip-bad"]);
    shop.damaged("wiki/wiki.mat", "wiki/cut.mat", |bytes| bytes.truncate(300));
    shop.refuses("dataset import faces wiki/cut.mat --out r", &["cut.mat"]);
}

#[test]
fn tables_of_every_kind_and_damage() {
    let shop = Workshop::empty();
    let rows = "age;colour;sex\n20;red;f\n40;blue;m\n;red;f\n30;red;\n35;red\n";
    put(&shop, "t.csv", rows);
    let import = "dataset import table t.csv --labels sex --out t.safetensors";
    shop.refuses(import, &["t.csv, row 4", "`age`", "--skip-bad"]);
    let imported = shop.json(&format!("{import} --skip-bad"));
    assert_eq!(imported["features"], serde_json::json!(["age", "colour=blue", "colour=red"]));
    expect(
        &skipped(&imported),
        &[("row 4", "not a number"), ("row 5", "label is missing"), ("row 6", "2 fields, and the header 3")],
    );
    let wide: Vec<u8> = rows.encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(&shop, "wide.csv", [b"\xff\xfe".to_vec(), wide].concat());
    shop.refuses("dataset import table wide.csv --labels sex --out r", &["wide.csv", "UTF-16"]);
    let endless = "1,\"2\n".to_string() + &"3,4\n".repeat(5 << 20);
    put(&shop, "quote.csv", "a,y\n1,2\n".to_string() + &endless);
    shop.refuses("dataset import table quote.csv --labels y --out r", &["quote.csv", "unclosed quote"]);
    shop.refuses("dataset import table t.csv --out r", &["labels", "at least one column"]);
    put(&shop, "t.xlsx", "");
    shop.refuses("dataset import table t.xlsx --labels a --out r", &["t.xlsx", ".csv"]);

    put(&shop, "a.npz", include_bytes!("../../dataset/tests/files/features.npz"));
    assert_eq!(shop.json("dataset import table a.npz --labels y --out a.safetensors")["items"], 3);
    shop.damaged("a.npz", "cut.npz", |bytes| bytes.truncate(bytes.len() / 2));
    shop.refuses("dataset import table cut.npz --out r", &["cut.npz", "not a readable NumPy archive"]);

    put(&shop, "p.parquet", include_bytes!("../../dataset/tests/files/people.parquet"));
    let import = "dataset import table p.parquet --labels sex --skip-bad";
    if cfg!(feature = "parquet") {
        assert_eq!(shop.json(&format!("{import} --out p.safetensors"))["items"], 4);
        shop.damaged("p.parquet", "p2.parquet", |bytes| bytes.truncate(200));
        shop.refuses("dataset import table p2.parquet --labels sex --out r", &["p2.parquet", "not a readable Parquet"]);
    } else {
        shop.refuses(&format!("{import} --out r"), &["p.parquet", "--features parquet"]);
    }
}

/// Rows of a made table: `income` follows from `hours` and `school`, `sex` from `hours`.
fn people(rows: usize, start: usize, town: &str) -> String {
    let mut text = "age,town,school,joined,hours,income,sex\n".to_string();
    for row in start..start + rows {
        let chance = |salt: usize, below: usize| (row * 7919 + salt * 104_729) / 31 % below;
        let sex = chance(1, 5) < 3;
        let hours = 20 + chance(2, 25) + 6 * usize::from(sex);
        let school = ["none", "basic", "high"][chance(3, 3)];
        let income = hours + 12 * chance(3, 3) + chance(4, 10) > 48;
        let age = if chance(5, 20) == 0 { "?".into() } else { (18 + chance(6, 50)).to_string() };
        let town = if chance(7, 20) == 0 { town } else { ["Ulm", "Jena"][chance(8, 2)] };
        let joined = format!("20{}-{:02}-01", 10 + chance(9, 9), 1 + chance(10, 12));
        let (income, sex) = (if income { "high" } else { "low" }, if sex { "m" } else { "f" });
        text += &format!("{age},{town},{school},{joined},{hours},{income},{sex}\n");
    }
    text
}

#[test]
fn a_second_table_meets_the_first_only_by_its_schema() {
    let shop = Workshop::empty();
    put(&shop, "train.csv", people(600, 0, "Gera"));
    put(&shop, "test.csv", people(300, 600, "Suhl"));
    let import = "dataset import table train.csv --labels income,sex --ordinal school=none<basic<high \
                  --missing category --unknown other --rare 2";
    let first = shop.json(&format!("{import} --out train.safetensors"));
    assert_eq!(first["columns"][3], serde_json::json!({ "name": "joined", "kind": "date" }));
    let refused = ["row", "label `income` has no class"];
    put(&shop, "class.csv", people(9, 0, "Ulm").replace("low", "middling"));
    shop.refuses("dataset import table class.csv --like train.safetensors --out r", &refused);
    shop.refuses("dataset import table train.csv --like train.safetensors --texts age --out r", &["`texts`", "schema"]);
    shop.refuses("dataset import table train.csv --like train.csv --out r", &["train.csv", "dataset schema"]);

    let second = shop.json("dataset import table test.csv --like train.safetensors --out test.safetensors");
    let handled = second["handled"].as_array().unwrap();
    assert!(handled.iter().any(|one| one["column"] == "town" && one["what"] == "unknown"), "{handled:?}");
    let text = shop.works("dataset show test.safetensors");
    assert!(
        text.contains("300 rows of 5 columns") && text.contains("Cramér's V") && !text.contains("pixels"),
        "{text}"
    );
    assert_eq!(shop.json("dataset show test.safetensors")["columns"][0]["kind"], "numeric");

    shop.works("dataset schema train.safetensors --out schema.json");
    let unlabelled: String = people(300, 600, "Suhl")
        .lines()
        .fold(String::new(), |text, line| text + &line.split(',').take(5).collect::<Vec<_>>().join(",") + "\n");
    put(&shop, "mine.csv", unlabelled);
    shop.refuses(
        "dataset import table mine.csv --like schema.json --out r",
        &["no label column `income`", "--unlabelled"],
    );
    shop.works("dataset import table mine.csv --like schema.json --unlabelled --out mine.safetensors");

    // Imported apart: other towns and other scales.
    shop.works(
        "dataset import table test.csv --labels income,sex --missing category --unknown other --out apart.safetensors",
    );
    let train = "train --data train.safetensors --main income --collateral sex --defence none --outputs 2 --units 4 \
                 --steps 20 --batch 100";
    let apart = ["train.safetensors and apart.safetensors do not fit", "column `town=Gera` is missing in the second"];
    shop.refuses(&format!("{train} --validation apart.safetensors --out r"), &apart);
    shop.works(&format!("{train} --validation test.safetensors --out network.safetensors"));
    shop.refuses("compile network.safetensors --data apart.safetensors --out r", &["apart.safetensors", "--like"]);
    shop.refuses(
        "compile network.safetensors --data train.safetensors --validation apart.safetensors --out r",
        &["column `town=Gera`"],
    );
    shop.works("compile network.safetensors --data train.safetensors --steps 4 --out compiled.safetensors");
    let audit = "audit compiled.safetensors --main income --collateral sex --families qda --train train.safetensors";
    shop.refuses(&format!("{audit} --test apart.safetensors"), &["apart.safetensors", "--like"]);
    shop.works(&format!("{audit} --test test.safetensors"));
    let baseline = "baseline --train train.safetensors --label income --families qda --test";
    shop.refuses(&format!("{baseline} apart.safetensors"), &["column `town=Gera`"]);
    shop.refuses("check compiled.safetensors --data apart.safetensors --items 0..2", &["apart.safetensors", "--like"]);
    shop.works("authority init --network compiled.safetensors --folder authority");
    let encrypt = "encrypt --parameters authority/public --items 0..2 --out";
    shop.refuses(&format!("{encrypt} r --data apart.safetensors"), &["apart.safetensors", "schema", "--like"]);
    shop.works(&format!("{encrypt} ciphertexts --data mine.safetensors"));
}

#[test]
fn an_import_keeps_to_the_memory_that_it_may_take() {
    let shop = Workshop::empty();
    put(&shop, "t.csv", "a,y\n".to_string() + &"1,0\n".repeat(400_000));
    let import = "dataset import table t.csv --labels y --out t.safetensors";
    shop.refuses(&format!("{import} --memory 1MB"), &["t.csv", "1048576 bytes", "--memory"]);
    shop.refuses(&format!("{import} --memory lots"), &["lots", "512MB"]);
    assert_eq!(shop.json(&format!("{import} --memory 64MB"))["items"], 400_000);
}

#[test]
fn words_by_espeak_where_it_is_installed() {
    let shop = Workshop::empty();
    let speak = "dataset synthesise --words yes,no --voices en-us,en-gb-scotland --variants m1,f2";
    shop.refuses(&format!("{speak} --espeak nowhere/espeak --out r"), &["nowhere/espeak", "install espeak-ng"]);
    shop.refuses(&format!("{speak} --takes 0 --out r"), &["takes", "1 to"]);
    if std::process::Command::new("espeak-ng").arg("--version").output().is_err() {
        eprintln!("skipped: espeak-ng is not installed");
        return;
    }
    let spoken = shop.json(&format!("{speak} --takes 2 --keep wav --seed 3 --out words.safetensors"));
    assert_eq!(
        (&spoken["items"], &spoken["labels"]),
        (&16.into(), &serde_json::json!(["word", "accent", "speaker", "take"]))
    );
    shop.works(&format!("{speak} --takes 2 --seed 3 --out again.safetensors"));
    assert!(fs::read(shop.path("words.safetensors")).unwrap() == fs::read(shop.path("again.safetensors")).unwrap());
    assert_eq!(shop.json("dataset import speech wav --out listed.safetensors")["items"], 16);
    let speak = speak.replace("en-us,", "xx-nowhere,");
    shop.refuses(&format!("{speak} --out r"), &["xx-nowhere", "espeak-ng --voices"]);
}
