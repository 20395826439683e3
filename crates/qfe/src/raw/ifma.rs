//! Eight prime-field elements side by side, by AVX-512 IFMA.
//!
//! Elements are eight limbs of 52 bits in Montgomery form with `R = 2^416`; every
//! value is below `4p` and every limb below `2^52`. The slack of 35 bits above the
//! modulus lets products of such values come out below `2p` without a comparison.
//!
//! In memory, elements of this *shifted* form are stored as six limbs of 64 bits
//! (an `Fp` whose value is `2^32` times what blst would read, below `4p`).

use std::{
    arch::x86_64::*,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{Field, Fp, Fp2, MODULUS, Vector};

/// Radix-2^52 limbs, `limb[k][lane]`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Fp8([[u64; 8]; 8]);

const MASK: u64 = (1 << 52) - 1;
/// `−1/p` modulo `2^52`.
const NEGATIVE_INVERSE: u64 = 0x89f3_fffc_fffc_fffd & MASK;

const fn split(w: &[u64; 6]) -> [u64; 8] {
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

const P: [u64; 8] = split(&MODULUS);
const P4: [u64; 8] = split(&times4(&MODULUS));

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Whether this processor has the instructions and they are not switched off.
#[inline]
pub(crate) fn available() -> bool {
    ENABLED.load(Ordering::Relaxed)
        && std::arch::is_x86_feature_detected!("avx512ifma")
        && std::arch::is_x86_feature_detected!("avx512f")
}

/// Switches the vector instructions off or on again, for comparisons.
pub(crate) fn enable(on: bool) {
    ENABLED.store(on, Ordering::Relaxed);
}

impl Fp8 {
    pub(crate) const ZERO: Self = Self([[0; 8]; 8]);

    /// The same element in all lanes.
    pub(crate) fn splat(shifted: &Fp) -> Self {
        Self(split(shifted.limbs()).map(|limb| [limb; 8]))
    }

    /// Lane `k` from the `k`-th shifted element.
    #[inline(always)]
    pub(crate) fn load(elements: [&Fp; 8]) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: values of this type are made only where `available` held.
        unsafe { load(elements, &mut out) };
        out
    }

    /// Lane `k` to the `k`-th of the first `count` elements.
    #[inline(always)]
    pub(crate) fn unload(&self) -> [Fp; 8] {
        let mut out = [Fp::ZERO; 8];
        // SAFETY: as for `load`.
        unsafe { unload(self, &mut out) };
        out
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: as for `load`.
        unsafe { add(&self.0, &other.0, &mut out.0) };
        out
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: as for `load`.
        unsafe { sub(&self.0, &other.0, &mut out.0) };
        out
    }

    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: as for `load`.
        unsafe { mul(&self.0, &other.0, &mut out.0) };
        out
    }

    #[inline(always)]
    pub(crate) fn sqr(&self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: as for `load`.
        unsafe { sqr(&self.0, &mut out.0) };
        out
    }

    /// `a·b + c·d` with one reduction.
    #[inline(always)]
    pub(crate) fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let mut out = Self::ZERO;
        // SAFETY: as for `load`.
        unsafe { sum_of_products(&a.0, &b.0, &c.0, &d.0, &mut out.0) };
        out
    }

    /// `−self` in the lanes of the mask.
    #[inline(always)]
    pub(crate) fn neg_lanes(&self, mask: u8) -> Self {
        if mask == 0 {
            return *self;
        }
        let negative = Self::ZERO.sub(self);
        let mut out = *self;
        // SAFETY: as for `load`.
        unsafe { blend(&self.0, &negative.0, mask, &mut out.0) };
        out
    }

    /// Zero in the lanes of the mask.
    pub(crate) fn clear_lanes(&self, mask: u8) -> Self {
        let mut out = *self;
        // SAFETY: as for `load`.
        unsafe { blend(&self.0, &Self::ZERO.0, mask, &mut out.0) };
        out
    }

    /// Lanes whose limbs are all zero.
    #[inline(always)]
    pub(crate) fn zero_limbs(&self) -> u8 {
        // SAFETY: as for `load`.
        unsafe { zero_limbs(&self.0) }
    }
}

impl Vector for Fp8 {
    type Element = Fp;
    const ZERO: Self = Self([[0; 8]; 8]);

    fn load(elements: [&Fp; 8]) -> Self {
        Self::load(elements)
    }

