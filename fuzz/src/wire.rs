//! Any bytes, every kind of object: what is accepted must encode to the same bytes. The first byte says how far the
//! fuzzer is helped: not at all, by a valid checksum, by a header of small dimensions as well, or by a body of the length
//! that such a header asks for, too.

use qfe::{
    Ciphertext, Encoding, FunctionalKey, MasterKey, PublicKey, WireError, peek,
    shares::{KeyShare, PartialKey},
};

use crate::sealed;

/// An object of this header, which begins with the numbers of its kind and its encoding.
fn framed([kind, encoding, n, m, units, outputs]: [u8; 6], body: &[u8]) -> Vec<u8> {
    let mut bytes = b"HLQF\x01\0\x01\0".to_vec();
    bytes.extend([kind, encoding % 2, 0, 0]);
    bytes.extend([7; 32]);
    [n, m, units, outputs].iter().for_each(|&side| bytes.extend(u32::from(side % 8).to_le_bytes()));
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(body);
    sealed(&bytes)
}

/// The same with a body that is cut, or followed by zeros, to the length that the header asks for.
fn fitted(header: [u8; 6], body: &[u8]) -> Vec<u8> {
    let bytes = framed(header, body);
    let refused = [
        PublicKey::from_bytes(&bytes).err(),
        MasterKey::from_bytes(&bytes).err(),
        FunctionalKey::from_bytes(&bytes).err(),
        Ciphertext::from_bytes(&bytes).err(),
        KeyShare::from_bytes(&bytes).err(),
        PartialKey::from_bytes(&bytes).err(),
    ];
    let asked = refused.into_iter().flatten().find_map(|error| match error {
        WireError::Length { found, expected } => (body.len() as u64 + expected).checked_sub(found),
        _ => None,
    });
    let Some(asked) = asked else { return bytes };
    let mut body = body.to_vec();
    body.resize(asked as usize, 0);
    framed(header, &body)
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let data = match (mode % 4, data) {
        (0, _) => data.to_vec(),
        (2, [kind, encoding, n, m, units, outputs, body @ ..]) => {
            framed([*kind, *encoding, *n, *m, *units, *outputs], body)
        }
        (3, [kind, encoding, n, m, units, outputs, body @ ..]) => {
            fitted([1 + kind % 9, *encoding, *n, *m, *units, *outputs], body)
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
}
