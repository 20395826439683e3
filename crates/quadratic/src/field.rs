//! `Z_r`, the field over which functional keys are linear: `r` is the order of BLS12-381's groups.

use crypto_bigint::modular::constant_mod::ResidueParams;
use crypto_bigint::{U256, const_residue, impl_modulus};

impl_modulus!(Order, U256, "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");

/// An element of `Z_r`. Its inverse is [`inverse`].
pub(crate) type Element = crypto_bigint::modular::constant_mod::Residue<Order, { Order::LIMBS }>;

/// `value mod r`.
pub(crate) fn element(value: i128) -> Element {
    let magnitude = Element::new(&U256::from_u128(value.unsigned_abs()));
    if value < 0 { magnitude.neg() } else { magnitude }
}

/// The inverse of an element that is not zero; zero for zero.
pub(crate) fn inverse(value: &Element) -> Element {
    value.invert().0
}

/// A coordinate of a random point: 128 bits, as two halves whose products with weights fit 128 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coordinate {
    pub low: u64,
    pub high: u64,
}

/// `Σ weight·coordinate`, for at most 2^32 terms.
pub(crate) fn dot(weights: &[i32], point: &[Coordinate]) -> Element {
    let (mut low, mut high) = (0_i128, 0_i128);
    for (&weight, coordinate) in weights.iter().zip(point) {
        low += i128::from(weight) * i128::from(coordinate.low);
        high += i128::from(weight) * i128::from(coordinate.high);
    }
    let shift = const_residue!(SHIFT, Order);
    element(high).mul(&shift).add(&element(low))
}

/// 2^64.
const SHIFT: U256 = U256::ONE.shl_vartime(64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_make_the_whole() {
        let point = [Coordinate { low: u64::MAX, high: 3 }, Coordinate { low: 1, high: u64::MAX }];
        let whole = |c: &Coordinate| Element::new(&U256::from_u128((u128::from(c.high) << 64) | u128::from(c.low)));
        let expected = element(-7).mul(&whole(&point[0])).add(&element(i128::from(i32::MAX)).mul(&whole(&point[1])));
        assert_eq!(dot(&[-7, i32::MAX], &point), expected);
        assert_eq!(inverse(&expected).mul(&expected), Element::ONE);
    }

    #[test]
    fn the_modulus_is_prime_to_small_numbers_and_255_bits_long() {
        assert_eq!(Order::MODULUS.bits_vartime(), 255);
        assert_eq!(element(-1).add(&element(1)), Element::ZERO);
        assert_eq!(element(5), Element::new(&U256::from_u8(5)));
    }
}
