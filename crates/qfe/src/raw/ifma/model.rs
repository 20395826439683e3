//! The kernels lane by lane in plain integers, for tests: what processors without the
//! instructions run instead, and where the bounds of [`notes`](crate::notes) are asserted.

#[cfg(feature = "verify")]
use super::limbs::{Columns, Sign};
use super::{
    Fp2x8, Fp8,
    limbs::{Limbs, MASK, NEGATIVE_INVERSE, P, multiple, split},
    token::Ifma,
};
use crate::raw::{Fp, Lanes, LanesMut};

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

/// A vector from its limbs; its bound is set by who calls.
fn vector(token: Ifma, limbs: Limbs) -> Fp8 {
    Fp8::of(token, limbs, 0)
}

fn quadratic(of: &Fp2x8, limbs: [Limbs; 2]) -> Fp2x8 {
    let [c0, c1] = limbs.map(|limbs| vector(of.c0.token, limbs));
    Fp2x8 { c0, c1 }
}

/// Both coordinates by one function of limbs.
fn each(f: impl Fn(&Fp8) -> Fp8, a: &Fp2x8) -> Fp2x8 {
    Fp2x8 { c0: f(&a.c0), c1: f(&a.c1) }
}

fn settled(mut rest: Lane) -> Lane {
    assert!(less(&rest, &multiple(11)), "a value is not below 2^11·p");
    while !less(&rest, &P) {
        rest = carry(std::array::from_fn(|k| rest[k] as i64 - P[k] as i64));
    }
    rest
}

pub(super) fn load(token: Ifma, elements: &impl Lanes<Fp>) -> Fp8 {
    vector(token, lanes(|k| split(elements.lane(k).limbs())))
}

pub(super) fn rotate(a: &Fp8, by: usize) -> Fp8 {
    vector(a.token, lanes(|k| lane(&a.limbs, (k + by) % 8)))
}

pub(super) fn unload(a: &Fp8, places: &mut impl LanesMut<Fp>) {
    for k in 0..8 {
        let Some(place) = places.place(k) else { continue };
        let l = settled(lane(&a.limbs, k));
        *place = Fp::from_limbs([
            l[0] | l[1] << 52,
            l[1] >> 12 | l[2] << 40,
            l[2] >> 24 | l[3] << 28,
            l[3] >> 36 | l[4] << 16,
            l[4] >> 48 | l[5] << 4 | l[6] << 56,
            l[6] >> 8 | l[7] << 44,
        ]);
    }
}

pub(super) fn settle(a: &Fp8) -> Fp8 {
    vector(a.token, lanes(|k| settled(lane(&a.limbs, k))))
}

pub(super) fn add(a: &Fp8, b: &Fp8) -> Fp8 {
    vector(a.token, lanes(|k| sum(&lane(&a.limbs, k), &lane(&b.limbs, k))))
}

pub(super) fn sub(a: &Fp8, b: &Fp8, c: &[u64; 8]) -> Fp8 {
    vector(a.token, lanes(|k| difference(&lane(&a.limbs, k), &lane(&b.limbs, k), c)))
}

pub(super) fn negate_lanes(a: &Fp8, mask: u8, c: &[u64; 8]) -> Fp8 {
    let negated = |k: usize| difference(&[0; 8], &lane(&a.limbs, k), c);
    vector(a.token, lanes(|k| if mask >> k & 1 == 1 { negated(k) } else { lane(&a.limbs, k) }))
}

pub(super) fn mul(a: &Fp8, b: &Fp8) -> Fp8 {
    vector(
        a.token,
        lanes(|k| {
            let mut t = [0; 16];
            accumulate(&mut t, &lane(&a.limbs, k), &lane(&b.limbs, k));
            reduce(t, false)
        }),
    )
}

pub(super) fn sqr(a: &Fp8) -> Fp8 {
    mul(a, a)
}

#[cfg(feature = "verify")]
pub(super) fn blend(a: &Fp8, b: &Fp8, mask: u8) -> Fp8 {
    vector(a.token, lanes(|k| lane(if mask >> k & 1 == 1 { &b.limbs } else { &a.limbs }, k)))
}

pub(super) fn zero_limbs(a: &Fp8) -> u8 {
    (0..8).fold(0, |mask, k| mask | u8::from(lane(&a.limbs, k) == [0; 8]) << k)
}

pub(super) fn quadratic_add(a: &Fp2x8, b: &Fp2x8) -> Fp2x8 {
    Fp2x8 { c0: add(&a.c0, &b.c0), c1: add(&a.c1, &b.c1) }
}

pub(super) fn quadratic_sub(a: &Fp2x8, b: &Fp2x8, c: &[u64; 8]) -> Fp2x8 {
    Fp2x8 { c0: sub(&a.c0, &b.c0, c), c1: sub(&a.c1, &b.c1, c) }
}

pub(super) fn quadratic_settle(a: &Fp2x8) -> Fp2x8 {
    each(settle, a)
}

pub(super) fn quadratic_scale(a: &Fp2x8, by: &Fp8) -> Fp2x8 {
    each(|c| mul(c, by), a)
}

pub(super) fn quadratic_scale_conjugate(a: &Fp2x8, by: &Fp8, c: &[u64; 8]) -> Fp2x8 {
    Fp2x8 { c0: mul(&a.c0, by), c1: negate_lanes(&mul(&a.c1, by), 0xff, c) }
}

