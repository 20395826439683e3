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

/// `2^bits·p`, in limbs of which the top one takes what is above.
pub(super) const fn multiple(bits: u32) -> [u64; 8] {
    let mut out = [0; 8];
    let mut carry = 0;
    let mut k = 0;
    while k < 8 {
        let limb = P[k] << bits | carry;
        out[k] = if k < 7 { limb & MASK } else { limb };
        carry = limb >> 52;
        k += 1;
    }
    out
}

/// `2^416 − p`.
const fn minus_p() -> [u64; 8] {
    let mut out = [0; 8];
    let mut carry = 1;
    let mut k = 0;
    while k < 8 {
        let limb = (MASK ^ P[k]) + carry;
        out[k] = limb & MASK;
        carry = limb >> 52;
        k += 1;
    }
    out
}

pub(super) const P: [u64; 8] = split(&MODULUS);
pub(super) const MINUS_P: [u64; 8] = minus_p();
/// `2^52/(p_7 + 1)`, rounded down: the quotient of a value by `p` from its top limb alone.
pub(super) const QUOTIENT: u64 = (1 << 52) / (P[7] + 1);

// What the notes rest on: the inverse is one, and multiples of p leave their top limb far from full.
const _: () = assert!(P[0].wrapping_mul(NEGATIVE_INVERSE) & MASK == MASK && multiple(11)[7] < 1 << 28);

pub(super) type Limbs = [[u64; 8]; 8];
/// Columns of products before their reduction: signed, each below `2^62`.
#[cfg(feature = "verify")]
pub(super) type Columns = [[u64; 8]; 16];
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

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    write!(sum!(a, b))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sub(a: &Limbs, b: &Limbs, c: &[u64; 8]) -> Limbs {
    write!(difference!(a, b, c))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn settle(a: &Limbs) -> Limbs {
    let mut t = read!(a);
    settle!(t);
    write!(t)
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate!(t, a, b);
    write!(reduce!(t))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sqr(a: &Limbs) -> Limbs {
    let a = read!(a);
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate_square!(t, a);
    write!(reduce!(t))
}

#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sum_of_squares(a: &Limbs, b: &Limbs) -> Limbs {
    let (a, b) = (read!(a), read!(b));
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate_square!(t, a, b);
    write!(reduce!(t))
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
pub(super) fn quadratic_mul(a: [&Limbs; 2], b: [&Limbs; 2]) -> [Limbs; 2] {
    let (mut real, mut imaginary) = quadratic_product!(a[0], a[1], b[0], b[1]);
    [write!(reduce_signed!(real)), write!(reduce!(imaginary))]
}

/// `(a₀ + a₁)(a₀ − a₁)` and `2·a₀a₁`; `c` is a multiple of `p` above `a₁`.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_sqr(a: [&Limbs; 2], c: &[u64; 8]) -> [Limbs; 2] {
    let (sum, difference) = (sum!(a[0], a[1]), difference!(a[0], a[1], c));
    let mut real = [_mm512_setzero_si512(); 16];
    accumulate!(registers real, sum, difference);
    let mut imaginary = [_mm512_setzero_si512(); 16];
    accumulate!(imaginary, a[0], a[1]);
    for limb in &mut imaginary {
        *limb = _mm512_add_epi64(*limb, *limb);
    }
    [write!(reduce!(real)), write!(reduce!(imaginary))]
}

#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quadratic_columns(a: [&Limbs; 2], b: [&Limbs; 2]) -> [Columns; 2] {
    let (real, imaginary) = quadratic_product!(a[0], a[1], b[0], b[1]);
    // SAFETY: both are 2048 bytes of any bits.
    unsafe { std::mem::transmute::<[WideRegisters; 2], [Columns; 2]>([real, imaginary]) }
}

/// `a + b` column by column, or `a − b`.
#[cfg(feature = "verify")]
macro_rules! columnwise {
    ($name:ident, $instruction:ident) => {
        #[target_feature(enable = "avx512f,avx512ifma")]
        pub(super) fn $name(a: &Columns, b: &Columns) -> Columns {
            // SAFETY: sixteen rows of 64 readable bytes each, of any bits.
            let row = |of: &Columns, k: usize| unsafe { _mm512_loadu_si512(of[k].as_ptr().cast()) };
            let out: WideRegisters = std::array::from_fn(|k| $instruction(row(a, k), row(b, k)));
            // SAFETY: both are 1024 bytes of any bits.
            unsafe { std::mem::transmute::<WideRegisters, Columns>(out) }
        }
    };
}

#[cfg(feature = "verify")]
columnwise!(add_columns, _mm512_add_epi64);
#[cfg(feature = "verify")]
columnwise!(sub_columns, _mm512_sub_epi64);

#[cfg(feature = "verify")]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn reduce_columns(t: &Columns) -> Limbs {
    // SAFETY: sixteen rows of 64 readable bytes, of any bits.
    let mut t: WideRegisters = std::array::from_fn(|k| unsafe { _mm512_loadu_si512(t[k].as_ptr().cast()) });
    write!(reduce_signed!(t))
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
    let mut l = read!(a);
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
    let mut out = [Fp::ZERO; 8];
    for (out, row) in out.iter_mut().zip(rows) {
        // SAFETY: the mask writes the six limbs of an element and nothing beyond.
        unsafe { _mm512_mask_storeu_epi64((out as *mut Fp).cast(), 0b11_1111, row) };
    }
    out
}
