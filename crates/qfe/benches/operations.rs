//! Benchmarks of the paper's shape; `qfe::bench` has the rest.

use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use divan::Bencher;
use host::Silent;
use qfe::shares::{Combiner, Commitments, KeyShare, PartialKey, Sharing};
use qfe::{Ciphertext, Encryptor, Evaluator, FunctionalKey, LogTable, PublicKey, bench::Shape, setup};
use rand::{SeedableRng, rngs::StdRng};

/// What every operation starts from.
struct Fixture {
    public: PublicKey,
    key: FunctionalKey,
    commitments: Commitments,
    share: KeyShare,
    partials: Vec<PartialKey>,
    u: Vec<i64>,
    v: Vec<i64>,
    encryptor: Encryptor,
    ciphertext: Ciphertext,
    encoded: Vec<u8>,
    evaluator: Evaluator,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let hidden = Silent;
    let mut rng = StdRng::seed_from_u64(1);
    let shape = Shape::named("paper").expect("the shape exists");
    let (n, m) = shape.inputs;
    let map = shape.map(1).expect("the shape is valid");
    let (u, v) = shape.input(2);
    let (master, public) = setup(n, m, &mut rng).expect("dimensions are valid");
    let key = master.issue(&map).expect("dimensions agree");
    let encryptor = Encryptor::new(&public, &hidden);
    let ciphertext = encryptor.encrypt(&u, &v, &mut rng).expect("lengths agree");
    let encoded = ciphertext.to_bytes();
    let table = Arc::new(LogTable::build(22, &hidden).expect("22 bits are allowed"));
    let bounds = vec![(-(1 << 40), 1 << 40); map.outputs()];
    let evaluator = Evaluator::new(&key, table, &bounds).expect("bounds fit");
    let sharing = Sharing::new(5, 2).expect("five servers");
    let (commitments, mut shares) = master.share(&public, sharing, &mut rng).expect("the key is its own");
    let partials = shares[..3].iter().map(|share| share.issue(&public, &map).expect("dimensions agree")).collect();
    let share = shares.remove(0);
    Fixture { public, key, commitments, share, partials, u, v, encryptor, ciphertext, encoded, evaluator }
});

#[divan::bench]
fn encrypt(bencher: Bencher) {
    let f = &*FIXTURE;
    bencher.bench(|| f.encryptor.encrypt(black_box(&f.u), &f.v, &mut rand::rng()));
}

#[divan::bench]
fn mask(bencher: Bencher) {
    bencher.bench(|| FIXTURE.encryptor.draw_mask(&mut StdRng::seed_from_u64(3)));
}

#[divan::bench]
fn read(bencher: Bencher) {
    bencher.bench(|| Ciphertext::from_bytes(black_box(&FIXTURE.encoded)));
}

#[divan::bench]
fn evaluate_with_logarithms(bencher: Bencher) {
    bencher.bench(|| FIXTURE.evaluator.evaluate(black_box(&FIXTURE.ciphertext)));
}

/// A functional key against the public key.
#[divan::bench]
fn verify(bencher: Bencher) {
    bencher.bench(|| FIXTURE.public.verify(black_box(&FIXTURE.key)));
}

/// One of five servers.
#[divan::bench]
fn issue_partial(bencher: Bencher) {
    bencher.bench(|| FIXTURE.share.issue(&FIXTURE.public, black_box(FIXTURE.key.map())));
}

/// One partial key against the commitments, with the projections of its function.
#[divan::bench]
fn verify_partial(bencher: Bencher) {
    let f = &*FIXTURE;
    bencher.bench(|| {
        let combiner = Combiner::new(&f.public, &f.commitments, f.key.map()).expect("the key is its own");
        combiner.verify(black_box(&f.partials[1]))
    });
}

/// Three of five servers.
#[divan::bench]
fn combine(bencher: Bencher) {
    let f = &*FIXTURE;
    bencher.bench(|| {
        let combiner = Combiner::new(&f.public, &f.commitments, f.key.map()).expect("the key is its own");
        combiner.combine(black_box(&f.partials)).expect("honest servers").key
    });
}

/// All five servers of a ceremony for the paper's key, in one process.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn ceremony() -> usize {
    qfe::bench::ceremony(FIXTURE.public.inputs()).expect("all are honest")
}

fn main() {
    divan::main();
}
