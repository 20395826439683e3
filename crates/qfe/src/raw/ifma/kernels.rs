//! The instructions: functions of limbs in registers.

use std::arch::x86_64::*;

use super::limbs::*;
use super::token::Ifma;
use super::{Fp2x8, Fp8};
use crate::raw::{Fp, Lanes, LanesMut};

type Registers = [__m512i; 8];
type WideRegisters = [__m512i; 16];

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

/// Limbs below `2^52` from signed limbs; the top limb takes what is above.
macro_rules! carry {
    ($t:ident) => {
        let mask = _mm512_set1_epi64(MASK as i64);
        for k in 0..7 {
            $t[k + 1] = _mm512_add_epi64($t[k + 1], _mm512_srai_epi64::<52>($t[k]));
            $t[k] = _mm512_and_si512($t[k], mask);
        }
    };
}

/// The same word in every lane, for all limbs.
macro_rules! splat {
    ($limbs:expr, $k:expr) => {
        _mm512_set1_epi64($limbs[$k] as i64)
    };
}

/// Normal limbs of `a + b`.
macro_rules! sum {
    ($a:expr, $b:expr) => {{
        let (a, b) = (read!($a), read!($b));
        let mut sum: Registers = std::array::from_fn(|k| _mm512_add_epi64(a[k], b[k]));
        carry!(sum);
        sum
    }};
}

/// Normal limbs of `a − b + c`, where `c` has the same limbs in every lane.
macro_rules! difference {
    ($a:expr, $b:expr, $c:expr) => {{
        let (a, b) = (read!($a), read!($b));
        let c: &[u64; 8] = $c;
        let mut difference: Registers =
            std::array::from_fn(|k| _mm512_sub_epi64(_mm512_add_epi64(a[k], splat!(c, k)), b[k]));
        carry!(difference);
        difference
    }};
}

/// `t += a·b`, limb products unreduced.
macro_rules! accumulate {
    ($t:ident, $a:expr, $b:expr) => {{
        let (a, b) = (read!($a), read!($b));
        accumulate!(@rows $t, a, b, 0 1 2 3 4 5 6 7);
    }};
    (registers $t:ident, $a:ident, $b:ident) => {
        accumulate!(@rows $t, $a, $b, 0 1 2 3 4 5 6 7);
    };
    (@rows $t:ident, $a:ident, $b:ident, $($i:literal)*) => {$(
        for j in 0..8 {
            $t[$i + j] = _mm512_madd52lo_epu64($t[$i + j], $a[j], $b[$i]);
            $t[$i + j + 1] = _mm512_madd52hi_epu64($t[$i + j + 1], $a[j], $b[$i]);
        }
    )*};
}

/// `t += a²`, where nothing has been added to `t` before.
macro_rules! accumulate_square {
    ($t:ident, $($a:ident),*) => {{
        $(accumulate_square!(@cross $t, $a, 0 1 2 3 4 5 6);)*
        for limb in &mut $t {
            *limb = _mm512_add_epi64(*limb, *limb);
        }
        $(accumulate_square!(@diagonal $t, $a, 0 1 2 3 4 5 6 7);)*
    }};
    (@cross $t:ident, $a:ident, $($i:literal)*) => {$(
        for j in $i + 1..8 {
            $t[$i + j] = _mm512_madd52lo_epu64($t[$i + j], $a[j], $a[$i]);
            $t[$i + j + 1] = _mm512_madd52hi_epu64($t[$i + j + 1], $a[j], $a[$i]);
        }
    )*};
    (@diagonal $t:ident, $a:ident, $($i:literal)*) => {$(
        $t[2 * $i] = _mm512_madd52lo_epu64($t[2 * $i], $a[$i], $a[$i]);
        $t[2 * $i + 1] = _mm512_madd52hi_epu64($t[2 * $i + 1], $a[$i], $a[$i]);
    )*};
}

/// Montgomery reduction of sixteen signed columns, as eight signed ones.
macro_rules! reduce_columns {
    ($t:ident) => {{
        let inverse = _mm512_set1_epi64(NEGATIVE_INVERSE as i64);
        let zero = _mm512_setzero_si512();
        reduce_columns!(@steps $t, inverse, zero, 0 1 2 3 4 5 6 7);
        let out: Registers = std::array::from_fn(|k| $t[k + 8]);
        out
    }};
    (@steps $t:ident, $inverse:ident, $zero:ident, $($i:literal)*) => {$(
        let m = _mm512_madd52lo_epu64($zero, $t[$i], $inverse);
        for j in 0..8 {
            $t[$i + j] = _mm512_madd52lo_epu64($t[$i + j], m, splat!(P, j));
            $t[$i + j + 1] = _mm512_madd52hi_epu64($t[$i + j + 1], m, splat!(P, j));
        }
        $t[$i + 1] = _mm512_add_epi64($t[$i + 1], _mm512_srai_epi64::<52>($t[$i]));
    )*};
}

