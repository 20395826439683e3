//! Jobs over files: written completely or not at all, resumed, and untrusted files end only with an error.

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use bulk::{BulkError, EncryptionOptions, Inputs, Job, JobReport, Kernel, ScoringOptions};
use common::{World, ciphertexts, item, records, rows, write};
use host::Silent;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn job(world: &World, input: &str, output: &str) -> Job<'static> {
    Job {
        inputs: Inputs::find(world.path(input).to_str().unwrap()).unwrap(),
        output: world.path(output),
        force: false,
        log: world.path("jobs.jsonl"),
        note: String::new(),
    }
}

fn read(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

/// Three files of records, encrypted into the folder `sealed`.
fn encrypted(world: &World) -> JobReport {
    fs::create_dir_all(world.path("records")).unwrap();
    for part in 0..3 {
        let items: Vec<_> = (part * 20..part * 20 + 20).map(|row| Some(item(row).to_vec())).collect();
        write(&world.path(&format!("records/part-{part}.parquet")), &records(&items));
    }
    job(world, "records", "sealed").run(&world.encryption(EncryptionOptions::default()), &Silent).unwrap()
}

#[test]
fn a_folder_of_records_becomes_one_of_predictions() {
    let world = World::new();
    let report = encrypted(&world);
    assert_eq!((report.rows, report.errors, report.partitions.len()), (60, 0, 3));
    let scoring = world.scoring(ScoringOptions::default());
    let report = job(&world, "sealed/*.parquet", "scored").run(&scoring, &Silent).unwrap();
    assert_eq!((report.rows, report.rows_skipped, report.errors), (60, 0, 0));
    let mut row = 0;
    for part in 0..3 {
        for batch in read(&world.path(&format!("scored/part-{part}.parquet"))) {
            for found in rows(&batch) {
                assert_eq!(found.unwrap().0, world.clear(item(row)));
                row += 1;
            }
        }
    }
    assert_eq!(row, 60);
    let log = fs::read_to_string(world.path("jobs.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[1]["job"], &lines[1]["rows"]), (&"score".into(), &60.into()));
    assert_eq!(lines[1]["network"], roles::hash::Hash(world.network.hash()).to_string());
}

#[test]
fn a_job_is_taken_up_where_it_was_broken_off_and_gives_the_same_bytes() {
    let world = World::new();
    encrypted(&world);
    let options = || ScoringOptions { subject: Some("who".into()), most_items: Some(15), ..ScoringOptions::default() };
    let whole = job(&world, "sealed", "whole").run(&world.scoring(options()), &Silent).unwrap();
    assert_eq!((whole.errors, whole.subjects.unwrap().subjects), (15, 3));
    let broken = job(&world, "sealed", "broken");
    broken.run(&world.scoring(options()), &Silent).unwrap();
    // As if it had been killed before the last two were there, in the middle of one.
    for part in [1, 2] {
        fs::remove_file(world.path(&format!("broken/part-{part}.parquet"))).unwrap();
    }
    fs::write(world.path("broken/.tmpAbc"), "PAR1").unwrap();
    let report = broken.run(&world.scoring(options()), &Silent).unwrap();
    assert_eq!((report.rows, report.rows_skipped, report.errors), (60, 20, 15));
    assert_eq!(report.partitions.iter().map(|part| part.skipped).collect::<Vec<_>>(), [true, false, false]);
    for part in 0..3 {
        let name = format!("part-{part}.parquet");
        let bytes = |folder: &str| fs::read(world.path(folder).join(&name)).unwrap();
        assert_eq!(bytes("whole"), bytes("broken"), "{name}");
    }
}

#[test]
fn partitions_of_another_job_are_neither_taken_nor_replaced() {
    let world = World::new();
    encrypted(&world);
    job(&world, "sealed", "scored").run(&world.scoring(ScoringOptions::default()), &Silent).unwrap();
    let before = fs::read(world.path("scored/part-0.parquet")).unwrap();
    let others = ScoringOptions { prefix: "other_".into(), ..ScoringOptions::default() };
    let refused = job(&world, "sealed", "scored").run(&world.scoring(others.clone()), &Silent).unwrap_err();
    assert!(refused.to_string().contains("belongs to another job"), "{refused}");
    // Other rows in, under the name of the file.
    write(&world.path("sealed/part-1.parquet"), &ciphertexts(&[Some(world.ciphertext([1, 2]))]));
    let refused = job(&world, "sealed", "scored").run(&world.scoring(ScoringOptions::default()), &Silent).unwrap_err();
    assert!(refused.to_string().contains("part-1.parquet") && refused.to_string().contains("input"), "{refused}");
    assert_eq!(fs::read(world.path("scored/part-0.parquet")).unwrap(), before);
    let forced = Job { force: true, ..job(&world, "sealed", "scored") };
    assert_eq!(forced.run(&world.scoring(others), &Silent).unwrap().rows_skipped, 0);
    let into_itself = job(&world, "sealed", "sealed").run(&world.scoring(ScoringOptions::default()), &Silent);
    assert!(into_itself.unwrap_err().to_string().contains("also the input"));
}

#[test]
fn damaged_files_are_errors_and_leave_no_result() {
    let world = World::new();
    encrypted(&world);
    let whole = fs::read(world.path("sealed/part-0.parquet")).unwrap();
    fs::create_dir(world.path("bad")).unwrap();
    let bad = world.path("bad/part-0.parquet");
    let scoring = world.scoring(ScoringOptions::default());
    let run = || job(&world, "bad", "out").run(&scoring, &Silent);
    for length in [0, 3, 8, 12, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        fs::write(&bad, &whole[..length]).unwrap();
        let error = run().unwrap_err();
        assert!(error.to_string().contains("part-0.parquet"), "{length}: {error}");
        assert!(!world.path("out/part-0.parquet").exists());
    }
    // A footer that says it is huge.
    let mut huge = whole.clone();
    let end = huge.len() - 8;
    huge[end..end + 4].copy_from_slice(&0x7fff_fff0_u32.to_le_bytes());
    fs::write(&bad, &huge).unwrap();
    assert!(run().is_err());
    // Bytes anywhere: an error, or rows of which each is right or has a reason.
    for step in 0..60 {
        let mut changed = whole.clone();
        let place = step * whole.len() / 60;
        changed[place] ^= 0x55;
        fs::write(&bad, &changed).unwrap();
        if run().is_ok() {
            let found: Vec<_> = read(&world.path("out/part-0.parquet")).iter().flat_map(rows).collect();
            for (row, found) in found.into_iter().enumerate() {
                assert!(found.is_err() || found.unwrap().0 == world.clear(item(row)), "byte {place}, row {row}");
            }
            fs::remove_file(world.path("out/part-0.parquet")).unwrap();
        }
    }
}

#[test]
fn columns_of_a_wrong_type_are_refused_before_the_first_row() {
    let world = World::new();
    fs::create_dir(world.path("bad")).unwrap();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["no bytes"]));
    for (name, word) in [("ciphertext", "binary"), ("other", "missing")] {
        let batch = RecordBatch::try_from_iter([(name, text.clone())]).unwrap();
        write(&world.path("bad/part.parquet"), &batch);
        let error = job(&world, "bad", "out").run(&world.scoring(ScoringOptions::default()), &Silent).unwrap_err();
        assert!(matches!(error, BulkError::Input { .. }) && error.to_string().contains(word), "{error}");
    }
    // A line for each job, whether it ended well or not.
    let log = fs::read_to_string(world.path("jobs.jsonl")).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("\"failed\":\"")).count(), 2);
}

