//! The kernel gives what single calls give, in order, and a bad row spoils no other.

mod common;

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Int64Builder, ListBuilder, UInt8Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use bulk::{BulkError, EncryptionOptions, Model, ScoringOptions, Sealing};
use common::{World, ciphertexts, fixed, item, records, rows};
use host::Silent;
use proptest::prelude::*;
use roles::clock;
use roles::envelope::Destination;
use roles::grant::{Grant, GrantFile};
use roles::hash::Hash;
use roles::signature::SigningKey;
use sha2::{Digest, Sha256};

/// What a predictor says of one ciphertext, as the kernel says it.
fn single(world: &World, bytes: &[u8]) -> common::Row {
    let model = world.model();
    let found = model.predictor().predict_bytes(bytes).map_err(|error| error.to_string())?;
    Ok((found.output, found.label, found.probabilities))
}

#[test]
fn records_go_in_and_predictions_come_out_in_order() {
    let world = World::new();
    let items: Vec<_> = (0..100).map(|row| Some(item(row).to_vec())).collect();
    let encrypted = world.encryption(EncryptionOptions::default()).encrypt(&records(&items)).unwrap();
    let names: Vec<_> = encrypted.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "who", "ciphertext", "error"]);
    let scored = world.scoring(ScoringOptions::default()).score(&encrypted).unwrap();
    let names: Vec<_> = scored.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "who", "output", "label", "probabilities", "error"]);
    let bytes = encrypted.column_by_name("ciphertext").unwrap().as_binary::<i64>();
    for (row, found) in rows(&scored).into_iter().enumerate() {
        assert_eq!(found, single(&world, bytes.value(row)), "row {row}");
        assert_eq!(found.unwrap().0, world.clear(item(row)), "row {row}");
        assert_eq!(scored.column(0).as_primitive::<Int64Type>().value(row), row as i64);
    }
}

/// (0, 2) is on the curve and has order 3; sealed anew.
fn outside(bytes: &[u8], point: usize) -> Vec<u8> {
    let mut forged = bytes[..bytes.len() - 32].to_vec();
    let x4 = "0a989badd40d6212b33cffc3f3763e9bc760f988c9926b26da9dd85e928483446346b8ed00e1de5d5ea93e354abe706c";
    let y: Vec<u8> = (0..48).map(|place| u8::from_str_radix(&x4[2 * place..2 * place + 2], 16).unwrap()).collect();
    let start = 68 + 96 * point;
    forged[start..start + 96].fill(0);
    forged[start + 47] = 4;
    forged[start + 48..start + 96].copy_from_slice(&y);
    let checksum = Sha256::digest(&forged);
    forged.extend_from_slice(&checksum);
    forged
}