/// The product of columns that are not negative as a whole.
macro_rules! reduce {
    ($t:ident) => {{
        let mut out = reduce_columns!($t);
        carry!(out);
        out
    }};
}

/// The same of columns of either sign: `p` is added.
macro_rules! reduce_signed {
    ($t:ident) => {{
        let mut out = reduce_columns!($t);
        for k in 0..8 {
            out[k] = _mm512_add_epi64(out[k], splat!(P, k));
        }
        carry!(out);
        out
    }};
}

/// A value below `2^11·p` in normal limbs, made smaller than `2p`.
macro_rules! settle {
    ($t:ident) => {
        let quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), $t[7], _mm512_set1_epi64(QUOTIENT as i64));
        for k in 0..7 {
            $t[k] = _mm512_madd52lo_epu64($t[k], quotient, splat!(MINUS_P, k));
            $t[k + 1] = _mm512_madd52hi_epu64($t[k + 1], quotient, splat!(MINUS_P, k));
        }
        $t[7] = _mm512_madd52lo_epu64($t[7], quotient, splat!(MINUS_P, 7));
        carry!($t);
        $t[7] = _mm512_and_si512($t[7], _mm512_set1_epi64(MASK as i64));
    };
}

/// Normal limbs of `c − a` in the lanes of the mask, of `a` in the others.
macro_rules! negate_lanes {
    ($a:expr, $mask:expr, $c:expr) => {{
        let a = read!($a);
        let c: &[u64; 8] = $c;
        let mut negative: Registers = std::array::from_fn(|k| _mm512_sub_epi64(splat!(c, k), a[k]));
        carry!(negative);
        let chosen: Registers = std::array::from_fn(|k| _mm512_mask_mov_epi64(a[k], $mask, negative[k]));
        chosen
    }};
}

/// The product of two elements.
macro_rules! product {
    ($a:expr, $b:expr) => {{
        let mut t = [_mm512_setzero_si512(); 16];
        accumulate!(t, $a, $b);
        reduce!(t)
    }};
}

