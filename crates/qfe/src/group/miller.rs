//! Products of pairings before the final exponentiation.
//!
//! With vector lanes, every lane accumulates one product: the Miller loop runs over
//! affine points of G2, whose slopes share an inversion per step over all vectors of a
//! block. Two lines are multiplied first (three products), then into the accumulator
//! (seventeen).
//!
//! A line through `T` with slope `λ`, at `P`, is `y_P·vw − λx_P·v + (λx_T − y_T)`. Moving `Q` to
//! the isomorphic curve by `(x, y) ↦ (u²x, u³y)` with `u = −x_P/y_P` multiplies slopes by `u`, and
//! `λx_T − y_T` by `u³`. The line times `u³` then has `y_P u³` beside `vw` and beside `λu·v` alike; over
//! that number it is `x + y·v + v·w` where `y` is the slope itself and `x` one product by
//! `1/(y_P u³) = −y_P²/x_P³`. Factors in proper subfields vanish in the final exponentiation.
//!
//! A pair with infinity, and a lane without a pair, gets `x = y = 0`: its line is
//! `v·w = w³`, which vanishes as well.

use rayon::prelude::*;

use super::{
    lanes12::{Fp12x8, Line, Work, to_shifted},
    scalar_miller,
    schedule::{groups, in_order},
    vector::{invert_all, invert_lanes},
};
use crate::raw::{
    Coordinate, Field, Fp, Fp2, Fp12, G1, G2, Point, Vector, X,
    ifma::{Fp2x8, Fp8, Ifma},
    miller_loop_many,
};

const LANES: usize = 8;
/// Pairs of a lane that share inversions at most: more would leave the cache.
const MOST: usize = 32;
/// The same at least, where there are as many.
const SHARE: usize = 4;

pub(crate) use super::scalar_miller::Pair;

/// For each group the product of its pairs, up to factors that vanish in the final
/// exponentiation.
pub(crate) fn products(groups: &[Vec<Pair>]) -> Vec<Fp12> {
    let token = Ifma::detect().filter(|_| groups.iter().map(Vec::len).sum::<usize>() >= LANES);
    match token {
        Some(token) => lanes_products(token, groups),
        None => scalar_miller::products(groups),
    }
}

fn lanes_products(token: Ifma, groups: &[Vec<Pair>]) -> Vec<Fp12> {
    // Long products are spread over the lanes that there are.
    let lanes = LANES * rayon::current_num_threads();
    let pairs: usize = groups.iter().map(Vec::len).sum();
    let size = pairs.div_ceil(lanes).max(2).next_multiple_of(2);
    let mut parts: Vec<(usize, &[Pair])> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        parts.extend(group.chunks(size).map(|part| (number, part)));
    }
    parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.len()));
    let slices: Vec<&[Pair]> = parts.iter().map(|(_, part)| *part).collect();
    let values = vectors(token, &slices);
    let mut out: Vec<Option<Fp12>> = vec![None; groups.len()];
    for ((number, _), value) in parts.iter().zip(values.iter().flat_map(Fp12x8::unload)) {
        let product = &mut out[*number];
        *product = Some(product.map_or(value, |p| p.mul(&value)));
    }
    out.into_iter().map(|product| product.unwrap_or_else(Fp12::one)).collect()
}

/// The products of parts, eight to a vector; the lanes of the last one that have no part are of no use.
pub(crate) fn vectors(token: Ifma, parts: &[&[Pair]]) -> Vec<Fp12x8> {
    let vectors: Vec<&[&[Pair]]> = parts.chunks(LANES).collect();
    // Enough blocks for all threads, but not so many that there is nothing to share.
    let length = |vector: &[&[Pair]]| vector.iter().map(|part| part.len()).max().unwrap_or(0);
    let all: usize = vectors.iter().map(|vector| length(vector)).sum();
    let fair = all.div_ceil(rayon::current_num_threads()).max(SHARE);
    let blocks = groups(&vectors, fair.min(MOST), |vector| length(vector));
    in_order(blocks.len(), |k| block(token, blocks[k])).concat()
}

/// Products by blst, split for threads.
fn scalar_product(group: &[Pair]) -> Fp12 {
    let finite: Vec<Pair> = group.iter().filter(|(p, q)| !p.is_infinity() && !q.is_infinity()).copied().collect();
    finite.par_chunks(32).map(miller_loop_many).reduce_with(|a, b| a.mul(&b)).unwrap_or_else(Fp12::one)
}

