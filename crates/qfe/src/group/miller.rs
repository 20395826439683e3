//! Products of pairings before the final exponentiation.
//!
//! With vector lanes, every lane accumulates one product. The Miller loop runs over affine points of G2, whose slopes
//! share an inversion per step. Lines are scaled to `x + y·v + v·w` with `x = (λx_T − y_T)/y_P`, `y = −λx_P/y_P`;
//! factors in proper subfields vanish in the final exponentiation. Two lines are multiplied first (three products),
//! then into the accumulator (seventeen).
//!
//! A pair with infinity, and a lane without a pair, gets `x = y = 0`: its line is
//! `v·w = w³`, which vanishes as well.

use rayon::prelude::*;

use super::{
    lanes12::{Fp12x8, Line, TwoLines},
    schedule::in_order,
    vector::invert_lanes,
};
use crate::raw::{
    Coordinate, Field, Fp, Fp2, Fp12, G1, G2, Point, Vector, X,
    ifma::{Fp2x8, Fp8, Ifma},
    miller_loop_many,
};

const LANES: usize = 8;
/// Longest product that one lane takes while there are lanes to fill.
const SHORT: usize = 4;
/// Lanes that one long product is spread over.
const SPREAD: usize = 16;

/// A pair of points to be paired.
pub(crate) type Pair = (G1, G2);

/// For each group the product of its pairs, up to factors that vanish in the final
/// exponentiation.
pub(crate) fn products(groups: &[Vec<Pair>]) -> Vec<Fp12> {
    let token = Ifma::detect().filter(|_| groups.iter().map(Vec::len).sum::<usize>() >= LANES);
    match token {
        Some(token) => lanes_products(token, groups),
        None => groups.par_iter().map(|group| scalar_product(group)).collect(),
    }
}

fn lanes_products(token: Ifma, groups: &[Vec<Pair>]) -> Vec<Fp12> {
    let mut parts: Vec<(usize, &[Pair])> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let size = group.len().div_ceil(SPREAD).max(SHORT);
        parts.extend(group.chunks(size).map(|part| (number, part)));
    }
    parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.len()));
    let vectors: Vec<_> = parts.chunks(LANES).collect();
    let values = in_order(vectors.len(), |k| lanes_product(token, vectors[k]));
    let mut out: Vec<Option<Fp12>> = vec![None; groups.len()];
    for ((number, _), value) in parts.iter().zip(values.iter().flatten()) {
        let product = &mut out[*number];
        *product = Some(product.map_or(*value, |p| p.mul(value)));
    }
    out.into_iter().map(|product| product.unwrap_or_else(Fp12::one)).collect()
}

/// Products by blst, split for threads.
fn scalar_product(group: &[Pair]) -> Fp12 {
    let finite: Vec<Pair> = group.iter().filter(|(p, q)| !p.is_infinity() && !q.is_infinity()).copied().collect();
    finite.par_chunks(32).map(miller_loop_many).reduce_with(|a, b| a.mul(&b)).unwrap_or_else(Fp12::one)
}

/// One pair per lane, with the running multiple of its second point.
struct PairVector {
    q: [Fp2x8; 2],
    t: [Fp2x8; 2],
    /// `1/y_P` and `−x_P/y_P`, zero where there is no pair.
    inverse_y: Fp8,
    ratio: Fp8,
}

/// The products of up to eight parts, one per lane.
fn lanes_product(token: Ifma, parts: &[(usize, &[Pair])]) -> [Fp12; LANES] {
    let longest = parts.iter().map(|(_, part)| part.len()).max().unwrap_or(0);
    let mut pairs: Vec<PairVector> = (0..longest).map(|k| pair_vector(token, parts, k)).collect();
    let one = Fp2x8::from_base(&Fp8::splat(token, &Fp::ONE.to_shifted()));
    let mut product: Option<Fp12x8> = None;
    let mut lines = Vec::with_capacity(longest);
    for bit in (0..63).rev() {
        product = product.map(|f| f.sqr());
        for addition in [false, true] {
            if addition && X >> bit & 1 == 0 {
                continue;
            }
            if !step(token, &mut pairs, addition, &mut lines) {
                return fallback(parts);
            }
            for two in lines.chunks(2) {
                product = Some(match (product, two) {
                    (Some(f), [a, b]) => f.mul_by_lines(&TwoLines::product(a, b, &one)),
                    (None, [a, b]) => Fp12x8::from_lines(&TwoLines::product(a, b, &one)),
                    (Some(f), [a, ..]) => f.mul_by_line(a),
                    (None, [a, ..]) => Fp12x8::from_line(a, &one),
                    (f, []) => match f {
                        Some(f) => f,
                        None => continue,
                    },
                });
            }
        }
    }
    product.map_or([Fp12::one(); LANES], |f| f.conjugate().unload())
}

