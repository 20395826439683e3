//! Valid objects with some bytes changed under a fresh checksum, which reaches what
//! random bytes never reach. Whatever is accepted must encode to the same bytes, and
//! accepted ciphertexts must evaluate without a panic.

use std::sync::{Arc, LazyLock};

use host::Silent;
use qfe::{
    Ciphertext, Encoding, EncryptorSteps, Evaluator, FunctionalKey, LogTable, MasterKey, PublicKey, QuadraticMap,
    setup,
    shares::{Combiner, Commitments, KeyShare, PartialKey, Sharing},
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

struct World {
    public: PublicKey,
    map: QuadraticMap,
    commitments: Commitments,
    objects: Vec<Vec<u8>>,
    evaluator: Evaluator,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let (master, public) = setup(2, 2, rng).expect("dimensions are allowed");
    let map = QuadraticMap::new(2, 2, 1, 1, vec![1, 2], vec![3, -1], vec![1]).expect("shapes agree");
    let key = master.issue(&map).expect("dimensions agree");
    let encryptor = EncryptorSteps::new(&public, 0).finish();
    let ciphertext = encryptor.encrypt(&[1, 2], &[3, 4], rng).expect("lengths agree");
    let table = Arc::new(LogTable::build(8, &Silent).expect("8 bits are allowed"));
    let sharing = Sharing::new(3, 1).expect("three servers");
    let (commitments, shares) = master.share(&public, sharing, rng).expect("the key is its own");
    let partial = shares[0].issue(&public, &map).expect("dimensions agree");
    let mut objects = vec![master.to_bytes().to_vec(), shares[0].to_bytes().to_vec()];
    for encoding in [Encoding::Uncompressed, Encoding::Compressed] {
        objects.extend([public.encode(encoding), key.encode(encoding), ciphertext.encode(encoding)]);
        objects.extend([partial.encode(encoding), commitments.encode(encoding)]);
    }
    World {
        public,
        map,
        commitments,
        objects,
        evaluator: Evaluator::new(&key, table, &[(-1000, 1000)]).expect("bounds fit"),
    }
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [which, changes @ ..] = data else { return };
    let mut bytes = WORLD.objects[usize::from(*which) % WORLD.objects.len()].clone();
    let body = bytes.len() - 32;
    for change in changes.chunks_exact(3) {
        bytes[usize::from(u16::from_le_bytes([change[0], change[1]])) % body] = change[2];
    }
    let checksum = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum);
    let encoding = qfe::peek(&bytes).map(|header| header.encoding).unwrap_or_default();
    if let Ok(key) = PublicKey::from_bytes(&bytes) {
        assert!(key.encode(encoding) == bytes);
    }
    if let Ok(key) = MasterKey::from_bytes(&bytes) {
        assert!(*key.to_bytes() == bytes);
    }
    if let Ok(key) = FunctionalKey::from_bytes(&bytes) {
        assert!(key.encode(encoding) == bytes);
    }
    if let Ok(share) = KeyShare::from_bytes(&bytes) {
        assert!(*share.to_bytes() == bytes);
        let _ = share.verify(&WORLD.commitments);
    }
    if let Ok(partial) = PartialKey::from_bytes(&bytes) {
        assert!(partial.encode(encoding) == bytes);
        let combiner = Combiner::new(&WORLD.public, &WORLD.commitments, &WORLD.map).expect("they belong together");
        let _ = combiner.combine(&[partial]);
    }
    if let Ok(commitments) = Commitments::from_bytes(&bytes, &WORLD.public) {
        assert!(commitments.encode(encoding) == bytes);
    }
    if let Ok(ciphertext) = Ciphertext::from_bytes(&bytes) {
        assert!(ciphertext.encode(encoding) == bytes);
        let _ = WORLD.evaluator.evaluate(&ciphertext);
    }
}
