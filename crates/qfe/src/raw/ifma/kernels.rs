//! The instructions: functions of limbs in registers.

use std::arch::x86_64::*;

use crate::raw::{Field, Fp, MODULUS};

pub(super) const MASK: u64 = (1 << 52) - 1;
/// `−1/p` modulo `2^52`.
pub(super) const NEGATIVE_INVERSE: u64 = 0x89f3_fffc_fffc_fffd & MASK;

pub(super) const fn split(w: &[u64; 6]) -> [u64; 8] {
    [
        w[0] & MASK,
        (w[0] >> 52 | w[1] << 12) & MASK,
        (w[1] >> 40 | w[2] << 24) & MASK,
        (w[2] >> 28 | w[3] << 36) & MASK,
        (w[3] >> 16 | w[4] << 48) & MASK,
        (w[4] >> 4) & MASK,
        (w[4] >> 56 | w[5] << 8) & MASK,
        w[5] >> 44,
    ]
}

const fn times4(w: &[u64; 6]) -> [u64; 6] {
    let mut out = [0; 6];
    let mut k = 0;
    while k < 6 {
        out[k] = w[k] << 2 | if k == 0 { 0 } else { w[k - 1] >> 62 };
        k += 1;
    }
    out
}

pub(super) const P: [u64; 8] = split(&MODULUS);
pub(super) const P4: [u64; 8] = split(&times4(&MODULUS));

// What the notes rest on: the inverse is one, and 4p leaves its top limb far from full.
const _: () = assert!(P[0].wrapping_mul(NEGATIVE_INVERSE) & MASK == MASK && P4[7] < 1 << 19);

pub(super) type Limbs = [[u64; 8]; 8];
type Registers = [__m512i; 8];

// The bodies below are macros, not functions: registers must not pass through
// memory, and functions with target features cannot be forced inline.

macro_rules! read {
    ($limbs:expr) => {{
        let limbs: &Limbs = $limbs;
        // SAFETY: eight rows of 64 readable bytes, of any bits.
        let rows: Registers = std::array::from_fn(|k| unsafe { _mm512_loadu_si512(limbs[k].as_ptr().cast()) });
        rows
    }};
}

macro_rules! write {
    ($registers:expr) => {{
        let registers: Registers = $registers;
        // SAFETY: both are 512 bytes of any bits.
        unsafe { std::mem::transmute::<Registers, Limbs>(registers) }
    }};
}

/// Limbs below `2^52` from signed limbs; the top limb keeps the sign of the whole.
macro_rules! carry {
    ($t:ident) => {
        let mask = _mm512_set1_epi64(MASK as i64);
        for k in 0..7 {
            $t[k + 1] = _mm512_add_epi64($t[k + 1], _mm512_srai_epi64::<52>($t[k]));
            $t[k] = _mm512_and_si512($t[k], mask);
        }
    };
}

/// The first where it is not negative, else the second.
macro_rules! select_nonnegative {
    ($first:ident, $second:ident) => {{
        carry!($first);
        carry!($second);
        let negative = _mm512_cmplt_epi64_mask($first[7], _mm512_setzero_si512());
        let chosen: Registers = std::array::from_fn(|k| _mm512_mask_mov_epi64($first[k], negative, $second[k]));
        chosen
    }};
}

/// `t += a·b`, limb products unreduced.
macro_rules! accumulate {
    ($t:ident, $a:expr, $b:expr) => {{
        let (a, b) = (read!($a), read!($b));
        accumulate!(@rows $t, a, b, 0 1 2 3 4 5 6 7);
    }};
    (@rows $t:ident, $a:ident, $b:ident, $($i:literal)*) => {$(
        for j in 0..8 {
            $t[$i + j] = _mm512_madd52lo_epu64($t[$i + j], $a[j], $b[$i]);
            $t[$i + j + 1] = _mm512_madd52hi_epu64($t[$i + j + 1], $a[j], $b[$i]);
        }
    )*};
}

