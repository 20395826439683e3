//! Any bytes, every kind of object: what is accepted must encode to the same bytes. After an odd first byte the rest
//! is put under a valid checksum, so that the fuzzer gets past it.
#![no_main]

use halflight_fuzz::sealed;
use libfuzzer_sys::fuzz_target;
use qfe::{
    Ciphertext, Encoding, FunctionalKey, MasterKey, PublicKey, peek,
    shares::{KeyShare, PartialKey},
};

fuzz_target!(|data: &[u8]| {
    halflight_fuzz::alone();
    let [mode, data @ ..] = data else { return };
    let data = if mode % 2 == 1 { sealed(data) } else { data.to_vec() };
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
    if let Ok(share) = KeyShare::from_bytes(&data) {
        assert_eq!(*share.to_bytes(), data);
    }
    if let Ok(partial) = PartialKey::from_bytes(&data) {
        assert_eq!(partial.encode(encoding), data);
    }
    if let Ok(ciphertext) = Ciphertext::from_bytes(&data) {
        assert_eq!(ciphertext.encode(encoding), data);
    }
});
