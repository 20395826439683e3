//! The same under a valid checksum, so that the fuzzer gets past it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qfe::{Ciphertext, Encoding, FunctionalKey, MasterKey, PublicKey, peek};
use sha2::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    let mut data = data.to_vec();
    let checksum = Sha256::digest(&data);
    data.extend_from_slice(&checksum);
    let encoding = peek(&data).map(|header| header.encoding).unwrap_or(Encoding::Uncompressed);
    if let Ok(key) = PublicKey::from_bytes(&data) {
        assert_eq!(key.encode(encoding), data);
    }
    if let Ok(key) = MasterKey::from_bytes(&data) {
        assert_eq!(*key.to_bytes(), data);
    }
    if let Ok(key) = FunctionalKey::from_bytes(&data) {
        assert_eq!(key.encode(encoding), data);
    }
    if let Ok(ciphertext) = Ciphertext::from_bytes(&data) {
        assert_eq!(ciphertext.encode(encoding), data);
    }
});
