//! Different ways to the same result: strategies, batches, constant time.

use std::sync::Arc;

use host::Silent;
use qfe::{
    Ciphertext, Encryptor, Evaluator, LogTable, QuadraticMap, Strategy, WireError, encrypt_constant_time, setup,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

fn case() -> (QuadraticMap, Vec<i64>, Vec<i64>) {
    let weights = |count: usize, step: i32| -> Vec<i32> { (0..count as i32).map(|k| k * step % 9 - 4).collect() };
    let map = QuadraticMap::new(12, 9, 5, 2, weights(60, 7), weights(45, 5), weights(10, 4)).unwrap();
    (map, (0..12).map(|k| k % 5 - 2).collect(), (0..9).map(|k| k % 4).collect())
}

#[test]
fn all_strategies_agree() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (map, u, v) = case();
    let (master, public) = setup(12, 9, &mut rng).unwrap();
    let key = master.issue(&map).unwrap();
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let ciphertext = Encryptor::new(&public, &Silent).encrypt(&u, &v, &mut rng).unwrap();
    let expected: Vec<i64> = map.evaluate(&u, &v).unwrap().iter().map(|&e| e as i64).collect();
    let bounds = [(-60_000, 60_000); 2];
    for strategy in Strategy::ALL {
        let evaluator = Evaluator::with_strategy(&key, table.clone(), &bounds, strategy).unwrap();
        assert_eq!(evaluator.plan().strategy(), strategy);
        assert_eq!(evaluator.evaluate(&ciphertext).unwrap(), expected);
    }
    let chosen = Evaluator::new(&key, table, &bounds).unwrap();
    let costs: Vec<f64> = chosen.plan().candidates().iter().map(|c| c.1.field_muls).collect();
    assert!(costs.is_sorted() && costs[0] == chosen.plan().field_muls());
    assert_eq!(chosen.plan().lines().len(), costs.len());
}

#[test]
fn dense_functions_of_one_output_are_not_projected_on_both_sides() {
    let (master, _) = setup(20, 20, &mut ChaCha20Rng::seed_from_u64(2)).unwrap();
    let identity = (0..400).map(|k| i32::from(k / 20 == k % 20)).collect();
    let full = (0..400).map(|k| k * 7 % 31 - 15).collect();
    let map = QuadraticMap::new(20, 20, 20, 1, identity, full, vec![1; 20]).unwrap();
    let key = master.issue(&map).unwrap();
    let table = Arc::new(LogTable::build(8, &Silent).unwrap());
    let evaluator = Evaluator::new(&key, table, &[(-100, 100)]).unwrap();
    assert_ne!(evaluator.plan().strategy(), Strategy::Combine);
}

#[test]
fn constant_time_encryption_opens_to_the_same() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (map, u, v) = case();
    let (master, public) = setup(12, 9, &mut rng).unwrap();
    let key = master.issue(&map).unwrap();
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let evaluator = Evaluator::new(&key, table, &[(-60_000, 60_000); 2]).unwrap();
    // The same randomness gives the same ciphertext, whatever the method.
    let slow = encrypt_constant_time(&public, &u, &v, &mut ChaCha20Rng::seed_from_u64(4)).unwrap();
    let fast = Encryptor::new(&public, &Silent);
    let fast = fast.encrypt(&u, &v, &mut ChaCha20Rng::seed_from_u64(4)).unwrap();
    assert!(slow == fast);
    assert!(evaluator.evaluate(&slow).is_ok());
    assert!(encrypt_constant_time(&public, &u[1..], &v, &mut rng).is_err());
    let extreme = [i64::MIN, i64::MAX, 0, 256, -257, 65_536, 1, -1, 255, -255, 3, 4];
    let slow = encrypt_constant_time(&public, &extreme, &v, &mut ChaCha20Rng::seed_from_u64(5)).unwrap();
    let fast = Encryptor::new(&public, &Silent);
    assert!(slow == fast.encrypt(&extreme, &v, &mut ChaCha20Rng::seed_from_u64(5)).unwrap());
}

#[test]
fn batches_do_what_single_calls_do() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let (map, u, v) = case();
    let (master, public) = setup(12, 9, &mut rng).unwrap();
    let key = master.issue(&map).unwrap();
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let evaluator = Evaluator::new(&key, table, &[(-60_000, 60_000); 2]).unwrap();
    let encryptor = Encryptor::new(&public, &Silent);
    let inputs = vec![(u.clone(), v.clone()), (u[1..].to_vec(), v.clone()), (vec![0; 12], v.clone())];
    let encrypted = encryptor.encrypt_batch(&inputs, &mut rng);
    assert!(encrypted[1].is_err());
    let ciphertexts: Vec<Ciphertext> = encrypted.into_iter().flatten().collect();
    let outputs = evaluator.evaluate_batch(&ciphertexts);
    assert_eq!(outputs[0].as_ref().unwrap()[0] as i128, map.evaluate(&u, &v).unwrap()[0]);
    assert_eq!(*outputs[1].as_ref().unwrap(), [0, 0]);
    let encoded: Vec<Vec<u8>> = ciphertexts.iter().map(Ciphertext::to_bytes).collect();
    let damaged = encoded[0][..100].to_vec();
    let read = Ciphertext::from_bytes_batch(&[&encoded[0], &damaged, &encoded[1]]);
    assert!(read[0].as_ref().unwrap() == &ciphertexts[0] && read[2].as_ref().unwrap() == &ciphertexts[1]);
    assert!(matches!(read[1], Err(WireError::Length { .. })));
}
