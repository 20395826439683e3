//! The kernels lane by lane in plain integers, for tests: what processors without the
//! instructions run instead, and where the bounds of [`notes`](crate::notes) are asserted.

use super::kernels::{Columns, Limbs, MASK, NEGATIVE_INVERSE, P, multiple, split};
use crate::raw::Fp;

type Lane = [u64; 8];
type Column = [i64; 16];

/// One lane of every operand, checked to be below `2^17·p` with limbs below `2^52`.
fn lane(a: &Limbs, k: usize) -> Lane {
    let lane = a.map(|limb| limb[k]);
    assert!(lane.iter().all(|limb| *limb <= MASK), "a limb is not below 2^52");
    assert!(less(&lane, &multiple(17)), "a value is not below 2^17·p");
    lane
}

fn less(a: &Lane, b: &Lane) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn lanes(f: impl Fn(usize) -> Lane) -> Limbs {
    let lanes: [Lane; 8] = std::array::from_fn(f);
    std::array::from_fn(|limb| lanes.map(|lane| lane[limb]))
}

/// Signed limbs of what is not negative to limbs below `2^52`.
fn carry(mut t: [i64; 8]) -> Lane {
    for k in 0..7 {
        t[k + 1] += t[k] >> 52;
        t[k] &= MASK as i64;
    }
    assert!((0..1 << 52).contains(&t[7]), "a value is negative, or too large");
    t.map(|limb| limb as u64)
}

fn sum(a: &Lane, b: &Lane) -> Lane {
    carry(std::array::from_fn(|k| (a[k] + b[k]) as i64))
}

fn difference(a: &Lane, b: &Lane, c: &Lane) -> Lane {
    carry(std::array::from_fn(|k| (a[k] + c[k]) as i64 - b[k] as i64))
}

/// `t += a·b`, in columns of unreduced halves as the instructions leave them.
fn accumulate(t: &mut Column, a: &Lane, b: &Lane) {
    for (i, b) in b.iter().enumerate() {
        for (j, a) in a.iter().enumerate() {
            multiply_add(t, i + j, *a, *b);
        }
    }
}

fn multiply_add(t: &mut Column, at: usize, a: u64, b: u64) {
    let product = u128::from(a & MASK) * u128::from(b & MASK);
    t[at] += (product as u64 & MASK) as i64;
    t[at + 1] += (product >> 52) as i64;
    assert!([t[at], t[at + 1]].iter().all(|column| column.abs() < 1 << 62), "a column is not below 2^62");
}

/// Montgomery's reduction; `p` is added when the columns may be negative as a whole.
fn reduce(mut t: Column, signed: bool) -> Lane {
    for i in 0..8 {
        let m = (u128::from(t[i] as u64 & MASK) * u128::from(NEGATIVE_INVERSE)) as u64 & MASK;
        for (j, p) in P.iter().enumerate() {
            multiply_add(&mut t, i + j, m, *p);
        }
        assert_eq!(t[i] as u64 & MASK, 0);
        t[i + 1] += t[i] >> 52;
    }
    let out = carry(std::array::from_fn(|k| t[k + 8] + if signed { P[k] as i64 } else { 0 }));
    assert!(less(&out, &sum(&multiple(1), &multiple(0))), "a product is not below 3p");
    out
}

pub(super) fn load(elements: [&Fp; 8]) -> Limbs {
    lanes(|k| split(elements[k].limbs()))
}

pub(super) fn unload(a: &Limbs) -> [Fp; 8] {
    let settled = settle(a);
    std::array::from_fn(|k| {
        let l = lane(&settled, k);
        Fp::from_limbs([
            l[0] | l[1] << 52,
            l[1] >> 12 | l[2] << 40,
            l[2] >> 24 | l[3] << 28,
            l[3] >> 36 | l[4] << 16,
            l[4] >> 48 | l[5] << 4 | l[6] << 56,
            l[6] >> 8 | l[7] << 44,
        ])
    })
}