// Results are written where the caller wants them: vectors returned in parts would be copied.

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn add(a: &Fp8, b: &Fp8) -> Fp8 {
    Fp8::of(a.token, write!(sum!(&a.limbs, &b.limbs)), 0)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sub(a: &Fp8, b: &Fp8, c: &[u64; 8]) -> Fp8 {
    Fp8::of(a.token, write!(difference!(&a.limbs, &b.limbs, c)), 0)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn settle(a: &Fp8) -> Fp8 {
    let mut t = read!(&a.limbs);
    settle!(t);
    Fp8::of(a.token, write!(t), 0)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn negate_lanes(a: &Fp8, mask: u8, c: &[u64; 8]) -> Fp8 {
    Fp8::of(a.token, write!(negate_lanes!(&a.limbs, mask, c)), 0)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn mul(a: &Fp8, b: &Fp8) -> Fp8 {
    Fp8::of(a.token, write!(product!(&a.limbs, &b.limbs)), 0)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sqr(a: &Fp8) -> Fp8 {
    let limbs = read!(&a.limbs);
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate_square!(t, limbs);
    Fp8::of(a.token, write!(reduce!(t)), 0)
}

#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn blend(a: &Fp8, b: &Fp8, mask: u8) -> Fp8 {
    let (first, second) = (read!(&a.limbs), read!(&b.limbs));
    let limbs = write!(std::array::from_fn(|k| _mm512_mask_mov_epi64(first[k], mask, second[k])));
    Fp8::of(a.token, limbs, 0)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn zero_limbs(a: &Fp8) -> u8 {
    let a = read!(&a.limbs);
    let any = a.iter().fold(a[0], |any, &limb| _mm512_or_si512(any, limb));
    _mm512_cmpeq_epi64_mask(any, _mm512_setzero_si512())
}

/// An element of the quadratic extension from the limbs of both coordinates.
macro_rules! quadratic {
    ($of:expr, $c0:expr, $c1:expr) => {{
        let token = $of.c0.token;
        Fp2x8 { c0: Fp8::of(token, write!($c0), 0), c1: Fp8::of(token, write!($c1), 0) }
    }};
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_add(a: &Fp2x8, b: &Fp2x8) -> Fp2x8 {
    quadratic!(a, sum!(&a.c0.limbs, &b.c0.limbs), sum!(&a.c1.limbs, &b.c1.limbs))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_sub(a: &Fp2x8, b: &Fp2x8, c: &[u64; 8]) -> Fp2x8 {
    quadratic!(a, difference!(&a.c0.limbs, &b.c0.limbs, c), difference!(&a.c1.limbs, &b.c1.limbs, c))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_settle(a: &Fp2x8) -> Fp2x8 {
    let (mut c0, mut c1) = (read!(&a.c0.limbs), read!(&a.c1.limbs));
    settle!(c0);
    settle!(c1);
    quadratic!(a, c0, c1)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_scale(a: &Fp2x8, by: &Fp8) -> Fp2x8 {
    quadratic!(a, product!(&a.c0.limbs, &by.limbs), product!(&a.c1.limbs, &by.limbs))
}

/// `a₀·b` and `c − a₁·b`.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_scale_conjugate(a: &Fp2x8, by: &Fp8, c: &[u64; 8]) -> Fp2x8 {
    let c0 = product!(&a.c0.limbs, &by.limbs);
    let c1 = product!(&a.c1.limbs, &by.limbs);
    let mut negative: Registers = std::array::from_fn(|k| _mm512_sub_epi64(splat!(c, k), c1[k]));
    carry!(negative);
    quadratic!(a, c0, negative)
}

/// `a₀² + a₁²`.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_norm(a: &Fp2x8) -> Fp8 {
    let (first, second) = (read!(&a.c0.limbs), read!(&a.c1.limbs));
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate_square!(t, first, second);
    Fp8::of(a.c0.token, write!(reduce!(t)), 0)
}

/// Karatsuba's method: the columns of `a₀b₀ − a₁b₁` and of `(a₀ + a₁)(b₀ + b₁) − a₀b₀ − a₁b₁`.
macro_rules! quadratic_product {
    ($a0:expr, $a1:expr, $b0:expr, $b1:expr) => {{
        let mut low = [_mm512_setzero_si512(); 16];
        accumulate!(low, $a0, $b0);
        let mut high = [_mm512_setzero_si512(); 16];
        accumulate!(high, $a1, $b1);
        let real: WideRegisters = std::array::from_fn(|k| _mm512_sub_epi64(low[k], high[k]));
        let both: WideRegisters = std::array::from_fn(|k| _mm512_add_epi64(low[k], high[k]));
        let (a, b) = (sum!($a0, $a1), sum!($b0, $b1));
        let mut cross = [_mm512_setzero_si512(); 16];
        accumulate!(registers cross, a, b);
        let imaginary: WideRegisters = std::array::from_fn(|k| _mm512_sub_epi64(cross[k], both[k]));
        (real, imaginary)
    }};
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_mul(a: &Fp2x8, b: &Fp2x8) -> Fp2x8 {
    let (mut real, mut imaginary) = quadratic_product!(&a.c0.limbs, &a.c1.limbs, &b.c0.limbs, &b.c1.limbs);
    quadratic!(a, reduce_signed!(real), reduce!(imaginary))
}

/// `(a₀ + a₁)(a₀ − a₁)` and `2·a₀a₁`; `c` is a multiple of `p` above `a₁`.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_sqr(a: &Fp2x8, c: &[u64; 8]) -> Fp2x8 {
    let (a0, a1) = (&a.c0.limbs, &a.c1.limbs);
    let (sum, difference) = (sum!(a0, a1), difference!(a0, a1, c));
    let mut real = [_mm512_setzero_si512(); 16];
    accumulate!(registers real, sum, difference);
    let mut imaginary = [_mm512_setzero_si512(); 16];
    accumulate!(imaginary, a0, a1);
    for limb in &mut imaginary {
        *limb = _mm512_add_epi64(*limb, *limb);
    }
    quadratic!(a, reduce!(real), reduce!(imaginary))
}

#[cfg(feature = "verify")]
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn row(of: &Columns, k: usize) -> __m512i {
    // SAFETY: a row of 64 readable bytes, of any bits.
    unsafe { _mm512_loadu_si512(of[k].as_ptr().cast()) }
}

#[cfg(feature = "verify")]
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn set_row(of: &mut Columns, k: usize, row: __m512i) {
    // SAFETY: a row of 64 writable bytes, of any bits.
    unsafe { _mm512_storeu_si512(of[k].as_mut_ptr().cast(), row) }
}

#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn product_columns(out: &mut [Columns; 2], a: &Fp2x8, b: &Fp2x8) {
    let (real, imaginary) = quadratic_product!(&a.c0.limbs, &a.c1.limbs, &b.c0.limbs, &b.c1.limbs);
    for k in 0..16 {
        set_row(&mut out[0], k, real[k]);
        set_row(&mut out[1], k, imaginary[k]);
    }
}

/// Of products in the cubic extension: from `a₀b₀, a₁b₁, a₂b₂` and
/// `(a₁ + a₂)(b₁ + b₂), (a₀ + a₁)(b₀ + b₁), (a₀ + a₂)(b₀ + b₂)` to the three coefficients.
#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn finish_cubic(c: [&mut [Columns; 2]; 3], v: [&[Columns; 2]; 3]) {
    let (add, sub) = (|a, b| _mm512_add_epi64(a, b), |a, b| _mm512_sub_epi64(a, b));
    for k in 0..16 {
        let v: [[__m512i; 2]; 3] = std::array::from_fn(|i| [row(&v[i][0], k), row(&v[i][1], k)]);
        let t: [[__m512i; 2]; 3] = std::array::from_fn(|i| [row(&c[i][0], k), row(&c[i][1], k)]);
        let rest: [__m512i; 2] = std::array::from_fn(|h| sub(sub(t[0][h], v[1][h]), v[2][h]));
        set_row(&mut c[0][0], k, add(v[0][0], sub(rest[0], rest[1])));
        set_row(&mut c[0][1], k, add(v[0][1], add(rest[0], rest[1])));
        let rest: [__m512i; 2] = std::array::from_fn(|h| sub(sub(t[1][h], v[0][h]), v[1][h]));
        set_row(&mut c[1][0], k, add(rest[0], sub(v[2][0], v[2][1])));
        set_row(&mut c[1][1], k, add(rest[1], add(v[2][0], v[2][1])));
        for h in 0..2 {
            set_row(&mut c[2][h], k, add(sub(sub(t[2][h], v[0][h]), v[2][h]), v[1][h]));
        }
    }
}

/// The same where `b₀ = 0`: from `a₁b₁, a₂b₂` in `v` and `(a₁ + a₂)(b₁ + b₂), a₀b₁, a₀b₂`.
#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn finish_sparse(c: [&mut [Columns; 2]; 3], v: [&[Columns; 2]; 3]) {
    let (add, sub) = (|a, b| _mm512_add_epi64(a, b), |a, b| _mm512_sub_epi64(a, b));
    for k in 0..16 {
        let v: [[__m512i; 2]; 3] = std::array::from_fn(|i| [row(&v[i][0], k), row(&v[i][1], k)]);
        let t: [[__m512i; 2]; 3] = std::array::from_fn(|i| [row(&c[i][0], k), row(&c[i][1], k)]);
        let rest: [__m512i; 2] = std::array::from_fn(|h| sub(sub(t[0][h], v[1][h]), v[2][h]));
        set_row(&mut c[0][0], k, sub(rest[0], rest[1]));
        set_row(&mut c[0][1], k, add(rest[0], rest[1]));
        set_row(&mut c[1][0], k, add(t[1][0], sub(v[2][0], v[2][1])));
        set_row(&mut c[1][1], k, add(t[1][1], add(v[2][0], v[2][1])));
        for h in 0..2 {
            set_row(&mut c[2][h], k, add(t[2][h], v[1][h]));
        }
    }
}

/// Adds terms up and reduces the sum.
#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn reduce_terms(out: &mut Fp2x8, terms: &[(Sign, &[Columns; 2])]) {
    let mut real = [_mm512_setzero_si512(); 16];
    for (sign, [a, b]) in terms {
        macro_rules! each {
            ($instruction:ident, |$k:ident| $term:expr) => {
                for $k in 0..16 {
                    real[$k] = $instruction(real[$k], $term);
                }
            };
        }
        match sign {
            Sign::Plus => each!(_mm512_add_epi64, |k| row(a, k)),
            Sign::Minus => each!(_mm512_sub_epi64, |k| row(a, k)),
            Sign::Twisted => each!(_mm512_add_epi64, |k| _mm512_sub_epi64(row(a, k), row(b, k))),
            Sign::MinusTwisted => each!(_mm512_sub_epi64, |k| _mm512_sub_epi64(row(a, k), row(b, k))),
        }
    }
    out.c0.limbs = write!(reduce_signed!(real));
    let mut imaginary = [_mm512_setzero_si512(); 16];
    for (sign, [a, b]) in terms {
        macro_rules! each {
            ($instruction:ident, |$k:ident| $term:expr) => {
                for $k in 0..16 {
                    imaginary[$k] = $instruction(imaginary[$k], $term);
                }
            };
        }
        match sign {
            Sign::Plus => each!(_mm512_add_epi64, |k| row(b, k)),
            Sign::Minus => each!(_mm512_sub_epi64, |k| row(b, k)),
            Sign::Twisted => each!(_mm512_add_epi64, |k| _mm512_add_epi64(row(a, k), row(b, k))),
            Sign::MinusTwisted => each!(_mm512_sub_epi64, |k| _mm512_add_epi64(row(a, k), row(b, k))),
        }
    }
    out.c1.limbs = write!(reduce_signed!(imaginary));
}

/// `3t + 2z`, or `3t − 2z + c`, below `2p`.
#[cfg(feature = "verify")]
macro_rules! triple {
    ($t:expr, $z:expr, $negative:expr, $c:expr) => {{
        let (t, z) = (read!($t), read!($z));
        let c: &[u64; 8] = $c;
        let mut out: Registers = std::array::from_fn(|k| {
            let (triple, double) = (_mm512_add_epi64(_mm512_add_epi64(t[k], t[k]), t[k]), _mm512_add_epi64(z[k], z[k]));
            if $negative {
                _mm512_sub_epi64(_mm512_add_epi64(triple, splat!(c, k)), double)
            } else {
                _mm512_add_epi64(triple, double)
            }
        });
        carry!(out);
        settle!(out);
        out
    }};
}

#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_triple(t: &Fp2x8, z: &Fp2x8, negative: bool, c: &[u64; 8]) -> Fp2x8 {
    quadratic!(t, triple!(&t.c0.limbs, &z.c0.limbs, negative, c), triple!(&t.c1.limbs, &z.c1.limbs, negative, c))
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
pub(super) fn load(token: Ifma, elements: &impl Lanes<Fp>) -> Fp8 {
    macro_rules! word {
        ($lane:literal) => {
            // SAFETY: the mask reads the six limbs of an element and nothing beyond.
            unsafe { _mm512_maskz_loadu_epi64(0b11_1111, elements.lane($lane).limbs().as_ptr().cast()) }
        };
    }
    let w = transpose!([word!(0), word!(1), word!(2), word!(3), word!(4), word!(5), word!(6), word!(7)]);
    let mask = _mm512_set1_epi64(MASK as i64);
    let and = |value| _mm512_and_si512(value, mask);
    let or = |a, b| _mm512_or_si512(a, b);
    let limbs = write!([
        and(w[0]),
        and(or(_mm512_srli_epi64::<52>(w[0]), _mm512_slli_epi64::<12>(w[1]))),
        and(or(_mm512_srli_epi64::<40>(w[1]), _mm512_slli_epi64::<24>(w[2]))),
        and(or(_mm512_srli_epi64::<28>(w[2]), _mm512_slli_epi64::<36>(w[3]))),
        and(or(_mm512_srli_epi64::<16>(w[3]), _mm512_slli_epi64::<48>(w[4]))),
        and(_mm512_srli_epi64::<4>(w[4])),
        and(or(_mm512_srli_epi64::<56>(w[4]), _mm512_slli_epi64::<8>(w[5]))),
        _mm512_srli_epi64::<44>(w[5]),
    ]);
    Fp8::of(token, limbs, 0)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn unload(a: &Fp8, places: &mut impl LanesMut<Fp>) {
    let mut l = read!(&a.limbs);
    settle!(l);
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
    macro_rules! put {
        ($($lane:literal)*) => {$(
            if let Some(place) = places.place($lane) {
                // SAFETY: the mask writes the six limbs of an element and nothing beyond.
                unsafe { _mm512_mask_storeu_epi64((place as *mut Fp).cast(), 0b11_1111, rows[$lane]) };
            }
        )*};
    }
    put!(0 1 2 3 4 5 6 7);
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn rotate(a: &Fp8, by: usize) -> Fp8 {
    let lanes = _mm512_add_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(by as i64));
    let limbs = read!(&a.limbs);
    // The instruction reads three bits of each index.
    Fp8::of(a.token, write!(std::array::from_fn(|k| _mm512_permutexvar_epi64(lanes, limbs[k]))), 0)
}
