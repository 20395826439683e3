//! Any bytes, every kind of object: what is accepted must encode to the same bytes. The first byte says how much the
//! fuzzer is helped: not at all, by a valid checksum, or by a header of small dimensions as well.
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
    let data = match (mode % 4, data) {
        (0, _) => data.to_vec(),
        (2.., [kind, encoding, n, m, units, outputs, body @ ..]) => {
            let mut bytes = b"HLQF\x01\0\x01\0".to_vec();
            bytes.extend([*kind, encoding % 2, 0, 0]);
            bytes.extend([7; 32]);
            [n, m, units, outputs].iter().for_each(|&side| bytes.extend(u32::from(side % 8).to_le_bytes()));
            bytes.extend((body.len() as u64).to_le_bytes());
            bytes.extend(body);
            sealed(&bytes)
        }
        _ => sealed(data),
    };
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
