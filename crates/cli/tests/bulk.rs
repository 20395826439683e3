//! Records to encrypted Parquet to predictions, by the real command; and what is left after it was killed.

mod workshop;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use roles::ModelFolder;
use workshop::Workshop;

/// The furnished workshop with the folder of a model.
fn shop() -> Workshop {
    let shop = Workshop::furnished();
    fs::create_dir_all(shop.path("models/digits")).unwrap();
    for (from, to) in [
        ("compiled.safetensors", "network.safetensors"),
        ("functional.key", "functional.key"),
        ("authority/public/public.key", "public.key"),
    ] {
        fs::copy(shop.path(from), shop.path("models/digits").join(to)).unwrap();
    }
    shop
}

fn read(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".parquet")).collect();
    names.sort();
    names
}

#[test]
fn a_data_set_becomes_ciphertexts_and_predictions_of_single_calls() {
    let shop = shop();
    let encrypt =
        "encrypt --parameters authority/public --data data.safetensors --items 5..29 --rows 10 --parquet sealed";
    let sealed = shop.json(encrypt);
    assert_eq!((sealed["rows"].as_u64(), sealed["errors"].as_u64()), (Some(24), Some(0)), "{sealed}");
    assert_eq!(files(&shop.path("sealed")), ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]);
    // What is there is not encrypted again, and the same files stay.
    let before = fs::read(shop.path("sealed/part-00001.parquet")).unwrap();
    assert_eq!(shop.json(encrypt)["rows_skipped"], 24);
    assert_eq!(fs::read(shop.path("sealed/part-00001.parquet")).unwrap(), before);

    let scored = shop.json("score --input sealed/*.parquet --output scored --model models/digits --note nightly");
    assert_eq!((scored["rows"].as_u64(), scored["errors"].as_u64()), (Some(24), Some(0)), "{scored}");
    let folder = ModelFolder::read(&shop.path("models/digits")).unwrap();
    let table = qfe::LogTable::build(roles::table_bits([&folder.network]), &host::Silent).unwrap();
    let predictor = folder.predictor(table.into()).unwrap();
    let data = dataset::Dataset::load(&shop.path("data.safetensors")).unwrap();
    let mut item = 5;
    for name in files(&shop.path("scored")) {
        let sealed = read(&shop.path("sealed").join(&name));
        let ciphertexts: Vec<Vec<u8>> = sealed
            .iter()
            .flat_map(|batch| batch.column_by_name("ciphertext").unwrap().as_binary::<i64>().iter().flatten())
            .map(<[u8]>::to_vec)
            .collect();
        let mut ciphertexts = ciphertexts.iter();
        for batch in read(&shop.path("scored").join(&name)) {
            let column = |name: &str| batch.column_by_name(name).unwrap();
            for row in 0..batch.num_rows() {
                assert_eq!(column("id").as_primitive::<UInt64Type>().value(row), item as u64);
                let single = predictor.predict_bytes(ciphertexts.next().unwrap()).unwrap();
                let output = column("output").as_fixed_size_list().value(row);
                assert_eq!(output.as_primitive::<Int64Type>().values(), &single.output[..]);
                let chances = column("probabilities").as_fixed_size_list().value(row);
                assert_eq!(chances.as_primitive::<Float32Type>().values(), &single.probabilities[..]);
                assert_eq!(column("label").as_string::<i32>().value(row), single.label);
                assert!(column("error").is_null(row));
                let clear = folder.network.encoder().encode(data.image(item)).unwrap();
                assert_eq!(single.output, folder.network.evaluate(&clear).unwrap());
                item += 1;
            }
        }
    }
    assert_eq!(item, 29);
    let log = fs::read_to_string(shop.path("scored/_jobs.jsonl")).unwrap();
    assert!(log.lines().count() == 1 && log.contains("\"note\":\"nightly\""), "{log}");
}

