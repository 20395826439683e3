//! Criterion benchmarks of the paper's shape; `qfe::bench` has the rest.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use indicatif::ProgressBar;
use qfe::{Ciphertext, Encryptor, Evaluator, LogTable, bench::Shape, setup};
use rand::{SeedableRng, rngs::StdRng};

fn operations(c: &mut Criterion) {
    let hidden = ProgressBar::hidden();
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
    let mut group = c.benchmark_group("paper");
    group.sample_size(10);
    group.bench_function("encrypt", |b| b.iter(|| encryptor.encrypt(black_box(&u), &v, &mut rng)));
    group.bench_function("mask", |b| b.iter(|| encryptor.draw_mask(&mut StdRng::seed_from_u64(3))));
    group.bench_function("read", |b| b.iter(|| Ciphertext::from_bytes(black_box(&encoded))));
    group.bench_function("evaluate with logarithms", |b| b.iter(|| evaluator.evaluate(black_box(&ciphertext))));
    group.finish();
}

criterion_group!(benches, operations);
criterion_main!(benches);
