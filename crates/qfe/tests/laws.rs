//! The laws of the scheme on random maps and inputs.

use std::sync::{Arc, LazyLock};

use host::Silent;
use proptest::prelude::*;
use qfe::{
    Ciphertext, Encoding, Encryptor, EvaluateError, Evaluator, FunctionalKey, LogTable, Mask, MasterKey, PublicKey,
    QuadraticMap, WireError, ciphertext_size, setup,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

static TABLE: LazyLock<Arc<LogTable>> = LazyLock::new(|| Arc::new(LogTable::build(12, &Silent).unwrap()));

/// A map with weights below `most` in absolute value, zeros included.
fn map(n: usize, m: usize, units: usize, outputs: usize, most: i32) -> impl Strategy<Value = QuadraticMap> {
    let weights = move |count| proptest::collection::vec(-most..=most, count);
    (weights(units * n), weights(units * m), weights(outputs * units))
        .prop_map(move |(left, right, combine)| QuadraticMap::new(n, m, units, outputs, left, right, combine).unwrap())
}

fn case() -> impl Strategy<Value = (QuadraticMap, Vec<i64>, Vec<i64>, u64)> {
    (1usize..24, 1usize..24, 1usize..5, 1usize..4, 1i32..140).prop_flat_map(|(n, m, units, outputs, most)| {
        (
            map(n, m, units, outputs, most),
            proptest::collection::vec(-3i64..=3, n),
            proptest::collection::vec(-3i64..=3, m),
            any::<u64>(),
        )
    })
}

fn open(key: &FunctionalKey, c: &Ciphertext, expected: &[i128]) -> Result<Vec<i64>, EvaluateError> {
    let bounds: Vec<(i64, i64)> = expected.iter().map(|&e| (e as i64 - 5000, e as i64 + 4000)).collect();
    Evaluator::new(key, TABLE.clone(), &bounds)?.evaluate(c)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn decryption_gives_the_function((map, u, v, seed) in case()) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (n, m) = map.inputs();
        let (master, public) = setup(n, m, &mut rng).unwrap();
        let key = master.issue(&map).unwrap();
        let encryptor = Encryptor::new(&public, &Silent);
        let ciphertext = encryptor.encrypt(&u, &v, &mut rng).unwrap();
        let expected = map.evaluate(&u, &v).unwrap();
        let outputs = open(&key, &ciphertext, &expected).unwrap();
        prop_assert_eq!(outputs.iter().map(|&o| i128::from(o)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_object_survives_its_encoding((map, u, v, seed) in case()) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (n, m) = map.inputs();
        let (master, public) = setup(n, m, &mut rng).unwrap();
        let key = master.issue(&map).unwrap();
        let encryptor = Encryptor::new(&public, &Silent);
        let ciphertext = encryptor.encrypt(&u, &v, &mut rng).unwrap();
        prop_assert_eq!(ciphertext_size(n, m), ciphertext.to_bytes().len());
        let mask = encryptor.draw_mask(&mut rng).to_bytes();
        prop_assert!(Mask::from_bytes(&mask).unwrap().to_bytes() == mask);
        let again = MasterKey::from_bytes(&master.to_bytes()).unwrap();
        prop_assert!(again.to_bytes() == master.to_bytes());
        prop_assert_eq!(master.encoded_size(), master.to_bytes().len());
        for encoding in [Encoding::Uncompressed, Encoding::Compressed] {
            let bytes = public.encode(encoding);
            prop_assert_eq!(bytes.len(), public.encoded_size(encoding));
            prop_assert!(PublicKey::from_bytes(&bytes).unwrap() == public);
            let bytes = key.encode(encoding);
            prop_assert_eq!(bytes.len(), key.encoded_size(encoding));
            prop_assert!(FunctionalKey::from_bytes(&bytes).unwrap() == key);
            let bytes = ciphertext.encode(encoding);
            prop_assert_eq!(bytes.len(), ciphertext.encoded_size(encoding));
            prop_assert!(Ciphertext::from_bytes(&bytes).unwrap() == ciphertext);
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error(place in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<prop::sample::Index>()) {
        static BYTES: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
            let mut rng = ChaCha20Rng::seed_from_u64(3);
            let (master, public) = setup(2, 3, &mut rng).unwrap();
            let map = QuadraticMap::new(2, 3, 1, 1, vec![1, 2], vec![3, 4, 5], vec![1]).unwrap();
            let key = master.issue(&map).unwrap();
            let ciphertext = Encryptor::new(&public, &Silent)
                .encrypt(&[1, 2], &[3, 4, 5], &mut rng).unwrap();
            [public.to_bytes(), master.to_bytes().to_vec(), key.to_bytes(), ciphertext.to_bytes()]
        });
        let read = |kind: usize, bytes: &[u8]| -> Option<WireError> {
            match kind {
                0 => PublicKey::from_bytes(bytes).err(),
                1 => MasterKey::from_bytes(bytes).err(),
                2 => FunctionalKey::from_bytes(bytes).err(),
                _ => Ciphertext::from_bytes(bytes).err(),
            }
        };
        for (kind, bytes) in BYTES.iter().enumerate() {
            prop_assert!(read(kind, bytes).is_none());
            let mut flipped = bytes.clone();
            flipped[place.index(bytes.len())] ^= 1 << bit;
            prop_assert!(read(kind, &flipped).is_some());
            prop_assert!(read(kind, &bytes[..cut.index(bytes.len())]).is_some());
            prop_assert!(read((kind + 1) % 4, bytes).is_some());
        }
    }
}

#[test]
fn functional_keys_are_linear_in_the_function() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (master, public) = setup(4, 3, &mut rng).unwrap();
    let (p, r) = (vec![1, -2, 3, 0, 2, 2, -1, 5], vec![2, 0, 1, -4, 1, 1]);
    let map = |combine: Vec<i32>, outputs| QuadraticMap::new(4, 3, 2, outputs, p.clone(), r.clone(), combine).unwrap();
    let two = master.issue(&map(vec![1, 0, 0, 1], 2)).unwrap();
    let sum = master.issue(&map(vec![3, -7], 1)).unwrap();
    let ciphertext = Encryptor::new(&public, &Silent).encrypt(&[1, 2, 3, 4], &[-1, 0, 6], &mut rng).unwrap();
    let wide = [(-9000, 9000); 2];
    let each = Evaluator::new(&two, TABLE.clone(), &wide).unwrap().evaluate(&ciphertext).unwrap();
    let both = Evaluator::new(&sum, TABLE.clone(), &wide[..1]).unwrap().evaluate(&ciphertext).unwrap();
    assert_eq!(both[0], 3 * each[0] - 7 * each[1]);
}

#[test]
fn a_wrong_key_and_a_value_out_of_range_are_named() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let (master, public) = setup(2, 2, &mut rng).unwrap();
    let (_, other) = setup(2, 2, &mut rng).unwrap();
    let map = QuadraticMap::new(2, 2, 1, 1, vec![1, 1], vec![1, 1], vec![1]).unwrap();
    let key = master.issue(&map).unwrap();
    let evaluator = Evaluator::new(&key, TABLE.clone(), &[(-10, 10)]).unwrap();
    let hidden = Silent;
    let stranger = Encryptor::new(&other, &hidden).encrypt(&[1, 1], &[1, 1], &mut rng).unwrap();
    let error = evaluator.evaluate(&stranger).unwrap_err();
    assert_eq!(error, EvaluateError::WrongKey { ciphertext: other.id(), key: public.id() });
    assert!(error.to_string().contains(&public.id().to_string()));
    let large = Encryptor::new(&public, &hidden).encrypt(&[4, 4], &[1, 1], &mut rng).unwrap();
    assert_eq!(
        evaluator.evaluate(&large).unwrap_err().to_string(),
        "output 0: the value lies outside -10..=10: the inputs were outside their declared range, or somebody changed the ciphertext"
    );
    let limits = Evaluator::new(&key, TABLE.clone(), &[(-10, 8)]).unwrap();
    let eight = Encryptor::new(&public, &hidden).encrypt(&[4, 4], &[1, 0], &mut rng).unwrap();
    assert_eq!(limits.evaluate(&eight).unwrap(), [8]);
    assert!(Evaluator::new(&key, TABLE.clone(), &[(0, i64::MAX)]).is_err());
}