#[test]
fn forgeries_are_found_among_many_and_named_one_by_one() {
    let world = World::new();
    let good: Vec<Vec<u8>> = (0..40).map(|row| world.ciphertext(item(row))).collect();
    let mut all: Vec<Option<Vec<u8>>> = good.iter().cloned().map(Some).collect();
    for (row, point) in [(0, 0), (17, 1), (18, 4), (39, 2)] {
        all[row] = Some(outside(&good[row], point));
    }
    let found = rows(&world.scoring(ScoringOptions::default()).score(&ciphertexts(&all)).unwrap());
    for (row, found) in found.into_iter().enumerate() {
        if [0, 17, 18, 39].contains(&row) {
            let reason = found.unwrap_err();
            assert!(reason.contains("outside the prime-order subgroup"), "row {row}: {reason}");
        } else {
            assert_eq!(found.unwrap().0, world.clear(item(row)), "row {row}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is done to some rows, each says what a single call says, and the others are as they were.
    #[test]
    fn a_batch_is_its_rows(
        pixels in proptest::collection::vec(any::<[u8; 2]>(), 1..12),
        harm in proptest::collection::vec((0usize..12, 0u8..6, any::<u16>()), 0..6),
        kind in 0..3,
    ) {
        let world = World::new();
        let stranger = World::new();
        let mut bytes: Vec<Option<Vec<u8>>> = pixels.iter().map(|&pixels| Some(world.ciphertext(pixels))).collect();
        for &(row, what, at) in harm.iter().filter(|harm| harm.0 < pixels.len()) {
            let whole = world.ciphertext(pixels[row]);
            let at = usize::from(at) % whole.len();
            bytes[row] = match what {
                0 => None,
                1 => Some(whole[..at].to_vec()),
                2 => Some(whole.iter().enumerate().map(|(place, &byte)| byte ^ u8::from(place == at)).collect()),
                3 => Some(stranger.ciphertext(pixels[row])),
                4 => Some(outside(&whole, at % 5)),
                _ => Some(Vec::new()),
            };
        }
        let batch = ciphertexts(&bytes);
        // Engines write binary columns in several ways.
        let all: Vec<Vec<u8>> = bytes.iter().flatten().cloned().collect();
        let batch = if kind == 1 && all.len() == bytes.len() && all.iter().all(|bytes| bytes.len() == all[0].len()) {
            RecordBatch::try_from_iter([("ciphertext", fixed(&all))]).unwrap()
        } else {
            batch
        };
        let scored = world.scoring(ScoringOptions::default()).score(&batch).unwrap();
        prop_assert_eq!(scored.num_rows(), bytes.len());
        for (row, (found, bytes)) in rows(&scored).into_iter().zip(&bytes).enumerate() {
            let Some(bytes) = bytes else {
                prop_assert_eq!(found.unwrap_err(), "it has no ciphertext");
                continue;
            };
            match (found, single(&world, bytes)) {
                (Ok(found), Ok(expected)) => {
                    prop_assert_eq!(&found, &expected);
                    prop_assert_eq!(found.0, world.clear(pixels[row]));
                }
                (Err(reason), Err(_)) => prop_assert!(!reason.is_empty()),
                (found, expected) => prop_assert!(false, "row {}: {:?}, alone {:?}", row, found, expected),
            }
        }
    }
}

#[test]
fn bad_records_have_a_reason_and_no_ciphertext() {
    let world = World::new();
    let items = [Some(vec![1, 2]), None, Some(vec![1, 2, 3]), Some(vec![5, 6])];
    let encrypted = world.encryption(EncryptionOptions::default()).encrypt(&records(&items)).unwrap();
    let errors = encrypted.column_by_name("error").unwrap().as_string::<i32>();
    assert_eq!((errors.is_null(0), errors.value(1)), (true, "it has no item"));
    let found = rows(&world.scoring(ScoringOptions::default()).score(&encrypted).unwrap());
    assert_eq!(found[3].as_ref().unwrap().0, world.clear([5, 6]));
    assert_eq!(found[1].as_ref().unwrap_err(), "not encrypted: it has no item");
    assert!(found[2].as_ref().unwrap_err().starts_with("not encrypted: "), "{:?}", found[2]);
}

#[test]
fn items_may_be_lists_of_numbers() {
    let world = World::new();
    let mut fixed = FixedSizeListBuilder::new(UInt8Builder::new(), 2);
    let mut lists = ListBuilder::new(Int64Builder::new());
    for values in [[3, 4], [255, 0], [256, 1], [-1, 1]] {
        values.iter().for_each(|&value| fixed.values().append_value(value.clamp(0, 255) as u8));
        fixed.append(true);
        lists.values().append_slice(&values);
        lists.append(true);
    }
    let columns: [ArrayRef; 2] = [Arc::new(fixed.finish()), Arc::new(lists.finish())];
    for (column, good) in columns.into_iter().zip([4, 2]) {
        let batch = RecordBatch::try_from_iter([("item", column)]).unwrap();
        let encrypted = world.encryption(EncryptionOptions::default()).encrypt(&batch).unwrap();
        let found = rows(&world.scoring(ScoringOptions::default()).score(&encrypted).unwrap());
        assert_eq!(found[0].as_ref().unwrap().0, world.clear([3, 4]));
        assert_eq!(found.iter().filter(|row| row.is_ok()).count(), good);
        if good == 2 {
            assert!(found[3].as_ref().unwrap_err().contains("not a whole number from 0 to 255"));
        }
    }
}

#[test]
fn items_of_a_subject_are_counted_over_batches_of_a_run() {
    let world = World::new();
    let items: Vec<_> = (0..9).map(|row| Some(item(row).to_vec())).collect();
    let encrypted = world.encryption(EncryptionOptions::default()).encrypt(&records(&items)).unwrap();
    let options = || ScoringOptions { subject: Some("who".into()), most_items: Some(4), ..ScoringOptions::default() };
    let scoring = world.scoring(options());
    // Three people, three items each: the first batch has all of them, the second goes beyond.
    assert!(rows(&scoring.score(&encrypted).unwrap()).iter().all(Result::is_ok));
    let second = rows(&scoring.score(&encrypted).unwrap());
    assert_eq!(second.iter().filter(|row| row.is_ok()).count(), 3);
    assert!(second[3].as_ref().unwrap_err().contains("item 5 of its subject"), "{:?}", second[3]);
    // Another run counts anew.
    assert!(rows(&world.scoring(options()).score(&encrypted).unwrap()).iter().all(Result::is_ok));
}

#[test]
fn columns_in_the_way_are_refused_and_a_prefix_helps() {
    let world = World::new();
    let bytes = world.ciphertext([1, 2]);
    let label: ArrayRef = Arc::new(StringArray::from(vec!["mine"]));
    let batch = RecordBatch::try_from_iter([("ciphertext", fixed(&[bytes])), ("label", label)]).unwrap();
    let refused = world.scoring(ScoringOptions::default()).score(&batch);
    assert!(matches!(refused, Err(BulkError::Column { ref column, .. }) if column == "label"), "{refused:?}");
    let options = ScoringOptions { prefix: "predicted_".into(), ..ScoringOptions::default() };
    let scored = world.scoring(options).score(&batch).unwrap();
    assert!(scored.column_by_name("predicted_output").is_some() && scored.column_by_name("label").is_some());
    let none = ScoringOptions { ciphertext: "label".into(), ..ScoringOptions::default() };
    assert!(world.scoring(none).score(&batch).unwrap_err().to_string().contains("binary"));
}

fn grant(world: &World, expires: i64) -> Vec<u8> {
    let grant = Grant {
        project: "main".into(),
        epoch: 1,
        public_key: Hash(*world.authority.published().key().id().as_bytes()),
        network: Hash(world.network.hash()),
        holder: "ward-3".into(),
        rank: 2,
        bits: 30.0,
        expires: Some(expires),
        approved_by: Vec::new(),
        policy: Hash([3; 32]),
        by: "the command line".into(),
        part: None,
    };
    GrantFile::sign(grant, 3, Hash([4; 32]), &SigningKey::generate().unwrap()).to_bytes()
}

#[test]
fn a_grant_that_has_expired_is_refused_before_any_row() {
    let world = World::new();
    let batch = ciphertexts(&[Some(world.ciphertext([1, 2]))]);
    world.files(Some(grant(&world, clock::now() + 3600))).write(&world.model_folder()).unwrap();
    assert!(rows(&world.scoring(ScoringOptions::default()).score(&batch).unwrap())[0].is_ok());
    world.files(Some(grant(&world, clock::now() - 10))).write(&world.model_folder()).unwrap();
    let refused = world.scoring(ScoringOptions::default()).score(&batch);
    assert!(matches!(refused, Err(BulkError::Expired(_))), "{refused:?}");
}

#[test]
fn a_model_is_opened_once_for_as_long_as_its_files_stay() {
    let world = World::new();
    let first = world.model();
    assert!(Arc::ptr_eq(&first, &world.model()));
    world.files(Some(grant(&world, clock::now() + 3600))).write(&world.model_folder()).unwrap();
    assert!(!Arc::ptr_eq(&first, &world.model()));
    assert!(Model::open(&world.path("nowhere"), None, &Silent).is_err());
}

#[test]
fn a_model_that_demands_signatures_demands_them_here() {
    let world = World::new();
    let (known, stranger) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let options =
        format!("require_signature = true\nrecipient = \"north\"\n[senders]\nward = \"{}\"\n", known.verifying_key());
    std::fs::write(world.model_folder().join("model.toml"), options).unwrap();
    let network = Hash(world.network.hash());
    let sealed = |signer: Option<SigningKey>, recipient: &str| {
        let destination = Some(Destination { network, recipient: recipient.into() });
        let sealing = Some(Sealing { destination, context: String::new(), signer });
        let options = EncryptionOptions { sealing, ..EncryptionOptions::default() };
        let encrypted = world.encryption(options).encrypt(&records(&[Some(vec![1, 2])])).unwrap();
        rows(&world.scoring(ScoringOptions::default()).score(&encrypted).unwrap()).remove(0)
    };
    assert_eq!(sealed(Some(known), "north").unwrap().0, world.clear([1, 2]));
    assert!(sealed(Some(stranger), "north").unwrap_err().contains("not known"));
    assert!(sealed(None, "north").unwrap_err().contains("signed envelopes only"));
    let bare = ciphertexts(&[Some(world.ciphertext([1, 2]))]);
    let found = rows(&world.scoring(ScoringOptions::default()).score(&bare).unwrap());
    assert!(found[0].as_ref().unwrap_err().contains("signed envelopes only"), "{found:?}");
}