/// The same without lanes, when points are not of prime order.
fn fallback(parts: &[(usize, &[Pair])]) -> [Fp12; LANES] {
    std::array::from_fn(|lane| parts.get(lane).map_or_else(Fp12::one, |(_, part)| scalar_product(part)))
}

fn pair_vector(token: Ifma, parts: &[(usize, &[Pair])], k: usize) -> PairVector {
    let generator = (Fp::generator(), Fp2::generator());
    let pairs: [Option<Pair>; LANES] = std::array::from_fn(|lane| {
        let pair = parts.get(lane).and_then(|(_, part)| part.get(k)).copied();
        pair.filter(|(p, q)| !p.is_infinity() && !q.is_infinity())
    });
    let filled = pairs.map(|pair| pair.unwrap_or(generator));
    let y = filled.map(|(p, _)| p.y.to_shifted());
    let x = filled.map(|(p, _)| p.x.to_shifted());
    let q: [G2; LANES] = filled.map(|(_, q)| Point::to_shifted(q));
    let y = Fp8::load(token, std::array::from_fn(|lane| &y[lane]));
    let x = Fp8::load(token, std::array::from_fn(|lane| &x[lane]));
    // No point of the curve has y = 0: the order is odd.
    let inverse = invert_lanes(&y).unwrap_or_else(|| Fp8::zero(token));
    let empty = (0..LANES).fold(0, |mask, lane| mask | u8::from(pairs[lane].is_none()) << lane);
    let q = [
        Fp2x8::load(token, std::array::from_fn(|lane| &q[lane].x)),
        Fp2x8::load(token, std::array::from_fn(|lane| &q[lane].y)),
    ];
    let inverse_y = inverse.clear_lanes(empty);
    PairVector { q, t: q, inverse_y, ratio: x.mul(&inverse_y).neg_lanes(0xff) }
}

/// Doubles every point (or adds the second point to it) and gives the lines; false
/// when a slope does not exist.
fn step(token: Ifma, pairs: &mut [PairVector], addition: bool, lines: &mut Vec<Line>) -> bool {
    let denominator = |pair: &PairVector| {
        if addition { pair.t[0].sub(&pair.q[0]) } else { pair.t[1].add(&pair.t[1]) }
    };
    let mut product = Fp8::splat(token, &Fp::ONE.to_shifted());
    let mut shared = Vec::with_capacity(pairs.len());
    for pair in pairs.iter() {
        let denominator = denominator(pair);
        let norm = denominator.norm();
        shared.push((denominator, norm, product));
        product = product.mul(&norm);
    }
    let Some(mut inverse) = invert_lanes(&product) else { return false };
    lines.clear();
    for (pair, (denominator, norm, prefix)) in pairs.iter_mut().zip(&shared).rev() {
        let inverse_norm = inverse.mul(prefix);
        inverse = inverse.mul(norm);
        let [tx, ty] = pair.t;
        let numerator = if addition {
            ty.sub(&pair.q[1])
        } else {
            let square = tx.sqr();
            square.add(&square).add(&square)
        };
        let slope = numerator.mul(&denominator.with_inverse_norm(&inverse_norm));
        let offset = slope.mul(&tx).sub(&ty);
        lines.push(Line { x: offset.scale(&pair.inverse_y), y: slope.scale(&pair.ratio) });
        let other = if addition { pair.q[0] } else { tx };
        let x = slope.sqr().sub(&tx).sub(&other);
        // y₃ = λ(x₁ − x₃) − y₁ = (λx₁ − y₁) − λx₃
        pair.t = [x, offset.sub(&slope.mul(&x))];
    }
    true
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;
    use crate::{
        group::target::{easy_part, hard_part},
        raw::{Scalar, miller_loop},
    };

    #[test]
    fn products_agree_with_single_pairings() {
        let mut rng = ChaCha12Rng::seed_from_u64(8);
        let mut pair = || -> Pair {
            let (a, b) = (Scalar::random(&mut rng), Scalar::random(&mut rng));
            (Fp::scalar_mul(&Fp::generator(), &a), Fp2::scalar_mul(&Fp2::generator(), &b))
        };
        let mut groups: Vec<Vec<Pair>> =
            [2, 2, 1, 0, 3, 2, 2, 2, 2, 35].iter().map(|&n| (0..n).map(|_| pair()).collect()).collect();
        groups[1][0].0 = Point::INFINITY;
        groups[2][0].1 = Point::INFINITY;
        #[cfg(all(target_arch = "x86_64", feature = "lanes"))]
        let ways = [products(&groups), lanes_products(Ifma::or_model(), &groups)];
        #[cfg(not(all(target_arch = "x86_64", feature = "lanes")))]
        let ways = [products(&groups)];
        for products in ways {
            for (group, product) in groups.iter().zip(products) {
                let expected = group.iter().fold(Fp12::one(), |f, (p, q)| f.mul(&miller_loop(p, q)));
                assert!(hard_part(&easy_part(&product)) == hard_part(&easy_part(&expected)));
            }
        }
    }
}
