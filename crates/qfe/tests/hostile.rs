//! Named malformed files: each is refused for its own reason, with a sealed
//! checksum where the forger could make one.

use qfe::{Ciphertext, FunctionalKey, Mask, MasterKey, PublicKey, WireError, peek, shares::KeyShare};
use sha2::{Digest, Sha256};

const PUBLIC: &[u8] = include_bytes!("vectors/v1.public");
const MASTER: &[u8] = include_bytes!("vectors/v1.master");
const FUNCTION: &[u8] = include_bytes!("vectors/v1.function");
const CIPHERTEXT: &[u8] = include_bytes!("vectors/v1.ciphertext");
const SHARE: &[u8] = include_bytes!("vectors/v1.share");
const HEADER: usize = 68;
/// The modulus, big-endian.
const MODULUS: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7, 0x64, 0x77, 0x4b,
    0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24, 0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53,
    0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// A point of the curve outside the subgroup: this x (no smaller one but zero has a y).
const OUTSIDE_X: u8 = 4;
const OUTSIDE_Y: [u8; 48] = [
    0x0a, 0x98, 0x9b, 0xad, 0xd4, 0x0d, 0x62, 0x12, 0xb3, 0x3c, 0xff, 0xc3, 0xf3, 0x76, 0x3e, 0x9b, 0xc7, 0x60, 0xf9,
    0x88, 0xc9, 0x92, 0x6b, 0x26, 0xda, 0x9d, 0xd8, 0x5e, 0x92, 0x84, 0x83, 0x44, 0x63, 0x46, 0xb8, 0xed, 0x00, 0xe1,
    0xde, 0x5d, 0x5e, 0xa9, 0x3e, 0x35, 0x4a, 0xbe, 0x70, 0x6c,
];