pub(super) fn settle(a: &Limbs) -> Limbs {
    lanes(|k| {
        let mut rest = lane(a, k);
        assert!(less(&rest, &multiple(11)), "a value is not below 2^11·p");
        while !less(&rest, &P) {
            rest = carry(std::array::from_fn(|k| rest[k] as i64 - P[k] as i64));
        }
        rest
    })
}

pub(super) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    lanes(|k| sum(&lane(a, k), &lane(b, k)))
}

pub(super) fn sub(a: &Limbs, b: &Limbs, c: &[u64; 8]) -> Limbs {
    lanes(|k| difference(&lane(a, k), &lane(b, k), c))
}

pub(super) fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    lanes(|k| {
        let mut t = [0; 16];
        accumulate(&mut t, &lane(a, k), &lane(b, k));
        reduce(t, false)
    })
}

pub(super) fn sqr(a: &Limbs) -> Limbs {
    mul(a, a)
}

pub(super) fn sum_of_squares(a: &Limbs, b: &Limbs) -> Limbs {
    lanes(|k| {
        let mut t = [0; 16];
        [a, b].iter().for_each(|a| accumulate(&mut t, &lane(a, k), &lane(a, k)));
        reduce(t, false)
    })
}

/// Both coordinates of a product, in columns.
fn product(a: [&Limbs; 2], b: [&Limbs; 2], k: usize) -> [Column; 2] {
    let [a0, a1] = a.map(|a| lane(a, k));
    let [b0, b1] = b.map(|b| lane(b, k));
    let [mut low, mut high, mut cross] = [[0; 16]; 3];
    accumulate(&mut low, &a0, &b0);
    accumulate(&mut high, &a1, &b1);
    accumulate(&mut cross, &sum(&a0, &a1), &sum(&b0, &b1));
    [std::array::from_fn(|k| low[k] - high[k]), std::array::from_fn(|k| cross[k] - low[k] - high[k])]
}

pub(super) fn quadratic_mul(a: [&Limbs; 2], b: [&Limbs; 2]) -> [Limbs; 2] {
    [lanes(|k| reduce(product(a, b, k)[0], true)), lanes(|k| reduce(product(a, b, k)[1], false))]
}

pub(super) fn quadratic_sqr(a: [&Limbs; 2], c: &[u64; 8]) -> [Limbs; 2] {
    let twice = |k: usize| {
        let mut t = [0; 16];
        (0..2).for_each(|_| accumulate(&mut t, &lane(a[0], k), &lane(a[1], k)));
        reduce(t, false)
    };
    [mul(&add(a[0], a[1]), &sub(a[0], a[1], c)), lanes(twice)]
}

/// Column by column and lane by lane.
fn columns(f: impl Fn(usize, usize) -> i64) -> Columns {
    std::array::from_fn(|column| std::array::from_fn(|lane| f(column, lane) as u64))
}

pub(super) fn quadratic_columns(a: [&Limbs; 2], b: [&Limbs; 2]) -> [Columns; 2] {
    let products: [_; 8] = std::array::from_fn(|k| product(a, b, k));
    [0, 1].map(|coordinate| columns(|column, lane| products[lane][coordinate][column]))
}

pub(super) fn add_columns(a: &Columns, b: &Columns) -> Columns {
    columns(|column, lane| a[column][lane] as i64 + b[column][lane] as i64)
}

pub(super) fn sub_columns(a: &Columns, b: &Columns) -> Columns {
    columns(|column, lane| a[column][lane] as i64 - b[column][lane] as i64)
}

pub(super) fn reduce_columns(t: &Columns) -> Limbs {
    lanes(|lane| reduce(t.map(|column| column[lane] as i64), true))
}

pub(super) fn blend(a: &Limbs, b: &Limbs, mask: u8) -> Limbs {
    lanes(|k| lane(if mask >> k & 1 == 1 { b } else { a }, k))
}

pub(super) fn zero_limbs(a: &Limbs) -> u8 {
    (0..8).fold(0, |mask, k| mask | u8::from(lane(a, k) == [0; 8]) << k)
}