    fn unload(&self) -> [Fp; 8] {
        self.unload()
    }

    fn add(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn sub(&self, other: &Self) -> Self {
        self.sub(other)
    }

    fn mul(&self, other: &Self) -> Self {
        self.mul(other)
    }

    fn sqr(&self) -> Self {
        self.sqr()
    }

    fn neg_lanes(&self, mask: u8) -> Self {
        self.neg_lanes(mask)
    }

    fn zero_limbs(&self) -> u8 {
        self.zero_limbs()
    }

    fn norm(&self) -> Fp8 {
        *self
    }

    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        *inverse
    }
}

/// Eight elements of the quadratic extension.
#[derive(Clone, Copy)]
pub(crate) struct Fp2x8 {
    pub(crate) c0: Fp8,
    pub(crate) c1: Fp8,
}

impl Fp2x8 {
    /// Elements of the prime field.
    pub(crate) fn from_base(base: &Fp8) -> Self {
        Self { c0: *base, c1: Fp8::ZERO }
    }

    #[inline(always)]
    pub(crate) fn scale(&self, by: &Fp8) -> Self {
        Self { c0: self.c0.mul(by), c1: self.c1.mul(by) }
    }

    #[inline(always)]
    pub(crate) fn conjugate(&self) -> Self {
        Self { c0: self.c0, c1: Fp8::ZERO.sub(&self.c1) }
    }

    /// Multiplication by `1 + i`.
    #[inline(always)]
    pub(crate) fn mul_by_nonresidue(&self) -> Self {
        Self { c0: self.c0.sub(&self.c1), c1: self.c0.add(&self.c1) }
    }
}

impl Vector for Fp2x8 {
    type Element = Fp2;
    const ZERO: Self = Self { c0: Fp8::ZERO, c1: Fp8::ZERO };

    fn load(elements: [&Fp2; 8]) -> Self {
        Self { c0: Fp8::load(elements.map(|e| &e.c0)), c1: Fp8::load(elements.map(|e| &e.c1)) }
    }

    fn unload(&self) -> [Fp2; 8] {
        let (c0, c1) = (self.c0.unload(), self.c1.unload());
        std::array::from_fn(|k| Fp2 { c0: c0[k], c1: c1[k] })
    }

    fn add(&self, other: &Self) -> Self {
        Self { c0: self.c0.add(&other.c0), c1: self.c1.add(&other.c1) }
    }

    fn sub(&self, other: &Self) -> Self {
        Self { c0: self.c0.sub(&other.c0), c1: self.c1.sub(&other.c1) }
    }

    fn mul(&self, other: &Self) -> Self {
        let minus = Fp8::ZERO.sub(&self.c1);
        Self {
            c0: Fp8::sum_of_products(&self.c0, &other.c0, &minus, &other.c1),
            c1: Fp8::sum_of_products(&self.c0, &other.c1, &self.c1, &other.c0),
        }
    }

    fn sqr(&self) -> Self {
        let product = self.c0.mul(&self.c1);
        Self { c0: self.c0.add(&self.c1).mul(&self.c0.sub(&self.c1)), c1: product.add(&product) }
    }

    fn neg_lanes(&self, mask: u8) -> Self {
        Self { c0: self.c0.neg_lanes(mask), c1: self.c1.neg_lanes(mask) }
    }

    fn zero_limbs(&self) -> u8 {
        self.c0.zero_limbs() & self.c1.zero_limbs()
    }

    fn norm(&self) -> Fp8 {
        Fp8::sum_of_products(&self.c0, &self.c0, &self.c1, &self.c1)
    }

    fn with_inverse_norm(&self, inverse: &Fp8) -> Self {
        self.conjugate().scale(inverse)
    }
}