#[test]
fn a_job_that_is_killed_again_and_again_ends_with_every_row_once() {
    let shop = shop();
    shop.works(
        "encrypt --parameters authority/public --data data.safetensors --items 0..240 --rows 30 --parquet sealed",
    );
    shop.works("score --input sealed --output whole --model models/digits");
    let mut kills = 0;
    for after in 1..8 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_halflight"))
            .args("score --input sealed --output broken --model models/digits".split(' '))
            .current_dir(shop.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // In the middle of the partition after the last one that is there.
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(120) {
            if shop.path("broken").exists() && files(&shop.path("broken")).len() >= after {
                std::thread::sleep(Duration::from_millis(30));
                child.kill().unwrap();
                kills += 1;
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait().unwrap();
    }
    assert!(kills >= 3, "{kills} kills");
    let report = shop.json("score --input sealed --output broken --model models/digits");
    assert_eq!((report["rows"].as_u64(), report["errors"].as_u64()), (Some(240), Some(0)), "{report}");
    assert!(report["rows_skipped"].as_u64() >= Some(90), "{report}");
    assert_eq!(files(&shop.path("whole")), files(&shop.path("broken")));
    let mut ids = Vec::new();
    for name in files(&shop.path("whole")) {
        let bytes = |folder: &str| fs::read(shop.path(folder).join(&name)).unwrap();
        assert_eq!(bytes("whole"), bytes("broken"), "{name}");
        for batch in read(&shop.path("broken").join(&name)) {
            ids.extend(batch.column_by_name("id").unwrap().as_primitive::<UInt64Type>().values().iter().copied());
        }
    }
    assert_eq!(ids, (0..240).collect::<Vec<_>>());
}

/// `HALFLIGHT_BULK_ROWS=1000000` tries as many.
#[test]
fn thousands_of_rows_take_the_memory_of_a_batch_and_a_kill_in_the_middle_costs_none() {
    let shop = shop();
    let each = 500;
    let rows: usize = std::env::var("HALFLIGHT_BULK_ROWS").ok().map_or(2_000, |rows| rows.parse().unwrap());
    let parts = rows.div_ceil(each).max(2);
    let encrypt =
        format!("encrypt --parameters authority/public --data data.safetensors --items 0..{each} --rows {each}");
    shop.works(&format!("{encrypt} --parquet one"));
    shop.works("score --input one --output expected --model models/digits --tables kept");
    let expected = fs::read(shop.path("expected/part-00000.parquet")).unwrap();
    // The same file under many names.
    fs::create_dir(shop.path("sealed")).unwrap();
    for part in 0..parts {
        let name = shop.path("sealed").join(format!("part-{part:05}.parquet"));
        fs::hard_link(shop.path("one/part-00000.parquet"), name).unwrap();
    }
    let score = "score --input sealed --output scored --model models/digits --tables kept --json";
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halflight"));
        let report = fs::File::create(shop.path("report.json")).unwrap();
        command.args(score.split(' ')).current_dir(shop.path("")).stdout(report).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let there = || if shop.path("scored").exists() { files(&shop.path("scored")).len() } else { 0 };
    let mut child = start();
    while there() < parts / 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before half of it was there");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done = there();
    let mut child = start();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let report: serde_json::Value = serde_json::from_slice(&fs::read(shop.path("report.json")).unwrap()).unwrap();
    assert_eq!((report["rows"].as_u64(), report["errors"].as_u64()), (Some((parts * each) as u64), Some(0)));
    assert_eq!(report["rows_skipped"].as_u64(), Some((done * each) as u64), "{report}");
    for name in files(&shop.path("scored")) {
        assert!(fs::read(shop.path("scored").join(&name)).unwrap() == expected, "{name}");
    }
    println!("{parts} files of {each} rows, {} rows a second, {most} kB at most", report["rows_per_second"]);
    assert!(most < 1_000_000, "{most} kB");
}

/// The most memory that a process had so far, in kB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

#[test]
fn a_table_is_read_by_the_schema_of_its_training_data() {
    let shop = shop();
    let mut text = String::from("age,income,kind,other\n");
    for row in 0..120 {
        let kind = if row % 3 == 0 { "yes" } else { "no" };
        text += &format!("{},{},{kind},{}\n", 20 + row % 50, 1000 + 37 * (row % 71), row % 2);
    }
    fs::write(shop.path("people.csv"), text).unwrap();
    for arguments in [
        "dataset import table people.csv --labels kind,other --out people.safetensors",
        "train --data people.safetensors --main kind --collateral other --defence none --outputs 2 --units 4 --steps 60 \
         --batch 40 --out net.safetensors",
        "compile net.safetensors --data people.safetensors --out table.safetensors",
        "authority init --network table.safetensors --folder home",
        "authority issue --folder home --network table.safetensors --out table.key",
    ] {
        shop.works(arguments);
    }
    // Records as an engine has them: numbers of other types, in another order, one of them missing.
    use std::sync::Arc;
    let income = arrow_array::Int64Array::from_iter((0..8).map(|row| (row != 5).then_some(1000 + 37 * row)));
    let age = arrow_array::Float64Array::from_iter_values((0..8).map(|row| f64::from(20 + row)));
    let name = arrow_array::StringArray::from_iter_values((0..8).map(|row| format!("p{row}")));
    let columns: [(&str, arrow_array::ArrayRef); 3] =
        [("income", Arc::new(income)), ("name", Arc::new(name)), ("age", Arc::new(age))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    fs::create_dir(shop.path("records")).unwrap();
    bulk::write_batches(&shop.path("records/a.parquet"), &batch.schema(), &[], [Ok(batch.clone())].into_iter())
        .unwrap();
    let encrypt = "encrypt --parameters home/public --records records --schema people.safetensors --keep name";
    let report = shop.json(&format!("{encrypt} --parquet sealed"));
    assert_eq!((report["rows"].as_u64(), report["errors"].as_u64()), (Some(8), Some(1)), "{report}");
    let sealed = &read(&shop.path("sealed/a.parquet"))[0];
    let names: Vec<_> = sealed.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["name", "ciphertext", "error"], "nothing passes unless it is named");
    assert!(sealed.column(2).as_string::<i32>().value(5).contains("income"));
    // The rows of the data set are these records.
    let network = model::CompiledNetwork::load(&shop.path("table.safetensors")).unwrap();
    let data = dataset::Dataset::load(&shop.path("people.safetensors")).unwrap();
    let key = qfe::FunctionalKey::from_bytes(&fs::read(shop.path("table.key")).unwrap()).unwrap();
    let table = qfe::LogTable::build(roles::table_bits([&network]), &host::Silent).unwrap();
    let predictor = roles::Predictor::new(network.clone(), &key, table.into()).unwrap();
    for row in [0, 3, 7] {
        let found = predictor.predict_bytes(sealed.column(1).as_binary::<i64>().value(row)).unwrap();
        assert_eq!(found.output, network.evaluate(&network.encoder().encode(data.image(row)).unwrap()).unwrap());
    }
    // Records of other columns than the encoder knows.
    shop.refuses(
        "encrypt --parameters home/public --records records --schema data.safetensors --parquet other",
        &["data.safetensors"],
    );
    let failed = shop.run("encrypt --parameters authority/public --records records --column age --parquet other");
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && errors.contains("`age` is Float64"), "{errors}");
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_written() {
    let shop = shop();
    shop.refuses("score --input nowhere/*.parquet --output scored --model models/digits", &["nowhere"]);
    fs::write(shop.path("no.parquet"), "PAR1 and nothing else").unwrap();
    shop.refuses("score --input no.parquet --output scored --model nowhere", &["nowhere"]);
    shop.refuses(
        "encrypt --parameters authority/public --data data.safetensors --sign a.key --out c",
        &["--sign", "--url"],
    );
    shop.refuses(
        "encrypt --parameters authority/public --data data.safetensors --context ward --parquet c",
        &["--context", "--network"],
    );
    shop.refuses("score --input no.parquet --output scored --model models/digits --most-items 3", &["--subject"]);
    let failed = shop.run("score --input no.parquet --output scored --model models/digits");
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && errors.contains("no.parquet"), "{errors}");
    assert!(!shop.path("scored/no.parquet").exists());
}

#[test]
fn envelopes_of_a_known_sender_are_what_a_strict_model_takes() {
    let shop = shop();
    shop.works("keygen --out ward.key");
    let network = roles::hash::Hash(model::CompiledNetwork::load(&shop.path("compiled.safetensors")).unwrap().hash());
    let ward = roles::signature::SigningKey::load(&shop.path("ward.key")).unwrap().verifying_key();
    fs::write(
        shop.path("models/digits/model.toml"),
        format!("require_signature = true\ncontext = \"ward-3\"\n[senders]\nward = \"{ward}\"\n"),
    )
    .unwrap();
    let encrypt = "encrypt --parameters authority/public --data data.safetensors --items 0..3";
    shop.works(&format!("{encrypt} --parquet bare"));
    for context in ["ward-3", "ward-4"] {
        shop.works(&format!("{encrypt} --parquet {context} --network {network} --sign ward.key --context {context}"));
    }
    let errors = |input: &str| {
        let report = shop.json(&format!("score --input {input} --output {input}-out --model models/digits"));
        report["errors"].as_u64().unwrap()
    };
    assert_eq!((errors("bare"), errors("ward-3"), errors("ward-4")), (3, 0, 3));
}
