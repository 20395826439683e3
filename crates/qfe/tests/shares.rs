//! Keys issued by a quorum of servers, none of which holds the master key.

use qfe::{
    FunctionalKey, KeyError, MasterKey, PublicKey, QuadraticMap, VerifyError, WireError, setup,
    shares::{
        CombineError, Combiner, Commitments, KeyShare, PartialError, PartialKey, Refusal, SeatError, ShareError,
        Sharing,
    },
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

const OUTSIDE_Y: [u8; 48] = [
    0x0a, 0x98, 0x9b, 0xad, 0xd4, 0x0d, 0x62, 0x12, 0xb3, 0x3c, 0xff, 0xc3, 0xf3, 0x76, 0x3e, 0x9b, 0xc7, 0x60, 0xf9,
    0x88, 0xc9, 0x92, 0x6b, 0x26, 0xda, 0x9d, 0xd8, 0x5e, 0x92, 0x84, 0x83, 0x44, 0x63, 0x46, 0xb8, 0xed, 0x00, 0xe1,
    0xde, 0x5d, 0x5e, 0xa9, 0x3e, 0x35, 0x4a, 0xbe, 0x70, 0x6c,
];

struct House {
    master: MasterKey,
    public: PublicKey,
    commitments: Commitments,
    shares: Vec<KeyShare>,
    map: QuadraticMap,
}

fn house(servers: u16, threshold: u16, seed: u64) -> House {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let (master, public) = setup(5, 4, &mut rng).unwrap();
    let (commitments, shares) = master.share(&public, Sharing::new(servers, threshold).unwrap(), &mut rng).unwrap();
    let weights = |count: i32, step: i32| -> Vec<i32> { (0..count).map(|k| k * step % 11 - 5).collect() };
    let map = QuadraticMap::new(5, 4, 3, 4, weights(15, 7), weights(12, 5), weights(12, 3)).unwrap();
    House { master, public, commitments, shares, map }
}

impl House {
    fn partials(&self) -> Vec<PartialKey> {
        self.shares.iter().map(|share| share.issue(&self.public, &self.map).unwrap()).collect()
    }

    fn combiner(&self) -> Combiner<'_> {
        Combiner::new(&self.public, &self.commitments, &self.map).unwrap()
    }

    fn key(&self) -> FunctionalKey {
        self.master.issue(&self.map).unwrap()
    }
}

/// The object with bytes changed and a fresh checksum.
fn forged(bytes: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let body = bytes.len() - 32;
    change(&mut bytes[..body]);
    let checksum = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum);
    bytes
}

#[test]
fn every_quorum_makes_the_key_of_the_single_master() {
    let house = house(5, 2, 1);
    let (partials, combiner, expected) = (house.partials(), house.combiner(), house.key().to_bytes());
    house.shares.iter().for_each(|share| share.verify(&house.commitments).unwrap());
    partials.iter().for_each(|partial| combiner.verify(partial).unwrap());
    for quorum in 0u32..32 {
        let chosen: Vec<PartialKey> = (0..5).filter(|k| quorum >> k & 1 == 1).map(|k| partials[k].clone()).collect();
        match combiner.combine(&chosen) {
            Ok(combined) => {
                assert!(chosen.len() >= 3);
                assert_eq!(combined.key.to_bytes(), expected);
                assert!(combined.refused.is_empty());
            }
            Err(error) => {
                let few = CombineError::TooFew { found: chosen.len(), needed: 3, refused: Vec::new() };
                assert_eq!(error, few);
            }
        }
    }
}

#[test]
fn the_single_master_is_one_server_with_threshold_zero() {
    let house = house(1, 0, 2);
    let combined = house.combiner().combine(&house.partials()).unwrap();
    assert_eq!(combined.key.to_bytes(), house.key().to_bytes());
    assert_eq!(house.commitments.to_bytes().len(), 68 + 16 + 32);
}

#[test]
fn a_wrong_partial_key_is_named_and_replaced() {
    let house = house(5, 2, 3);
    let (mut partials, combiner) = (house.partials(), house.combiner());
    // Servers 1 and 4 swap two of their outputs.
    for liar in [0, 3] {
        let bytes = partials[liar].to_bytes();
        let points = bytes.len() - 32 - 2 * 192;
        let lie = forged(&bytes, |bytes| {
            let (first, second) = bytes[points..].split_at_mut(192);
            first.swap_with_slice(second);
        });
        partials[liar] = PartialKey::from_bytes(&lie).unwrap();
        let wrong = PartialError::Wrong(VerifyError::Output { output: 2 });
        assert_eq!(combiner.verify(&partials[liar]), Err(wrong));
    }
    let combined = combiner.combine(&partials).unwrap();
    assert_eq!(combined.key.to_bytes(), house.key().to_bytes());
    assert_eq!(combined.refused.iter().map(|refusal| refusal.server).collect::<Vec<_>>(), [1, 4]);
    match combiner.combine(&partials[..4]) {
        Err(CombineError::TooFew { found: 2, needed: 3, refused }) => {
            assert_eq!(refused.iter().map(|refusal| refusal.server).collect::<Vec<_>>(), [1, 4]);
        }
        other => panic!("{:?}", other.err()),
    }
    let error = combiner.combine(&partials[..4]).err().unwrap().to_string();
    assert!(error.contains("server 1: the server's answer is wrong: output 2"), "{error}");
}