/// The file with a change and a fresh checksum.
fn forged(file: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = file[..file.len() - 32].to_vec();
    change(&mut bytes);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

/// The file with bytes replaced from `place`.
fn with(file: &[u8], place: usize, replacement: &[u8]) -> Vec<u8> {
    forged(file, |bytes| bytes[place..place + replacement.len()].copy_from_slice(replacement))
}

fn refused(name: &str, error: Option<WireError>, expected: fn(&WireError) -> bool) {
    match error {
        None => panic!("{name}: was accepted"),
        Some(error) => assert!(expected(&error), "{name}: {error}"),
    }
}

#[test]
fn malformed_headers() {
    let read = |bytes: &[u8]| Ciphertext::from_bytes(bytes).err();
    let c = CIPHERTEXT;
    let huge = u32::MAX.to_le_bytes();
    refused("empty", read(&[]), |e| matches!(e, WireError::Length { .. }));
    refused("three-bytes", read(&c[..3]), |e| matches!(e, WireError::Length { .. }));
    refused("header-only", read(&c[..HEADER]), |e| matches!(e, WireError::Length { .. }));
    refused("magic", read(&with(c, 0, b"HLQX")), |e| matches!(e, WireError::Magic { .. }));
    refused("version-zero", read(&with(c, 4, &[0, 0])), |e| matches!(e, WireError::Version { found: 0 }));
    refused("version-two", read(&with(c, 4, &[2, 0])), |e| matches!(e, WireError::Version { found: 2 }));
    refused("suite", read(&with(c, 6, &[9, 0])), |e| matches!(e, WireError::Suite { found: 9 }));
    refused("kind-zero", read(&with(c, 8, &[0])), |e| matches!(e, WireError::Header { field: "kind", .. }));
    refused("kind-unknown", read(&with(c, 8, &[77])), |e| matches!(e, WireError::Header { field: "kind", .. }));
    refused("kind-other", read(PUBLIC), |e| matches!(e, WireError::Kind { .. }));
    refused("encoding", read(&with(c, 9, &[2])), |e| matches!(e, WireError::Header { field: "encoding", .. }));
    refused("compressed-length", read(&with(c, 9, &[1])), |e| matches!(e, WireError::Length { .. }));
    refused("reserved", read(&with(c, 10, &[1])), |e| matches!(e, WireError::Header { field: "reserved", .. }));
    refused("n-zero", read(&with(c, 44, &[0; 4])), |e| matches!(e, WireError::Map(_)));
    refused("n-huge", read(&with(c, 44, &huge)), |e| matches!(e, WireError::Map(_)));
    refused("m-huge", read(&with(c, 48, &huge)), |e| matches!(e, WireError::Map(_)));
    refused("n-one-more", read(&with(c, 44, &[5, 0, 0, 0])), |e| matches!(e, WireError::Length { .. }));
    refused("units-set", read(&with(c, 52, &[1])), |e| matches!(e, WireError::Header { field: "units", .. }));
    refused("outputs-set", read(&with(c, 56, &[1])), |e| matches!(e, WireError::Header { field: "outputs", .. }));
    refused("body-length", read(&with(c, 60, &[1])), |e| matches!(e, WireError::Header { field: "body", .. }));
    refused("appended", read(&[c, &[0]].concat()), |e| matches!(e, WireError::Length { .. }));
    refused("truncated", read(&c[..c.len() - 1]), |e| matches!(e, WireError::Length { .. }));
    let mut flipped = c.to_vec();
    flipped[HEADER + 5] ^= 1;
    refused("checksum", read(&flipped), |e| matches!(e, WireError::Checksum));
}

/// What is too short for any object says so, unless its first bytes say that it is none.
#[test]
fn short_files() {
    let short = |found| Err(WireError::Length { found, expected: 100 });
    for length in [0, 3, 4, 68, 99] {
        assert_eq!(peek(&CIPHERTEXT[..length]).map(|_| ()), short(length as u64));
    }
    assert_eq!(peek(b"HLQ?").map(|_| ()), Err(WireError::Magic { found: *b"HLQ?" }));
    assert_eq!(peek(&CIPHERTEXT[..100]).map(|header| (header.n, header.m)), Ok((4, 3)));
}

/// The fuzzer found a master key with two texts: one that speaks of compressed points, of which it has none.
#[test]
fn secrets_have_one_text() {
    let compressed = |e: &WireError| matches!(e, WireError::Header { field: "encoding", value: 1 });
    refused("master-key", MasterKey::from_bytes(&with(MASTER, 9, &[1])).err(), compressed);
    refused("share", KeyShare::from_bytes(&with(SHARE, 9, &[1])).err(), compressed);
    let mask = forged(CIPHERTEXT, |bytes| (bytes[8], bytes[9]) = (5, 1));
    refused("mask", Mask::from_bytes(&mask).err(), compressed);
}

#[test]
fn errors_name_both_kinds() {
    let error = Ciphertext::from_bytes(PUBLIC).unwrap_err();
    assert_eq!(error.to_string(), "this is a public key, but a ciphertext was expected: pass the right file");
}

#[test]
fn malformed_points() {
    let read = |bytes: &[u8]| Ciphertext::from_bytes(bytes).err();
    let c = CIPHERTEXT;
    let off = |e: &WireError| matches!(e, WireError::Point { field: "gamma", index: 0 });
    let mut moved = c[HEADER..HEADER + 96].to_vec();
    moved[95] ^= 1;
    refused("off-the-curve", read(&with(c, HEADER, &moved)), off);
    refused("x-is-the-modulus", read(&with(c, HEADER, &MODULUS)), off);
    refused("x-too-large", read(&with(c, HEADER, &[0x1f; 48])), off);
    refused("compressed-flag", read(&with(c, HEADER, &[c[HEADER] | 0x80])), off);
    refused("sign-flag", read(&with(c, HEADER, &[c[HEADER] | 0x20])), off);
    refused("infinity-flag-on-a-point", read(&with(c, HEADER, &[c[HEADER] | 0x40])), off);
    refused("all-zero", read(&with(c, HEADER, &[0; 96])), off);
    let mut infinity = [0u8; 96];
    infinity[0] = 0x40;
    assert!(Ciphertext::from_bytes(&with(c, HEADER, &infinity)).is_ok());
    infinity[95] = 1;
    refused("infinity-with-content", read(&with(c, HEADER, &infinity)), off);
    // (0, 2) has order 3: y² = x³ + 4.
    let mut order3 = [0u8; 96];
    order3[95] = 2;
    refused("order-three", read(&with(c, HEADER, &order3)), off);
    let mut outside = [0u8; 96];
    outside[47] = OUTSIDE_X;
    outside[48..].copy_from_slice(&OUTSIDE_Y);
    for (name, place) in [("gamma-outside-the-subgroup", HEADER), ("a-outside-the-subgroup", HEADER + 96 * 5)] {
        refused(name, read(&with(c, place, &outside)), |e| matches!(e, WireError::Subgroup { field: "a" }));
    }
    let last = c.len() - 32 - 192;
    let mut moved = c[last..last + 192].to_vec();
    moved[191] ^= 1;
    refused("g2-off-the-curve", read(&with(c, last, &moved)), |e| {
        matches!(e, WireError::Point { field: "b", index: 5 })
    });
}

/// Whichever are forged of a batch, each is refused as it is alone, and no other.
#[test]
fn forgeries_of_a_batch_are_found_by_halves() {
    let mut outside = [0u8; 96];
    outside[47] = OUTSIDE_X;
    outside[48..].copy_from_slice(&OUTSIDE_Y);
    let forged = with(CIPHERTEXT, HEADER + 96 * 5, &outside);
    for places in [&[][..], &[0], &[12], &[3, 4], &[0, 5, 6, 12], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]] {
        let mut batch = vec![CIPHERTEXT; 13];
        places.iter().for_each(|&place| batch[place] = &forged);
        batch.push(&CIPHERTEXT[..40]);
        for (place, (read, bytes)) in Ciphertext::from_bytes_batch(&batch).into_iter().zip(&batch).enumerate() {
            assert_eq!(read.err(), Ciphertext::from_bytes(bytes).err(), "{places:?} at {place}");
        }
    }
}

#[test]
fn malformed_keys() {
    let zero = [0u8; 32];
    refused("public-id", PublicKey::from_bytes(&with(PUBLIC, 12, &zero)).err(), |e| matches!(e, WireError::Id));
    let swapped = forged(PUBLIC, |bytes| bytes.copy_within(HEADER..HEADER + 96, HEADER + 96));
    refused("public-points-swapped", PublicKey::from_bytes(&swapped).err(), |e| matches!(e, WireError::Id));
    let large = with(MASTER, HEADER + 32, &[0xff; 32]);
    refused("scalar-too-large", MasterKey::from_bytes(&large).err(), |e| {
        matches!(e, WireError::Scalar { field: "s", index: 1 })
    });
    let read = |bytes: &[u8]| FunctionalKey::from_bytes(bytes).err();
    let most = (1u32 << 13).to_le_bytes();
    refused("units-more-than-the-file", read(&with(FUNCTION, 52, &most)), |e| matches!(e, WireError::Length { .. }));
    refused("units-huge", read(&with(FUNCTION, 52, &[0xff; 4])), |e| matches!(e, WireError::Map(_)));
    refused("outputs-zero", read(&with(FUNCTION, 56, &[0; 4])), |e| matches!(e, WireError::Map(_)));
    let entries = with(FUNCTION, 44, &[0, 0, 1, 0, 0, 0, 1, 0, 0, 0x20, 0, 0]);
    refused("matrix-too-large", read(&entries), |e| matches!(e, WireError::Map(_)));
}