/// Vectors that share inversions; each by itself, and then by scalars, when points are not of prime order.
fn block(token: Ifma, vectors: &[&[&[Pair]]]) -> Vec<Fp12x8> {
    if let Some(products) = token.run(|| lanes_block(token, vectors)) {
        return products;
    }
    match vectors {
        [parts] => {
            let lane = |lane: usize| parts.get(lane).map_or_else(Fp12::one, |part| to_shifted(&scalar_product(part)));
            let products: [Fp12; LANES] = std::array::from_fn(lane);
            vec![Fp12x8::load(token, products.each_ref())]
        }
        _ => vectors.chunks(1).flat_map(|vector| block(token, vector)).collect(),
    }
}

/// One pair per lane, with the running multiple of its second point.
struct PairVector {
    q: [Fp2x8; 2],
    t: [Fp2x8; 2],
    /// `−y_P²/x_P³`, zero where there is no pair.
    scale: Fp8,
    /// Lanes without a pair.
    empty: u8,
}

/// None when a slope does not exist.
#[inline(always)]
fn lanes_block(token: Ifma, vectors: &[&[&[Pair]]]) -> Option<Vec<Fp12x8>> {
    let longest = |parts: &[&[Pair]]| parts.iter().map(|part| part.len()).max().unwrap_or(0);
    let lengths: Vec<usize> = vectors.iter().map(|parts| longest(parts)).collect();
    let places = vectors.iter().zip(&lengths).flat_map(|(parts, &length)| (0..length).map(move |k| (*parts, k)));
    let mut pairs = pair_vectors(token, places)?;
    let mut products: Vec<Option<Fp12x8>> = vec![None; vectors.len()];
    let work = &mut *Work::new(token);
    let mut shared = Vec::with_capacity(pairs.len());
    let mut lines = Vec::new();
    for bit in (0..63).rev() {
        for addition in [false, true] {
            if addition && X >> bit & 1 == 0 {
                continue;
            }
            let mut inverse = denominators(token, &pairs, addition, &mut shared)?;
            let mut end = pairs.len();
            for (product, &length) in products.iter_mut().zip(&lengths).rev() {
                let range = end - length..end;
                end = range.start;
                lines.clear();
                for (pair, shared) in pairs[range.clone()].iter_mut().zip(&shared[range]).rev() {
                    lines.push(line(pair, shared, &mut inverse, addition));
                }
                if !addition && let Some(f) = product {
                    f.sqr(work);
                }
                for two in lines.chunks(2) {
                    match (&mut *product, two) {
                        (Some(f), [a, b]) => f.mul_by_lines(a, b, work),
                        (Some(f), [a, ..]) => f.mul_by_line(a),
                        (f, [a, b]) => *f = Some(Fp12x8::from_lines(a, b, work)),
                        (f, [a, ..]) => *f = Some(Fp12x8::from_line(a)),
                        (_, []) => {}
                    }
                }
            }
        }
    }
    Some(products.into_iter().map(|f| f.map_or_else(|| Fp12x8::one(token), |f| f.conjugate())).collect())
}