/// Montgomery reduction of sixteen limbs.
macro_rules! reduce {
    ($t:ident) => {{
        let inverse = _mm512_set1_epi64(NEGATIVE_INVERSE as i64);
        let zero = _mm512_setzero_si512();
        let p: Registers = std::array::from_fn(|j| _mm512_set1_epi64(P[j] as i64));
        reduce!(@steps $t, p, inverse, zero, 0 1 2 3 4 5 6 7);
        let mask = _mm512_set1_epi64(MASK as i64);
        for k in 8..15 {
            $t[k + 1] = _mm512_add_epi64($t[k + 1], _mm512_srli_epi64::<52>($t[k]));
            $t[k] = _mm512_and_si512($t[k], mask);
        }
        let out: Registers = std::array::from_fn(|k| $t[k + 8]);
        out
    }};
    (@steps $t:ident, $p:ident, $inverse:ident, $zero:ident, $($i:literal)*) => {$(
        let m = _mm512_madd52lo_epu64($zero, $t[$i], $inverse);
        for j in 0..8 {
            $t[$i + j] = _mm512_madd52lo_epu64($t[$i + j], m, $p[j]);
            $t[$i + j + 1] = _mm512_madd52hi_epu64($t[$i + j + 1], m, $p[j]);
        }
        $t[$i + 1] = _mm512_add_epi64($t[$i + 1], _mm512_srli_epi64::<52>($t[$i]));
    )*};
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let (a, b) = (read!(a), read!(b));
    let mut sum: Registers = std::array::from_fn(|k| _mm512_add_epi64(a[k], b[k]));
    let mut less: Registers = std::array::from_fn(|k| _mm512_sub_epi64(sum[k], _mm512_set1_epi64(P4[k] as i64)));
    write!(select_nonnegative!(less, sum))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    let (a, b) = (read!(a), read!(b));
    let mut difference: Registers = std::array::from_fn(|k| _mm512_sub_epi64(a[k], b[k]));
    let mut more: Registers = std::array::from_fn(|k| _mm512_add_epi64(difference[k], _mm512_set1_epi64(P4[k] as i64)));
    write!(select_nonnegative!(difference, more))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate!(t, a, b);
    write!(reduce!(t))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sum_of_products(a: &Limbs, b: &Limbs, c: &Limbs, d: &Limbs) -> Limbs {
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate!(t, a, b);
    accumulate!(t, c, d);
    write!(reduce!(t))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sqr(a: &Limbs) -> Limbs {
    let a = read!(a);
    let mut t = [_mm512_setzero_si512(); 16];
    macro_rules! row {
        ($($i:literal)*) => {$(
            for j in $i + 1..8 {
                t[$i + j] = _mm512_madd52lo_epu64(t[$i + j], a[j], a[$i]);
                t[$i + j + 1] = _mm512_madd52hi_epu64(t[$i + j + 1], a[j], a[$i]);
            }
        )*};
    }
    row!(0 1 2 3 4 5 6);
    for limb in &mut t {
        *limb = _mm512_add_epi64(*limb, *limb);
    }
    macro_rules! diagonal {
        ($($i:literal)*) => {$(
            t[2 * $i] = _mm512_madd52lo_epu64(t[2 * $i], a[$i], a[$i]);
            t[2 * $i + 1] = _mm512_madd52hi_epu64(t[2 * $i + 1], a[$i], a[$i]);
        )*};
    }
    diagonal!(0 1 2 3 4 5 6 7);
    write!(reduce!(t))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn blend(a: &Limbs, b: &Limbs, mask: u8) -> Limbs {
    let (a, b) = (read!(a), read!(b));
    write!(std::array::from_fn(|k| _mm512_mask_mov_epi64(a[k], mask, b[k])))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn zero_limbs(a: &Limbs) -> u8 {
    let a = read!(a);
    let any = a.iter().fold(a[0], |any, &limb| _mm512_or_si512(any, limb));
    _mm512_cmpeq_epi64_mask(any, _mm512_setzero_si512())
}

/// Transposes an 8×8 matrix of words.
macro_rules! transpose {
    ($rows:expr) => {{
        let r: Registers = $rows;
        let low = |i: usize| _mm512_unpacklo_epi64(r[i], r[i + 1]);
        let high = |i: usize| _mm512_unpackhi_epi64(r[i], r[i + 1]);
        macro_rules! even {
            ($a:expr, $b:expr) => {
                _mm512_shuffle_i64x2::<0b10_00_10_00>($a, $b)
            };
        }
        macro_rules! odd {
            ($a:expr, $b:expr) => {
                _mm512_shuffle_i64x2::<0b11_01_11_01>($a, $b)
            };
        }
        let (l0, l2, l4, l6) = (low(0), low(2), low(4), low(6));
        let (h0, h2, h4, h6) = (high(0), high(2), high(4), high(6));
        let (e0, e1, o0, o1) = (even!(l0, l2), even!(h0, h2), odd!(l0, l2), odd!(h0, h2));
        let (e2, e3, o2, o3) = (even!(l4, l6), even!(h4, h6), odd!(l4, l6), odd!(h4, h6));
        let out: Registers = [
            even!(e0, e2),
            even!(e1, e3),
            even!(o0, o2),
            even!(o1, o3),
            odd!(e0, e2),
            odd!(e1, e3),
            odd!(o0, o2),
            odd!(o1, o3),
        ];
        out
    }};
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn load(elements: [&Fp; 8]) -> Limbs {
    // SAFETY: the mask reads the six limbs of an element and nothing beyond.
    let w = transpose!(elements.map(|e| unsafe { _mm512_maskz_loadu_epi64(0b11_1111, e.limbs().as_ptr().cast()) }));
    let mask = _mm512_set1_epi64(MASK as i64);
    let and = |value| _mm512_and_si512(value, mask);
    let or = |a, b| _mm512_or_si512(a, b);
    write!([
        and(w[0]),
        and(or(_mm512_srli_epi64::<52>(w[0]), _mm512_slli_epi64::<12>(w[1]))),
        and(or(_mm512_srli_epi64::<40>(w[1]), _mm512_slli_epi64::<24>(w[2]))),
        and(or(_mm512_srli_epi64::<28>(w[2]), _mm512_slli_epi64::<36>(w[3]))),
        and(or(_mm512_srli_epi64::<16>(w[3]), _mm512_slli_epi64::<48>(w[4]))),
        and(_mm512_srli_epi64::<4>(w[4])),
        and(or(_mm512_srli_epi64::<56>(w[4]), _mm512_slli_epi64::<8>(w[5]))),
        _mm512_srli_epi64::<44>(w[5]),
    ])
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn unload(a: &Limbs) -> [Fp; 8] {
    let l = read!(a);
    let or = |a, b| _mm512_or_si512(a, b);
    let zero = _mm512_setzero_si512();
    let rows = transpose!([
        or(l[0], _mm512_slli_epi64::<52>(l[1])),
        or(_mm512_srli_epi64::<12>(l[1]), _mm512_slli_epi64::<40>(l[2])),
        or(_mm512_srli_epi64::<24>(l[2]), _mm512_slli_epi64::<28>(l[3])),
        or(_mm512_srli_epi64::<36>(l[3]), _mm512_slli_epi64::<16>(l[4])),
        or(or(_mm512_srli_epi64::<48>(l[4]), _mm512_slli_epi64::<4>(l[5])), _mm512_slli_epi64::<56>(l[6])),
        or(_mm512_srli_epi64::<8>(l[6]), _mm512_slli_epi64::<44>(l[7])),
        zero,
        zero,
    ]);
    let mut out = [Fp::ZERO; 8];
    for (out, row) in out.iter_mut().zip(rows) {
        // SAFETY: the mask writes the six limbs of an element and nothing beyond.
        unsafe { _mm512_mask_storeu_epi64((out as *mut Fp).cast(), 0b11_1111, row) };
    }
    out
}