#[test]
fn logarithms_are_exact_far_from_zero() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (master, public) = setup(1, 1, &mut rng).unwrap();
    let map = QuadraticMap::new(1, 1, 1, 1, vec![1], vec![1], vec![1]).unwrap();
    let key = master.issue(&map).unwrap();
    let encryptor = Encryptor::new(&public, &Silent);
    let bounds = [(-1 << 26, 1 << 26)];
    let evaluator = Evaluator::new(&key, TABLE.clone(), &bounds).unwrap();
    for value in [0, 1, -1, 4096, -4097, 8193, 12_289, 2_101_248, -2_105_344, (1 << 26) - 1, -1 << 26] {
        let ciphertext = encryptor.encrypt(&[value], &[1], &mut rng).unwrap();
        assert_eq!(evaluator.evaluate(&ciphertext).unwrap(), [value]);
    }
    let outside = encryptor.encrypt(&[(1 << 26) + 1], &[1], &mut rng).unwrap();
    assert!(evaluator.evaluate(&outside).is_err());
    let offset = Evaluator::new(&key, TABLE.clone(), &[(i64::MAX - 100, i64::MAX)]).unwrap();
    let largest = encryptor.encrypt(&[i64::MAX], &[1], &mut rng).unwrap();
    assert_eq!(offset.evaluate(&largest).unwrap(), [i64::MAX]);
    let smallest = encryptor.encrypt(&[i64::MIN], &[1], &mut rng).unwrap();
    let offset = Evaluator::new(&key, TABLE.clone(), &[(i64::MIN, i64::MIN + 9)]).unwrap();
    assert_eq!(offset.evaluate(&smallest).unwrap(), [i64::MIN]);
}