type Limbs = [[u64; 8]; 8];

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn read(limb: &[u64; 8]) -> __m512i {
    // SAFETY: 64 readable bytes.
    unsafe { _mm512_loadu_si512(limb.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn write(out: &mut [u64; 8], value: __m512i) {
    // SAFETY: 64 writable bytes.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), value) }
}

/// Limbs below `2^52` from signed limbs whose sum is not negative; the top limb's
/// sign is that of the whole.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn carry(t: &mut [__m512i; 8]) {
    let mask = _mm512_set1_epi64(MASK as i64);
    for k in 0..7 {
        t[k + 1] = _mm512_add_epi64(t[k + 1], _mm512_srai_epi64::<52>(t[k]));
        t[k] = _mm512_and_si512(t[k], mask);
    }
}

/// `t` where `t − 4p` is negative, else `t − 4p` (given both, before carrying).
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn select_nonnegative(mut first: [__m512i; 8], mut other: [__m512i; 8], out: &mut Limbs) {
    carry(&mut first);
    carry(&mut other);
    let negative = _mm512_movepi64_mask_(first[7]);
    for k in 0..8 {
        write(&mut out[k], _mm512_mask_mov_epi64(first[k], negative, other[k]));
    }
}

/// Lanes with the sign bit set (AVX-512F only).
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn _mm512_movepi64_mask_(value: __m512i) -> __mmask8 {
    _mm512_cmplt_epi64_mask(value, _mm512_setzero_si512())
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn add(a: &Limbs, b: &Limbs, out: &mut Limbs) {
    let sum: [__m512i; 8] = std::array::from_fn(|k| _mm512_add_epi64(read(&a[k]), read(&b[k])));
    let less = std::array::from_fn(|k| _mm512_sub_epi64(sum[k], _mm512_set1_epi64(P4[k] as i64)));
    select_nonnegative(less, sum, out);
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn sub(a: &Limbs, b: &Limbs, out: &mut Limbs) {
    let difference: [__m512i; 8] = std::array::from_fn(|k| _mm512_sub_epi64(read(&a[k]), read(&b[k])));
    let more = std::array::from_fn(|k| _mm512_add_epi64(difference[k], _mm512_set1_epi64(P4[k] as i64)));
    select_nonnegative(difference, more, out);
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce(mut t: [__m512i; 16], out: &mut Limbs) {
    let inverse = _mm512_set1_epi64(NEGATIVE_INVERSE as i64);
    let zero = _mm512_setzero_si512();
    macro_rules! step {
        ($($i:literal)*) => {$({
            let m = _mm512_madd52lo_epu64(zero, t[$i], inverse);
            for j in 0..8 {
                let p = _mm512_set1_epi64(P[j] as i64);
                t[$i + j] = _mm512_madd52lo_epu64(t[$i + j], m, p);
                t[$i + j + 1] = _mm512_madd52hi_epu64(t[$i + j + 1], m, p);
            }
            t[$i + 1] = _mm512_add_epi64(t[$i + 1], _mm512_srli_epi64::<52>(t[$i]));
        })*};
    }
    step!(0 1 2 3 4 5 6 7);
    let mask = _mm512_set1_epi64(MASK as i64);
    for k in 8..15 {
        t[k + 1] = _mm512_add_epi64(t[k + 1], _mm512_srli_epi64::<52>(t[k]));
        write(&mut out[k - 8], _mm512_and_si512(t[k], mask));
    }
    write(&mut out[7], t[15]);
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(a: &Limbs, b: &Limbs, out: &mut Limbs) {
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate(&mut t, a, b);
    reduce(t, out);
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn sum_of_products(a: &Limbs, b: &Limbs, c: &Limbs, d: &Limbs, out: &mut Limbs) {
    let mut t = [_mm512_setzero_si512(); 16];
    accumulate(&mut t, a, b);
    accumulate(&mut t, c, d);
    reduce(t, out);
}

/// `t += a·b`, limb products unreduced.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn accumulate(t: &mut [__m512i; 16], a: &Limbs, b: &Limbs) {
    let a: [__m512i; 8] = std::array::from_fn(|k| read(&a[k]));
    macro_rules! row {
        ($($i:literal)*) => {$({
            let b = read(&b[$i]);
            for j in 0..8 {
                t[$i + j] = _mm512_madd52lo_epu64(t[$i + j], a[j], b);
                t[$i + j + 1] = _mm512_madd52hi_epu64(t[$i + j + 1], a[j], b);
            }
        })*};
    }
    row!(0 1 2 3 4 5 6 7);
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn sqr(a: &Limbs, out: &mut Limbs) {
    let a: [__m512i; 8] = std::array::from_fn(|k| read(&a[k]));
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
    reduce(t, out);
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn blend(a: &Limbs, b: &Limbs, mask: u8, out: &mut Limbs) {
    for k in 0..8 {
        write(&mut out[k], _mm512_mask_mov_epi64(read(&a[k]), mask, read(&b[k])));
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn zero_limbs(a: &Limbs) -> u8 {
    let any = (1..8).fold(read(&a[0]), |any, k| _mm512_or_si512(any, read(&a[k])));
    _mm512_cmpeq_epi64_mask(any, _mm512_setzero_si512())
}

/// Transposes an 8×8 matrix of words.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn transpose(r: [__m512i; 8]) -> [__m512i; 8] {
    let lo = |a, b| _mm512_unpacklo_epi64(a, b);
    let hi = |a, b| _mm512_unpackhi_epi64(a, b);
    let t = [
        lo(r[0], r[1]),
        hi(r[0], r[1]),
        lo(r[2], r[3]),
        hi(r[2], r[3]),
        lo(r[4], r[5]),
        hi(r[4], r[5]),
        lo(r[6], r[7]),
        hi(r[6], r[7]),
    ];
    let even = |a, b| _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b);
    let odd = |a, b| _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b);
    let (e0, e1) = (even(t[0], t[2]), even(t[1], t[3]));
    let (o0, o1) = (odd(t[0], t[2]), odd(t[1], t[3]));
    let (e2, e3) = (even(t[4], t[6]), even(t[5], t[7]));
    let (o2, o3) = (odd(t[4], t[6]), odd(t[5], t[7]));
    [even(e0, e2), even(e1, e3), even(o0, o2), even(o1, o3), odd(e0, e2), odd(e1, e3), odd(o0, o2), odd(o1, o3)]
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn load(elements: [&Fp; 8], out: &mut Fp8) {
    // SAFETY: the mask reads the six limbs of an element and nothing beyond.
    let rows = elements.map(|e| unsafe { _mm512_maskz_loadu_epi64(0b11_1111, e.limbs().as_ptr().cast()) });
    let w = transpose(rows);
    let mask = _mm512_set1_epi64(MASK as i64);
    let and = |value| _mm512_and_si512(value, mask);
    let or = |a, b| _mm512_or_si512(a, b);
    let limbs = [
        and(w[0]),
        and(or(_mm512_srli_epi64::<52>(w[0]), _mm512_slli_epi64::<12>(w[1]))),
        and(or(_mm512_srli_epi64::<40>(w[1]), _mm512_slli_epi64::<24>(w[2]))),
        and(or(_mm512_srli_epi64::<28>(w[2]), _mm512_slli_epi64::<36>(w[3]))),
        and(or(_mm512_srli_epi64::<16>(w[3]), _mm512_slli_epi64::<48>(w[4]))),
        and(_mm512_srli_epi64::<4>(w[4])),
        and(or(_mm512_srli_epi64::<56>(w[4]), _mm512_slli_epi64::<8>(w[5]))),
        _mm512_srli_epi64::<44>(w[5]),
    ];
    for (out, limb) in out.0.iter_mut().zip(limbs) {
        write(out, limb);
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn unload(a: &Fp8, out: &mut [Fp; 8]) {
    let l: [__m512i; 8] = std::array::from_fn(|k| read(&a.0[k]));
    let or = |a, b| _mm512_or_si512(a, b);
    let zero = _mm512_setzero_si512();
    let words = [
        or(l[0], _mm512_slli_epi64::<52>(l[1])),
        or(_mm512_srli_epi64::<12>(l[1]), _mm512_slli_epi64::<40>(l[2])),
        or(_mm512_srli_epi64::<24>(l[2]), _mm512_slli_epi64::<28>(l[3])),
        or(_mm512_srli_epi64::<36>(l[3]), _mm512_slli_epi64::<16>(l[4])),
        or(or(_mm512_srli_epi64::<48>(l[4]), _mm512_slli_epi64::<4>(l[5])), _mm512_slli_epi64::<56>(l[6])),
        or(_mm512_srli_epi64::<8>(l[6]), _mm512_slli_epi64::<44>(l[7])),
        zero,
        zero,
    ];
    let rows = transpose(words);
    for (out, row) in out.iter_mut().zip(rows) {
        let mut limbs = [0; 8];
        write(&mut limbs, row);
        *out = Fp::from_limbs([limbs[0], limbs[1], limbs[2], limbs[3], limbs[4], limbs[5]]);
    }
}

#[cfg(test)]
#[path = "ifma_tests.rs"]
mod tests;