#[test]
fn a_partial_key_of_another_server_under_a_stolen_index_is_wrong() {
    let house = house(4, 1, 4);
    let stolen = forged(&house.partials()[0].to_bytes(), |bytes| bytes[68 + 12] = 2);
    let stolen = PartialKey::from_bytes(&stolen).unwrap();
    assert_eq!(stolen.seat().index, 2);
    assert!(matches!(house.combiner().verify(&stolen), Err(PartialError::Wrong(_))));
}

/// A forged partial key that came first put out the server's own, and then there were too few.
#[test]
fn a_forged_partial_key_in_front_does_not_put_out_the_servers_own() {
    let house = house(3, 1, 12);
    let (partials, combiner) = (house.partials(), house.combiner());
    let forged = forged(&partials[2].to_bytes(), |bytes| bytes[68 + 12] = 1);
    let forged = PartialKey::from_bytes(&forged).unwrap();
    let combined = combiner.combine(&[forged.clone(), partials[0].clone(), partials[1].clone()]).unwrap();
    assert_eq!(combined.key.to_bytes(), house.key().to_bytes());
    let refused: Vec<_> = combined.refused.iter().map(|refusal| (refusal.server, &refusal.reason)).collect();
    assert!(matches!(refused[..], [(1, PartialError::Wrong(_))]), "{refused:?}");
    // Twice is said of right ones only.
    let all = [forged, partials[0].clone(), partials[0].clone(), partials[1].clone()];
    let refused = combiner.combine(&all).unwrap().refused;
    assert!(matches!(
        refused[..],
        [Refusal { reason: PartialError::Wrong(_), .. }, Refusal { server: 1, reason: PartialError::Twice }]
    ));
}

#[test]
fn partial_keys_of_another_epoch_key_sharing_or_function_are_refused() {
    let house = house(3, 1, 5);
    let combiner = house.combiner();
    let mut partials = house.partials();
    let later = forged(&partials[0].to_bytes(), |bytes| bytes[68] = 1);
    partials[0] = PartialKey::from_bytes(&later).unwrap();
    let epoch = SeatError::Epoch { found: 1, expected: 0 };
    assert_eq!(combiner.verify(&partials[0]), Err(epoch.into()));
    let combined = combiner.combine(&partials).unwrap();
    assert_eq!((combined.refused[0].server, &combined.refused[0].reason), (1, &epoch.into()));
    let stranger = self::house(3, 1, 6).partials().remove(0);
    assert!(matches!(combiner.verify(&stranger), Err(PartialError::Seat(SeatError::PublicKey { .. }))));
    let wider = forged(&house.partials()[0].to_bytes(), |bytes| bytes[68 + 8] = 9);
    let wider = PartialKey::from_bytes(&wider).unwrap();
    assert!(matches!(combiner.verify(&wider), Err(PartialError::Seat(SeatError::Sharing { .. }))));
    let other = QuadraticMap::new(5, 4, 1, 1, vec![1; 5], vec![1; 4], vec![1]).unwrap();
    let other = house.shares[0].issue(&house.public, &other).unwrap();
    assert_eq!(combiner.verify(&other), Err(PartialError::Function));
    let twice = [partials[1].clone(), partials[1].clone(), partials[2].clone()];
    assert_eq!(combiner.combine(&twice).unwrap().refused[0].reason, PartialError::Twice);
}

#[test]
fn shares_fit_their_commitments_and_key_only() {
    let (house, other) = (house(3, 1, 7), house(3, 1, 8));
    assert!(matches!(house.shares[0].verify(&other.commitments), Err(ShareError::Seat(_))));
    let moved = forged(&house.shares[0].to_bytes(), |bytes| bytes[68 + 12] = 3);
    let moved = KeyShare::from_bytes(&moved).unwrap();
    assert_eq!(moved.verify(&house.commitments), Err(ShareError::Wrong { index: 3 }));
    assert!(matches!(house.shares[0].issue(&other.public, &house.map), Err(ShareError::Seat(_))));
    let narrow = QuadraticMap::new(4, 4, 1, 1, vec![1; 4], vec![1; 4], vec![1]).unwrap();
    let refused = house.shares[0].issue(&house.public, &narrow);
    assert!(matches!(refused, Err(ShareError::Key(KeyError::Inputs { .. }))));
    assert!(house.master.share(&other.public, Sharing::new(3, 1).unwrap(), &mut rand::rng()).is_err());
    assert!(Combiner::new(&house.public, &other.commitments, &house.map).is_err());
    for (servers, threshold) in [(0, 0), (3, 3), (256, 1)] {
        assert_eq!(Sharing::new(servers, threshold), Err(ShareError::Sharing { servers, threshold }));
    }
}

