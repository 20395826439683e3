//! Functional keys checked by whoever has the public key.

use qfe::{FunctionalKey, MasterKey, PublicKey, QuadraticMap, Verifier, VerifyError, setup};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

const HEADER: usize = 68;
const POINT: usize = 192;

fn map(n: usize, m: usize, units: usize, outputs: usize, seed: i32) -> QuadraticMap {
    let weights =
        |count: usize, step: i32| -> Vec<i32> { (0..count as i32).map(|k| (k * step + seed) % 13 - 6).collect() };
    let (left, right, combine) = (weights(units * n, 7), weights(units * m, 5), weights(outputs * units, 3));
    QuadraticMap::new(n, m, units, outputs, left, right, combine).unwrap()
}

/// The key with bytes changed and a fresh checksum.
fn forged(key: &FunctionalKey, change: impl FnOnce(&mut [u8])) -> FunctionalKey {
    let mut bytes = key.to_bytes();
    let body = bytes.len() - 32;
    change(&mut bytes[..body]);
    let checksum = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum);
    FunctionalKey::from_bytes(&bytes).unwrap()
}

fn keys(seed: u64) -> (MasterKey, PublicKey) {
    setup(9, 6, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

#[test]
fn right_keys_are_accepted() {
    let (master, public) = keys(1);
    for (units, outputs) in [(1, 1), (3, 4), (40, 2), (2, 30)] {
        let key = master.issue(&map(9, 6, units, outputs, 2)).unwrap();
        assert_eq!(public.verify(&key), Ok(()));
        let read = FunctionalKey::from_bytes(&key.to_bytes()).unwrap();
        assert_eq!(PublicKey::from_bytes(&public.to_bytes()).unwrap().verify(&read), Ok(()));
    }
    // Functions that are zero have points at infinity.
    let zero = QuadraticMap::new(9, 6, 1, 2, vec![0; 9], vec![1; 6], vec![1, 2]).unwrap();
    assert_eq!(public.verify(&master.issue(&zero).unwrap()), Ok(()));
}

#[test]
fn a_key_with_any_component_changed_is_refused() {
    let (master, public) = keys(1);
    let function = map(9, 6, 4, 5, 2);
    let key = master.issue(&function).unwrap();
    let points = key.to_bytes().len() - 32 - 5 * POINT;
    let other = master.issue(&map(9, 6, 4, 5, 3)).unwrap().to_bytes();
    for output in 0..5 {
        let place = points + output * POINT;
        let changed = forged(&key, |bytes| bytes[place..place + POINT].copy_from_slice(&other[place..place + POINT]));
        assert_eq!(public.verify(&changed), Err(VerifyError::Output { output }));
        let mut infinity = [0; POINT];
        infinity[0] = 0x40;
        let changed = forged(&key, |bytes| bytes[place..place + POINT].copy_from_slice(&infinity));
        assert_eq!(public.verify(&changed), Err(VerifyError::Output { output }));
    }
    // One weight of each matrix, one at a time; a change may touch any output.
    for weight in (0..4 * (9 + 6 + 5)).step_by(3) {
        let changed = forged(&key, |bytes| bytes[HEADER + 4 * weight] ^= 1);
        assert!(matches!(public.verify(&changed), Err(VerifyError::Output { .. })), "weight {weight}");
    }
}

#[test]
fn swapped_outputs_are_refused() {
    let (master, public) = keys(1);
    let key = master.issue(&map(9, 6, 4, 3, 2)).unwrap();
    let points = key.to_bytes().len() - 32 - 3 * POINT;
    let swapped = forged(&key, |bytes| {
        let (first, second) = bytes[points..].split_at_mut(POINT);
        first.swap_with_slice(&mut second[..POINT]);
    });
    assert_eq!(public.verify(&swapped), Err(VerifyError::Output { output: 0 }));
    // The sum of all outputs is right: one sum without coefficients would accept it.
    let last = forged(&key, |bytes| {
        let (first, second) = bytes[points + POINT..].split_at_mut(POINT);
        first.swap_with_slice(&mut second[..POINT]);
    });
    assert_eq!(public.verify(&last), Err(VerifyError::Output { output: 1 }));
}

#[test]
fn keys_of_another_public_key_are_refused() {
    let ((master, public), (other, foreign)) = (keys(1), keys(2));
    let function = map(9, 6, 4, 3, 2);
    let key = other.issue(&function).unwrap();
    assert_eq!(public.verify(&key), Err(VerifyError::PublicKey { found: foreign.id(), expected: public.id() }));
    let renamed = forged(&key, |bytes| bytes[12..44].copy_from_slice(public.id().as_bytes()));
    assert_eq!(public.verify(&renamed), Err(VerifyError::Output { output: 0 }));
    let verifier = Verifier::new(&public, &function).unwrap();
    assert_eq!(verifier.verify(&master.issue(&map(9, 6, 4, 3, 5)).unwrap()), Err(VerifyError::Function));
    assert_eq!(verifier.verify(&master.issue(&function).unwrap()), Ok(()));
    assert!(Verifier::new(&public, &map(9, 7, 1, 1, 0)).is_err());
}
