//! Functions and inputs from the fuzzer: all strategies must give the function's value
//! in the clear, or report that it is out of bounds.

use std::sync::{Arc, LazyLock};

use host::Silent;
use qfe::{Encryptor, Evaluator, LogTable, MasterKey, QuadraticMap, Strategy, setup};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const N: usize = 4;
const M: usize = 3;
const BOUND: i64 = 1 << 20;

static TABLE: LazyLock<Arc<LogTable>> =
    LazyLock::new(|| Arc::new(LogTable::build(12, &Silent).expect("12 bits are allowed")));
static KEYS: LazyLock<(MasterKey, Encryptor)> = LazyLock::new(|| {
    let (master, public) = setup(N, M, &mut ChaCha20Rng::seed_from_u64(1)).expect("dimensions are allowed");
    (master, Encryptor::new(&public, &Silent))
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut bytes = data.iter().copied();
    let mut next = || bytes.next().map(|byte| i32::from(byte as i8));
    let (Some(units), Some(outputs), Some(scale)) = (next(), next(), next()) else { return };
    let (units, outputs) = (1 + units.unsigned_abs() as usize % 4, 1 + outputs.unsigned_abs() as usize % 3);
    let scale = if scale < 0 { 1 } else { 1 + 50 * scale };
    let mut weights = |count: usize| -> Option<Vec<i32>> { (0..count).map(|_| next().map(|w| w * scale)).collect() };
    let (Some(left), Some(right), Some(combine)) = (weights(units * N), weights(units * M), weights(outputs * units))
    else {
        return;
    };
    let mut x = |count: usize| -> Vec<i64> { (0..count).map(|_| next().unwrap_or(0).into()).collect() };
    let (u, v) = (x(N), x(M));
    let Ok(map) = QuadraticMap::new(N, M, units, outputs, left, right, combine) else { return };
    let (master, encryptor) = &*KEYS;
    let key = master.issue(&map).expect("dimensions agree");
    let ciphertext = encryptor.encrypt(&u, &v, &mut ChaCha20Rng::seed_from_u64(2)).expect("lengths agree");
    let clear = map.evaluate(&u, &v).expect("small numbers");
    let inside = clear.iter().all(|value| value.unsigned_abs() <= BOUND as u128);
    for strategy in Strategy::ALL {
        let bounds = vec![(-BOUND, BOUND); outputs];
        let Ok(evaluator) = Evaluator::with_strategy(&key, TABLE.clone(), &bounds, strategy) else { continue };
        match evaluator.evaluate(&ciphertext) {
            Ok(found) => assert_eq!(found.iter().map(|&f| i128::from(f)).collect::<Vec<_>>(), clear),
            Err(_) => assert!(!inside),
        }
    }
}
