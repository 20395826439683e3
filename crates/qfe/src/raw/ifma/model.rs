//! The kernels lane by lane in plain integers, for tests: what processors without the
//! instructions run instead, and where the bounds of [`notes`](crate::notes) are asserted.

use super::kernels::{Limbs, MASK, NEGATIVE_INVERSE, P, P4, split};
use crate::raw::Fp;

type Lane = [u64; 8];

/// One lane of every operand, checked to be below `4p` with limbs below `2^52`.
fn lane(a: &Limbs, k: usize) -> Lane {
    let lane = a.map(|limb| limb[k]);
    assert!(lane.iter().all(|limb| *limb <= MASK), "a limb is not below 2^52");
    assert!(less(&lane, &P4), "a value is not below 4p");
    lane
}

fn less(a: &Lane, b: &Lane) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn lanes(f: impl Fn(usize) -> Lane) -> Limbs {
    let lanes: [Lane; 8] = std::array::from_fn(f);
    std::array::from_fn(|limb| lanes.map(|lane| lane[limb]))
}

/// Signed limbs to limbs below `2^52`, and whether the whole is negative.
fn carry(mut t: [i64; 8]) -> (Lane, bool) {
    for k in 0..7 {
        t[k + 1] += t[k] >> 52;
        t[k] &= MASK as i64;
    }
    (t.map(|limb| limb as u64 & MASK), t[7] < 0)
}

fn combine(a: &Lane, b: &Lane, sign: i64) -> [i64; 8] {
    std::array::from_fn(|k| a[k] as i64 + sign * b[k] as i64)
}

/// Montgomery's product of sums, in columns of unreduced halves as the instructions leave them.
fn reduce(products: &[(Lane, Lane)]) -> Lane {
    let mut t = [0u64; 16];
    let multiply_add = |t: &mut [u64; 16], at: usize, a: u64, b: u64| {
        let product = u128::from(a & MASK) * u128::from(b & MASK);
        t[at] += product as u64 & MASK;
        t[at + 1] += (product >> 52) as u64;
        assert!(t[at] < 1 << 58 && t[at + 1] < 1 << 58, "a column is not below 2^58");
    };
    for (a, b) in products {
        for (i, b) in b.iter().enumerate() {
            for (j, a) in a.iter().enumerate() {
                multiply_add(&mut t, i + j, *a, *b);
            }
        }
    }
    for i in 0..8 {
        let m = (u128::from(t[i] & MASK) * u128::from(NEGATIVE_INVERSE)) as u64 & MASK;
        for (j, p) in P.iter().enumerate() {
            multiply_add(&mut t, i + j, m, *p);
        }
        assert_eq!(t[i] & MASK, 0);
        t[i + 1] += t[i] >> 52;
    }
    for k in 8..15 {
        t[k + 1] += t[k] >> 52;
        t[k] &= MASK;
    }
    let out: Lane = std::array::from_fn(|k| t[k + 8]);
    let twice: Lane = split(&std::array::from_fn(|k| {
        crate::raw::MODULUS[k] << 1 | if k == 0 { 0 } else { crate::raw::MODULUS[k - 1] >> 63 }
    }));
    assert!(less(&out, &twice), "a product is not below 2p");
    out
}

pub(super) fn load(elements: [&Fp; 8]) -> Limbs {
    lanes(|k| split(elements[k].limbs()))
}

pub(super) fn unload(a: &Limbs) -> [Fp; 8] {
    std::array::from_fn(|k| {
        let l = lane(a, k);
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

pub(super) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    lanes(|k| {
        let (sum, _) = carry(combine(&lane(a, k), &lane(b, k), 1));
        let (less, negative) = carry(combine(&sum, &P4, -1));
        if negative { sum } else { less }
    })
}

pub(super) fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    lanes(|k| {
        let difference = combine(&lane(a, k), &lane(b, k), -1);
        let (kept, negative) = carry(difference);
        let more = std::array::from_fn(|k| difference[k] + P4[k] as i64);
        if negative { carry(more).0 } else { kept }
    })
}

pub(super) fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    lanes(|k| reduce(&[(lane(a, k), lane(b, k))]))
}

pub(super) fn sqr(a: &Limbs) -> Limbs {
    mul(a, a)
}

pub(super) fn sum_of_products(a: &Limbs, b: &Limbs, c: &Limbs, d: &Limbs) -> Limbs {
    lanes(|k| reduce(&[(lane(a, k), lane(b, k)), (lane(c, k), lane(d, k))]))
}

pub(super) fn blend(a: &Limbs, b: &Limbs, mask: u8) -> Limbs {
    lanes(|k| lane(if mask >> k & 1 == 1 { b } else { a }, k))
}

pub(super) fn zero_limbs(a: &Limbs) -> u8 {
    (0..8).fold(0, |mask, k| mask | u8::from(lane(a, k) == [0; 8]) << k)
}
