//! The target group: final exponentiation in two parts.
//!
//! `f^((p¹²−1)/r)` is the *easy part* `f^((p⁶−1)(p²+1))`, which lands in the
//! cyclotomic subgroup where the inverse is the conjugate, and then the *hard
//! part*. Products of powers (see [`powers`](super::powers)) are taken between the two, so that the hard part is
//! paid per output and not per unit.

use crate::raw::{Fp12, X};

/// `f^((p⁶−1)(p²+1))`.
pub(crate) fn easy_part(f: &Fp12) -> Fp12 {
    let g = f.conjugate().mul(&f.inverse());
    g.frobenius(2).mul(&g)
}

/// `f^(3(p⁴−p²+1)/r)` for `f` in the cyclotomic subgroup, by
/// `3(p⁴−p²+1)/r = (x−1)²(x+p)(x²+p²−1) + 3`.
pub(crate) fn hard_part(f: &Fp12) -> Fp12 {
    let a = power_of_x(f).mul(&f.conjugate());
    let b = power_of_x(&a).mul(&a.conjugate());
    let c = power_of_x(&b).mul(&b.frobenius(1));
    let d = power_of_x(&power_of_x(&c)).mul(&c.frobenius(2)).mul(&c.conjugate());
    d.mul(&f.cyclotomic_sqr().mul(f))
}

/// `f^x` for the (negative) curve parameter.
fn power_of_x(f: &Fp12) -> Fp12 {
    let mut power = *f;
    for bit in (0..63).rev() {
        power = power.cyclotomic_sqr();
        if X >> bit & 1 == 1 {
            power = power.mul(f);
        }
    }
    power.conjugate()
}

/// `base^exponent` in the cyclotomic subgroup, bit by bit.
#[cfg(test)]
pub(crate) fn power(base: &Fp12, exponent: i64) -> Fp12 {
    let mut power = Fp12::one();
    for bit in (0..64).rev() {
        power = power.cyclotomic_sqr();
        if exponent.unsigned_abs() >> bit & 1 == 1 {
            power = power.mul(base);
        }
    }
    if exponent < 0 { power.conjugate() } else { power }
}