#[test]
fn shared_objects_survive_their_encoding() {
    let house = house(4, 2, 9);
    for share in &house.shares {
        let bytes = share.to_bytes();
        assert_eq!(bytes.len(), share.encoded_size());
        assert_eq!(*KeyShare::from_bytes(&bytes).unwrap().to_bytes(), *bytes);
    }
    for encoding in [qfe::Encoding::Uncompressed, qfe::Encoding::Compressed] {
        let bytes = house.commitments.encode(encoding);
        assert_eq!(bytes.len(), house.commitments.encoded_size(encoding));
        assert!(Commitments::from_bytes(&bytes, &house.public).unwrap() == house.commitments);
        let partial = &house.partials()[1];
        let bytes = partial.encode(encoding);
        assert_eq!(bytes.len(), partial.encoded_size(encoding));
        assert!(PartialKey::from_bytes(&bytes).unwrap() == *partial);
    }
}

/// Whether bytes are refused.
type Read<'a> = dyn Fn(&[u8]) -> Option<WireError> + 'a;

/// What a change of one byte of the seat does, for a share, a partial key and commitments.
#[test]
fn malformed_shared_objects_are_refused_for_their_own_reason() {
    let house = house(3, 1, 10);
    let share = house.shares[0].to_bytes();
    let partial = house.partials()[0].to_bytes();
    let commitments = house.commitments.to_bytes();
    let read: [&Read; 3] =
        [&|bytes| KeyShare::from_bytes(bytes).err(), &|bytes| PartialKey::from_bytes(bytes).err(), &|bytes| {
            Commitments::from_bytes(bytes, &house.public).err()
        }];
    for (kind, (object, read)) in [&*share, &partial, &commitments].into_iter().zip(read).enumerate() {
        let header = |place: usize, value: u8| match read(&forged(object, |bytes| bytes[place] = value)) {
            Some(WireError::Header { field, .. }) => field,
            other => panic!("kind {kind}, byte {place}: {other:?}"),
        };
        assert_eq!(read(object), None);
        assert_eq!(header(68 + 8, 0), "servers");
        assert_eq!(header(68 + 10, 3), "servers");
        assert_eq!(header(68 + 12, 4), "index");
        assert_eq!(header(68 + 12, u8::from(kind == 2)), "index");
        assert_eq!(header(68 + 14, 1), "reserved");
        assert!(matches!(read(&object[..object.len() - 1]), Some(WireError::Length { .. })));
        assert!(matches!(read(&[&object[..], &[0]].concat()), Some(WireError::Length { .. })));
        let mut damaged = object.to_vec();
        damaged[70] ^= 1;
        assert_eq!(read(&damaged), Some(WireError::Checksum));
        assert!(matches!(read(&forged(object, |bytes| bytes[8] = 4)), Some(WireError::Kind { .. })));
        assert!(matches!(read(&forged(object, |bytes| bytes[44] = 0)), Some(WireError::Map(_))));
    }
    let scalar = forged(&share, |bytes| bytes[84..116].fill(0xff));
    assert_eq!(KeyShare::from_bytes(&scalar).err(), Some(WireError::Scalar { field: "s", index: 0 }));
    let point = forged(&partial, |bytes| bytes[68 + 48 + 191] ^= 1);
    assert_eq!(PartialKey::from_bytes(&point).err(), Some(WireError::Point { field: "values", index: 0 }));
    // A point of the curve outside the subgroup, as in `hostile.rs`.
    let mut outside = [0; 96];
    outside[47] = 4;
    outside[48..].copy_from_slice(&OUTSIDE_Y);
    let outside = forged(&commitments, |bytes| bytes[84..180].copy_from_slice(&outside));
    let subgroup = WireError::Subgroup { field: "coefficients" };
    assert_eq!(Commitments::from_bytes(&outside, &house.public).err(), Some(subgroup));
    let many = forged(&commitments, |bytes| bytes[52..56].copy_from_slice(&[0xff; 4]));
    assert!(Commitments::from_bytes(&many, &house.public).is_err());
    let shorter = forged(&commitments, |bytes| bytes[68 + 10] = 0);
    let threshold = WireError::Header { field: "threshold", value: 0 };
    assert_eq!(Commitments::from_bytes(&shorter, &house.public).err(), Some(threshold));
    let wider = forged(&commitments, |bytes| bytes[48] += 1);
    assert_eq!(Commitments::from_bytes(&wider, &house.public).err(), Some(WireError::Id));
    let stranger = self::house(3, 1, 11);
    assert_eq!(Commitments::from_bytes(&commitments, &stranger.public).err(), Some(WireError::Id));
}