/// The pairs at some places of the parts of some vectors.
#[inline(always)]
fn pair_vectors<'a>(token: Ifma, places: impl Iterator<Item = (&'a [&'a [Pair]], usize)>) -> Option<Vec<PairVector>> {
    let generator = (Fp::generator(), Fp2::generator());
    let load = |(parts, k): (&[&[Pair]], usize)| {
        let pairs: [Option<Pair>; LANES] = std::array::from_fn(|lane| {
            let pair = parts.get(lane).and_then(|part| part.get(k)).copied();
            pair.filter(|(p, q)| !p.is_infinity() && !q.is_infinity())
        });
        let empty = (0..LANES).fold(0, |mask, lane| mask | u8::from(pairs[lane].is_none()) << lane);
        let filled = pairs.map(|pair| pair.unwrap_or(generator));
        let p: [G1; LANES] = filled.map(|(p, _)| Point::to_shifted(p));
        let q: [G2; LANES] = filled.map(|(_, q)| Point::to_shifted(q));
        let p = [
            Fp8::load(token, std::array::from_fn(|lane| &p[lane].x)),
            Fp8::load(token, std::array::from_fn(|lane| &p[lane].y)),
        ];
        let q = [
            Fp2x8::load(token, std::array::from_fn(|lane| &q[lane].x)),
            Fp2x8::load(token, std::array::from_fn(|lane| &q[lane].y)),
        ];
        (p, q, empty)
    };
    let loaded: Vec<_> = places.map(load).collect();
    let products: Vec<Fp8> = loaded.iter().map(|([x, y], ..)| x.mul(y)).collect();
    // No point of prime order has x = 0 or y = 0.
    let inverses = invert_all(&products)?;
    let moved = loaded.iter().zip(&inverses).map(|(([x, y], q, empty), inverse)| {
        let (inverse_x, inverse_y) = (inverse.mul(y), inverse.mul(x));
        // −u, whose sign goes to u³.
        let u = x.mul(&inverse_y);
        let square = u.sqr();
        let q = [q[0].scale(&square), q[1].scale(&square.mul(&u)).neg_lanes(0xff).settle()];
        // −y²/x³ = −1/(u²x)
        let ratio = y.mul(&inverse_x);
        let scale = ratio.sqr().mul(&inverse_x).neg_lanes(0xff).clear_lanes(*empty);
        PairVector { q, t: q, scale, empty: *empty }
    });
    Some(moved.collect())
}

/// What a slope is divided by, its norm, and the product of the norms before it.
type Shared = (Fp2x8, Fp8, Fp8);

/// The denominators of all slopes of a step, and the inverse of the product of their norms.
#[inline(always)]
fn denominators(token: Ifma, pairs: &[PairVector], addition: bool, shared: &mut Vec<Shared>) -> Option<Fp8> {
    let mut product = Fp8::splat(token, &Fp::ONE.to_shifted());
    shared.clear();
    for pair in pairs {
        let denominator = if addition { pair.t[0].sub::<1>(&pair.q[0]) } else { pair.t[1].add(&pair.t[1]) };
        let norm = denominator.norm();
        shared.push((denominator, norm, product));
        product = product.mul(&norm);
    }
    invert_lanes(&product)
}

/// Doubles the point of a pair (or adds the second point to it) and gives the line.
#[inline(always)]
fn line(pair: &mut PairVector, (denominator, norm, prefix): &Shared, inverse: &mut Fp8, addition: bool) -> Line {
    let inverse_norm = inverse.mul(prefix);
    *inverse = inverse.mul(norm);
    let [tx, ty] = pair.t;
    let numerator = if addition {
        ty.sub::<1>(&pair.q[1])
    } else {
        let square = tx.sqr();
        square.add(&square).add(&square)
    };
    let slope = numerator.mul(&denominator.with_inverse_norm(&inverse_norm));
    let offset = slope.mul(&tx).sub::<1>(&ty);
    let other = if addition { pair.q[0] } else { tx };
    let x = slope.sqr().sub::<2>(&tx.add(&other)).settle();
    // y₃ = λ(x₁ − x₃) − y₁ = (λx₁ − y₁) − λx₃
    pair.t = [x, offset.sub::<2>(&slope.mul(&x)).settle()];
    let y = if pair.empty == 0 { slope } else { slope.clear_lanes(pair.empty) };
    Line { x: offset.scale(&pair.scale), y }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;
    use crate::{
        group::{
            batch::add_one,
            target::{easy_part, hard_part},
        },
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
        let plain = groups.clone();
        // A point of order three, on which lanes give up.
        groups[5][0].0 = Point { x: Fp::ZERO, y: Fp::ONE.double() };
        assert!(groups[5][0].0.neg() == add_one(groups[5][0].0, groups[5][0].0));
        for groups in [plain, groups] {
            check(&groups);
        }
    }

    fn check(groups: &[Vec<Pair>]) {
        #[cfg(all(target_arch = "x86_64", feature = "lanes"))]
        let ways = [products(groups), scalar_miller::products(groups), lanes_products(Ifma::or_model(), groups)];
        #[cfg(not(all(target_arch = "x86_64", feature = "lanes")))]
        let ways = [products(groups), scalar_miller::products(groups)];
        for products in ways {
            for (group, product) in groups.iter().zip(products) {
                let expected = group.iter().fold(Fp12::one(), |f, (p, q)| f.mul(&miller_loop(p, q)));
                assert!(hard_part(&easy_part(&product)) == hard_part(&easy_part(&expected)));
            }
        }
    }
}
