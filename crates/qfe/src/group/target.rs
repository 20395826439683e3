//! The target group: final exponentiation in two parts, products of powers.
//!
//! `f^((p¹²−1)/r)` is the *easy part* `f^((p⁶−1)(p²+1))`, which lands in the
//! cyclotomic subgroup where the inverse is the conjugate, and then the *hard
//! part*. Products of powers are taken between the two, so that the hard part is
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

/// `start · Π base^exponent` in the cyclotomic subgroup, by shared squarings of
/// the non-adjacent forms.
pub(crate) fn product_of_powers(start: &Fp12, terms: &[(Fp12, i64)]) -> Fp12 {
    let forms: Vec<Vec<i8>> = terms.iter().map(|&(_, e)| non_adjacent_form(e)).collect();
    let length = forms.iter().map(Vec::len).max().unwrap_or(0);
    let mut product: Option<Fp12> = None;
    for bit in (0..length).rev() {
        product = product.map(|p| p.cyclotomic_sqr());
        for ((base, _), form) in terms.iter().zip(&forms) {
            let factor = match form.get(bit) {
                Some(1) => *base,
                Some(-1) => base.conjugate(),
                _ => continue,
            };
            product = Some(product.map_or(factor, |p| p.mul(&factor)));
        }
    }
    product.map_or(*start, |p| p.mul(start))
}

/// `base^exponent` in the cyclotomic subgroup.
#[cfg(test)]
pub(crate) fn power(base: &Fp12, exponent: i64) -> Fp12 {
    product_of_powers(&Fp12::one(), &[(*base, exponent)])
}

fn non_adjacent_form(exponent: i64) -> Vec<i8> {
    let mut rest = i128::from(exponent);
    let mut form = Vec::new();
    while rest != 0 {
        let digit = if rest & 1 == 0 { 0 } else { 2 - (rest & 3) as i8 };
        form.push(digit);
        rest = (rest - i128::from(digit)) >> 1;
    }
    form
}

/// Multiplications and squarings of [`product_of_powers`].
pub(crate) fn power_operations(exponents: impl Iterator<Item = i64>) -> (usize, usize) {
    let forms: Vec<Vec<i8>> = exponents.map(non_adjacent_form).collect();
    let digits = forms.iter().flatten().filter(|&&d| d != 0).count();
    (digits, forms.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1))
}
