//! Limbs and columns of lanes, and the modulus in limbs.

use crate::raw::MODULUS;

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

/// How a term enters a sum; twisted ones are multiplied by `1 + i`.
#[cfg(feature = "verify")]
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Sign {
    Plus,
    Minus,
    Twisted,
    MinusTwisted,
}