#[test]
fn nulls_and_ciphertexts_of_another_key_are_rows_with_a_reason() {
    let (world, stranger) = (World::new(), World::new());
    fs::create_dir(world.path("mixed")).unwrap();
    let bytes = [Some(world.ciphertext([1, 2])), None, Some(stranger.ciphertext([1, 2])), Some(b"HLQF".to_vec())];
    write(&world.path("mixed/part.parquet"), &ciphertexts(&bytes));
    let report = job(&world, "mixed", "out").run(&world.scoring(ScoringOptions::default()), &Silent).unwrap();
    assert_eq!((report.rows, report.errors), (4, 3));
    let found: Vec<_> = read(&world.path("out/part.parquet")).iter().flat_map(rows).collect();
    assert_eq!(found[0].as_ref().unwrap().0, world.clear([1, 2]));
    for (row, words) in [(1, "no ciphertext"), (2, "public key"), (3, "cannot be read")] {
        assert!(found[row].as_ref().unwrap_err().contains(words), "{:?}", found[row]);
    }
    // Errors of a partition that is there are counted again.
    let again = job(&world, "mixed", "out").run(&world.scoring(ScoringOptions::default()), &Silent).unwrap();
    assert_eq!((again.rows_skipped, again.errors), (4, 3));
}

#[test]
fn batches_are_bounded_by_bytes() {
    let world = World::new();
    fs::create_dir(world.path("wide")).unwrap();
    let blob = vec![Some(vec![7; 3 << 20]); 12];
    let items: ArrayRef = Arc::new(arrow_array::LargeBinaryArray::from_iter(blob));
    write(&world.path("wide/part.parquet"), &RecordBatch::try_from_iter([("ciphertext", items)]).unwrap());
    let report = job(&world, "wide", "out").run(&Widest(std::sync::Mutex::new(0)), &Silent).unwrap();
    assert_eq!(report.rows, 12);
}

/// 750 bytes became 4 GB: rows of fixed length take it also where they are empty.
#[test]
fn empty_lists_of_fixed_length_do_not_fill_the_memory() {
    let world = World::new();
    fs::create_dir(world.path("lists")).unwrap();
    let path = world.path("lists/part.parquet");
    let put = |length: i32| {
        let item = Arc::new(arrow_schema::Field::new("item", arrow_schema::DataType::Int8, true));
        let lists: ArrayRef = Arc::new(arrow_array::FixedSizeListArray::new_null(item, length, 1));
        let blobs: ArrayRef = Arc::new(arrow_array::LargeBinaryArray::from_iter([Some(b"a")]));
        write(&path, &RecordBatch::try_from_iter([("ciphertext", blobs), ("more", lists)]).unwrap());
        fs::metadata(&path).unwrap().len()
    };
    let run = || job(&world, "lists", "out").run(&world.scoring(ScoringOptions::default()), &Silent);
    assert!(put(70 << 20) < 2000);
    let error = run().unwrap_err().to_string();
    assert!(error.contains("part.parquet") && error.contains("bytes each, more than 67108864"), "{error}");
    put(1 << 10);
    assert_eq!(run().unwrap().rows, 1);
}

/// Takes batches and refuses large ones.
struct Widest(std::sync::Mutex<usize>);

impl Kernel for Widest {
    fn name(&self) -> &'static str {
        "look"
    }

    fn schema(&self, input: &arrow_schema::Schema) -> Result<arrow_schema::SchemaRef, BulkError> {
        Ok(Arc::new(input.clone()))
    }

    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, BulkError> {
        let blobs = batch.column(0).as_binary::<i64>();
        let bytes: usize = (0..blobs.len()).map(|row| blobs.value(row).len()).sum();
        let mut most = self.0.lock().unwrap();
        *most = bytes.max(*most);
        assert!(*most <= 16 << 20, "{most}");
        Ok(batch.clone())
    }

    fn stamp(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn row_bytes(&self) -> usize {
        1
    }
}