pub(super) fn quadratic_norm(a: &Fp2x8) -> Fp8 {
    vector(
        a.c0.token,
        lanes(|k| {
            let mut t = [0; 16];
            [&a.c0, &a.c1].iter().for_each(|a| accumulate(&mut t, &lane(&a.limbs, k), &lane(&a.limbs, k)));
            reduce(t, false)
        }),
    )
}

/// Both coordinates of a product, in columns.
fn product(a: &Fp2x8, b: &Fp2x8, k: usize) -> [Column; 2] {
    let [a0, a1] = [&a.c0, &a.c1].map(|a| lane(&a.limbs, k));
    let [b0, b1] = [&b.c0, &b.c1].map(|b| lane(&b.limbs, k));
    let [mut low, mut high, mut cross] = [[0; 16]; 3];
    accumulate(&mut low, &a0, &b0);
    accumulate(&mut high, &a1, &b1);
    accumulate(&mut cross, &sum(&a0, &a1), &sum(&b0, &b1));
    [std::array::from_fn(|k| low[k] - high[k]), std::array::from_fn(|k| cross[k] - low[k] - high[k])]
}

pub(super) fn quadratic_mul(a: &Fp2x8, b: &Fp2x8) -> Fp2x8 {
    quadratic(a, [lanes(|k| reduce(product(a, b, k)[0], true)), lanes(|k| reduce(product(a, b, k)[1], false))])
}

pub(super) fn quadratic_sqr(a: &Fp2x8, c: &[u64; 8]) -> Fp2x8 {
    let twice = |k: usize| {
        let mut t = [0; 16];
        (0..2).for_each(|_| accumulate(&mut t, &lane(&a.c0.limbs, k), &lane(&a.c1.limbs, k)));
        reduce(t, false)
    };
    let c0 = mul(&add(&a.c0, &a.c1), &sub(&a.c0, &a.c1, c));
    Fp2x8 { c0, c1: vector(a.c0.token, lanes(twice)) }
}

#[cfg(feature = "verify")]
pub(super) fn quadratic_triple(t: &Fp2x8, z: &Fp2x8, negative: bool, c: &[u64; 8]) -> Fp2x8 {
    let (triple, double) = (quadratic_add(&quadratic_add(t, t), t), quadratic_add(z, z));
    let sum = if negative { quadratic_sub(&triple, &double, c) } else { quadratic_add(&triple, &double) };
    quadratic_settle(&sum)
}

/// Column by column and lane by lane.
#[cfg(feature = "verify")]
fn columns(f: impl Fn(usize, usize) -> i64) -> Columns {
    std::array::from_fn(|column| std::array::from_fn(|lane| f(column, lane) as u64))
}

#[cfg(feature = "verify")]
pub(super) fn product_columns(out: &mut [Columns; 2], a: &Fp2x8, b: &Fp2x8) {
    let products: [_; 8] = std::array::from_fn(|k| product(a, b, k));
    *out = [0, 1].map(|coordinate: usize| columns(|column, lane| products[lane][coordinate][column]));
}

/// The sum of some terms, coordinate by coordinate.
#[cfg(feature = "verify")]
fn total(terms: &[(Sign, &[Columns; 2])]) -> [Columns; 2] {
    let at = |coordinate: usize, column: usize, lane: usize| {
        let value = |(sign, term): &(Sign, &[Columns; 2])| {
            let [a, b] = term.each_ref().map(|half| half[column][lane] as i64);
            let (plain, twisted) = if coordinate == 0 { (a, a - b) } else { (b, a + b) };
            match sign {
                Sign::Plus => plain,
                Sign::Minus => -plain,
                Sign::Twisted => twisted,
                Sign::MinusTwisted => -twisted,
            }
        };
        terms.iter().map(value).sum()
    };
    [0, 1].map(|coordinate| columns(|column, lane| at(coordinate, column, lane)))
}

#[cfg(feature = "verify")]
pub(super) fn finish_cubic(c: [&mut [Columns; 2]; 3], v: [&[Columns; 2]; 3]) {
    use Sign::{Minus, MinusTwisted, Plus, Twisted};
    let [c0, c1, c2] = c;
    *c0 = total(&[(Plus, v[0]), (Twisted, &*c0), (MinusTwisted, v[1]), (MinusTwisted, v[2])]);
    *c1 = total(&[(Plus, &*c1), (Minus, v[0]), (Minus, v[1]), (Twisted, v[2])]);
    *c2 = total(&[(Plus, &*c2), (Minus, v[0]), (Minus, v[2]), (Plus, v[1])]);
}

#[cfg(feature = "verify")]
pub(super) fn finish_sparse(c: [&mut [Columns; 2]; 3], v: [&[Columns; 2]; 3]) {
    use Sign::{MinusTwisted, Plus, Twisted};
    let [c0, c1, c2] = c;
    *c0 = total(&[(Twisted, &*c0), (MinusTwisted, v[1]), (MinusTwisted, v[2])]);
    *c1 = total(&[(Plus, &*c1), (Twisted, v[2])]);
    *c2 = total(&[(Plus, &*c2), (Plus, v[1])]);
}

#[cfg(feature = "verify")]
pub(super) fn reduce_terms(out: &mut Fp2x8, terms: &[(Sign, &[Columns; 2])]) {
    let [real, imaginary] = total(terms).map(|t| lanes(|lane| reduce(t.map(|column| column[lane] as i64), true)));
    (out.c0.limbs, out.c1.limbs) = (real, imaginary);
}
