//! Batches give what single calls give, with randomness of their own for every item, and name the item that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoder::Encoder;
use host::{Progress, Silent};
use model::{CompiledNetwork, ImportOptions, Inputs, IntegerMatrix, Integers};
use qfe::LogTable;
use roles::keyfile::{Lock, Unlock, load_master_key};
use roles::{Authority, IssueError, Owner, Predictor, table_bits};

#[derive(Default)]
struct Counter(AtomicU64);

impl Progress for Counter {
    fn begin(&self, _: u64) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn advance(&self, steps: u64) {
        self.0.fetch_add(steps, Ordering::Relaxed);
    }
}

/// Pixels x, y: x·y + x and y.
fn network() -> CompiledNetwork {
    let matrix =
        |values: &[i32], columns| IntegerMatrix { shape: (values.len() / columns, columns), values: values.to_vec() };
    let integers = Integers {
        left: matrix(&[0, 1, 0, 1, 0, 0], 3),
        right: Some(matrix(&[1, 0, 1, 0, 0, 1], 3)),
        combine: matrix(&[1, 0, 0, 1], 2),
    };
    let encoder = Encoder::pixels(1, 2, 8).unwrap();
    let options = ImportOptions { inputs: Inputs::Encoder(Box::new(encoder)), ..ImportOptions::default() };
    CompiledNetwork::from_integers(integers, &options).unwrap()
}

#[test]
fn batches_are_single_calls_over_all_cores() {
    let network = network();
    let authority = Authority::setup(network.encoder().clone()).unwrap();
    let key = authority.issue(&network).unwrap();
    let table = Arc::new(LogTable::build(table_bits([&network]), &Silent).unwrap());
    let predictor = Predictor::new(network, &key, table).unwrap();
    let items: Vec<[u8; 2]> = (0..50).map(|item| [item, 7 * (item % 30)]).collect();
    let slices: Vec<&[u8]> = items.iter().map(<[u8; 2]>::as_slice).collect();
    for owner in [Owner::new(authority.published(), &Silent), Owner::constant_time(authority.published())] {
        let counter = Counter::default();
        let ciphertexts: Vec<_> = owner.encrypt_all(&slices, &counter).unwrap().into_iter().map(Arc::new).collect();
        assert_eq!(counter.0.load(Ordering::Relaxed), 50);
        let outputs = predictor.evaluate_all(&ciphertexts, &counter).unwrap();
        assert_eq!(counter.0.load(Ordering::Relaxed), 50);
        for (item, output) in items.iter().zip(&outputs) {
            let [x, y] = item.map(i64::from);
            assert_eq!(output, &[x * y + x, y]);
        }
        // Equal items, other ciphertexts.
        let again = owner.encrypt_all(&slices[..1], &Silent).unwrap();
        assert!(again[0] != *ciphertexts[0]);
    }
}

#[test]
fn the_item_that_fails_is_named() {
    let network = network();
    let (authority, stranger) =
        (Authority::setup(network.encoder().clone()).unwrap(), Authority::setup(network.encoder().clone()).unwrap());
    let owner = Owner::new(authority.published(), &Silent);
    let error = owner.encrypt_all(&[&[1, 2], &[1, 2, 3], &[4]], &Silent).unwrap_err();
    assert!(error.item == 1 && error.to_string().starts_with("item 1: "), "{error}");
    let key = authority.issue(&network).unwrap();
    let table = Arc::new(LogTable::build(16, &Silent).unwrap());
    let predictor = Predictor::new(network, &key, table).unwrap();
    let mut mixed: Vec<_> = owner.encrypt_all(&[&[1, 2], &[3, 4]], &Silent).unwrap();
    mixed.extend(Owner::new(stranger.published(), &Silent).encrypt_all(&[&[1, 2]], &Silent).unwrap());
    let mixed: Vec<_> = mixed.into_iter().map(Arc::new).collect();
    let error = predictor.evaluate_all(&mixed, &Silent).unwrap_err();
    assert_eq!(error.item, 2);
}

#[test]
fn a_kept_master_key_opens_its_own_publication_only() {
    let network = network();
    let authority = Authority::setup(network.encoder().clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.age");
    let (identity, recipient) = Unlock::generate_identity();
    authority.save_master(&path, &Lock::recipient(&recipient).unwrap()).unwrap();
    let read = || load_master_key(&path, &identity).unwrap();
    let again = Authority::open(read(), authority.published().clone()).unwrap();
    assert!(again.issue(&network).is_ok());
    let stranger = Authority::setup(network.encoder().clone()).unwrap();
    let refused = Authority::open(read(), stranger.published().clone());
    assert!(matches!(refused, Err(IssueError::PublicKey { .. })));
}
