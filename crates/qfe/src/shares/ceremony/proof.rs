//! Proofs of knowledge of a vector of logarithms, after Schnorr (1991), many in one (Gennaro, Leigh,
//! Sundaram, Yerazunis 2004).
//!
//! For `X_c = [x_c]`, `c = 1..n`: the prover sends `A = [k]`, the challenge is `e`, the answer
//! `z = k + Σ_c e^c x_c`; the check is `[z] = A + Σ_c e^c X_c`. From `n + 1` accepted answers to one `A` all
//! `x_c` follow, by Vandermonde; a prover without them succeeds for at most `n` of the `r` challenges.
//! The challenge is SHA-512 of session, dealer, points and `A` modulo `r` (Fiat and Shamir, in the
//! random-oracle model).

use rand::CryptoRng;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::{
    group::batch::add_one,
    raw::{Coordinate, Point, Scalar},
    verify::combine_vartime,
};

/// What a proof is bound to.
pub(super) struct Context<'a> {
    pub(super) session: &'a [u8; 32],
    pub(super) dealer: u16,
    /// `s` or `t`.
    pub(super) what: &'static str,
}

fn challenge<F: Coordinate>(context: &Context<'_>, points: &[Point<F>], announcement: &Point<F>) -> Scalar {
    let mut hash = Sha512::new();
    hash.update(b"halflight qfe proof of knowledge v1");
    hash.update(context.session);
    hash.update(context.dealer.to_le_bytes());
    hash.update(context.what.as_bytes());
    let mut bytes = vec![0; F::POINT_BYTES];
    for point in points.iter().chain([announcement]) {
        F::serialize(point, false, &mut bytes);
        hash.update(&bytes);
    }
    Scalar::from_wide(&hash.finalize().into())
}

/// `e, e², …, e^count`.
fn powers(e: &Scalar, count: usize) -> Vec<Scalar> {
    std::iter::successors(Some(*e), |power| Some(power.mul(e))).take(count).collect()
}

/// Proves knowledge of the logarithms of `points`; constant-time in them.
pub(super) fn prove<F: Coordinate>(
    context: &Context<'_>,
    points: &[Point<F>],
    secret: &[Scalar],
    rng: &mut impl CryptoRng,
) -> (Point<F>, Scalar) {
    let k = Zeroizing::new(Scalar::random(rng));
    let announcement = F::scalar_mul(&F::generator(), &k);
    let e = challenge(context, points, &announcement);
    let terms = powers(&e, secret.len());
    let answer = terms.iter().zip(secret).fold(*k, |sum, (power, x)| sum.add(&power.mul(x)));
    (announcement, answer)
}

/// Whether a proof holds.
pub(super) fn holds<F: Coordinate>(
    context: &Context<'_>,
    points: &[Point<F>],
    (announcement, answer): &(Point<F>, Scalar),
) -> bool {
    let e = challenge(context, points, announcement);
    let sum = combine_vartime(points, &powers(&e, points.len()), 255);
    F::scalar_mul(&F::generator(), answer) == add_one(*announcement, sum)
}
