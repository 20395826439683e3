//! Encryption whose time and memory accesses depend on neither input nor mask.
//!
//! Every coordinate is computed as `x_i·B + k·S_i` by blst's constant-time
//! multiplications (masked look-ups in their tables, 64 bits for `|x_i|`, the sign
//! applied by a masked negation) and its complete addition. It needs no tables and
//! takes about ten times as long as [`Encryptor::encrypt`](crate::Encryptor::encrypt).

use rand::CryptoRng;
use rayon::prelude::*;

use crate::{
    encrypt::{Ciphertext, EncryptError, check_lengths},
    keys::PublicKey,
    mask::MaskScalars,
    raw::{Coordinate, Fp, Fp2, Point, Scalar},
};

/// Encrypts `(u, v)` for hosts that others can observe.
///
/// # Errors
/// `u` or `v` does not have the length that the key encrypts.
pub fn encrypt_constant_time(
    key: &PublicKey,
    u: &[i64],
    v: &[i64],
    rng: &mut impl CryptoRng,
) -> Result<Ciphertext, EncryptError> {
    check_lengths(u, v, key.inputs())?;
    let scalars = MaskScalars::draw(rng);
    let (a, b) = rayon::join(
        || side::<Fp>(u, &key.s, &scalars.left_bases, &scalars.left),
        || side::<Fp2>(v, &key.t, &scalars.right_bases, &scalars.right),
    );
    Ok(Ciphertext { id: key.id(), gamma: Fp::scalar_mul(&Fp::generator(), &scalars.gamma), a, b })
}

fn side<F: Coordinate>(x: &[i64], points: &[Point<F>], bases: &[Scalar; 2], factors: &[Scalar; 2]) -> Vec<Point<F>> {
    let bases = bases.map(|scalar| F::scalar_mul(&F::generator(), &scalar));
    x.par_iter()
        .zip(points)
        .flat_map_iter(|(&x, point)| (0..2).map(move |c| F::combine_constant_time(&bases[c], x, point, &factors[c])))
        .collect()
}
