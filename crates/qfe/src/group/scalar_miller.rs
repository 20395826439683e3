//! Products of pairings by scalars, with the lines of [`miller`](super::miller).
//!
//! Slopes over affine points share an inversion per step, and two lines are multiplied before they go into the
//! accumulator: for two pairs this takes about 9,500 field multiplications, where projective points and one line after
//! the other take 11,500.

use super::schedule::{groups, in_order};
use crate::raw::{Coordinate, Field, Fp, Fp2, Fp12, G1, G2, Point, X, miller_loop_many};

/// A pair of points to be paired.
pub(crate) type Pair = (G1, G2);

/// Pairs whose slopes share inversions at most: more would leave the cache.
const MOST: usize = 128;

/// For each group the product of its pairs, up to factors that vanish in the final exponentiation.
pub(super) fn products(products: &[Vec<Pair>]) -> Vec<Fp12> {
    let finite = |group: &Vec<Pair>| -> Vec<Pair> {
        group.iter().filter(|(p, q)| !p.is_infinity() && !q.is_infinity()).copied().collect()
    };
    let finite: Vec<Vec<Pair>> = products.iter().map(finite).collect();
    let pairs: usize = finite.iter().map(Vec::len).sum();
    let size = pairs.div_ceil(rayon::current_num_threads()).clamp(2, MOST).next_multiple_of(2);
    let parts: Vec<(usize, &[Pair])> = finite
        .iter()
        .enumerate()
        .flat_map(|(number, group)| group.chunks(size).map(move |part| (number, part)))
        .collect();
    let blocks = groups(&parts, size, |(_, part)| part.len());
    let values = in_order(blocks.len(), |k| {
        let parts: Vec<&[Pair]> = blocks[k].iter().map(|(_, part)| *part).collect();
        block(&parts).unwrap_or_else(|| parts.iter().map(|part| miller_loop_many(part)).collect())
    });
    let mut out: Vec<Option<Fp12>> = vec![None; products.len()];
    for ((number, _), value) in parts.iter().zip(values.iter().flatten()) {
        let product = &mut out[*number];
        *product = Some(product.map_or(*value, |p| p.mul(value)));
    }
    out.into_iter().map(|product| product.unwrap_or_else(Fp12::one)).collect()
}

/// A pair with the running multiple of its second point.
struct Running {
    q: G2,
    t: G2,
    /// `−y_P²/x_P³`
    scale: Fp,
}

/// A line scaled to `x + y·v + v·w`.
struct Line {
    x: Fp2,
    y: Fp2,
}

/// None when a slope does not exist: points are not of prime order.
fn block(parts: &[&[Pair]]) -> Option<Vec<Fp12>> {
    let mut pairs = running(&parts.concat())?;
    let mut products: Vec<Option<Fp12>> = vec![None; parts.len()];
    let mut shared = Vec::with_capacity(pairs.len());
    let mut lines = Vec::new();
    for bit in (0..63).rev() {
        for addition in [false, true] {
            if addition && X >> bit & 1 == 0 {
                continue;
            }
            let mut inverse = denominators(&pairs, addition, &mut shared)?;
            let mut end = pairs.len();
            for (product, part) in products.iter_mut().zip(parts).rev() {
                let range = end - part.len()..end;
                end = range.start;
                lines.clear();
                for (pair, shared) in pairs[range.clone()].iter_mut().zip(&shared[range]).rev() {
                    lines.push(line(pair, shared, &mut inverse, addition));
                }
                if !addition && let Some(f) = product {
                    f.square();
                }
                for lines in lines.chunks(2) {
                    match (&mut *product, lines) {
                        (Some(f), [a, b]) => f.multiply(&two_lines(a, b)),
                        (Some(f), [a, ..]) => f.multiply_by_line(&a.x, &a.y, &Fp2::ONE),
                        (f, [a, b]) => *f = Some(two_lines(a, b)),
                        (f, [a, ..]) => *f = Some(one_line(a)),
                        (_, []) => {}
                    }
                }
            }
        }
    }
    Some(products.into_iter().map(|f| f.map_or_else(Fp12::one, |f| f.conjugate())).collect())
}

/// Pairs at the start, moved so that lines have few coefficients; see [`miller`](super::miller).
fn running(pairs: &[Pair]) -> Option<Vec<Running>> {
    let mut product = Fp::ONE;
    let mut prefixes = Vec::with_capacity(pairs.len());
    for (p, _) in pairs {
        prefixes.push(product);
        product = product.mul(&p.x.mul(&p.y));
    }
    // No point of prime order has x = 0 or y = 0.
    let mut inverse = (!product.is_zero()).then(|| product.inverse())?;
    let moved = pairs.iter().zip(&prefixes).rev().map(|((p, q), prefix)| {
        let own = inverse.mul(prefix);
        inverse = inverse.mul(&p.x.mul(&p.y));
        let (inverse_x, inverse_y) = (own.mul(&p.y), own.mul(&p.x));
        let u = p.x.mul(&inverse_y).neg();
        let square = u.sqr();
        let q = Point { x: q.x.scale(&square), y: q.y.scale(&square.mul(&u)) };
        let ratio = p.y.mul(&inverse_x);
        Running { q, t: q, scale: ratio.sqr().mul(&inverse_x).neg() }
    });
    let mut moved: Vec<Running> = moved.collect();
    moved.reverse();
    Some(moved)
}

/// The norms of what slopes are divided by, with the products of those before, and the inverse of the whole product.
fn denominators(pairs: &[Running], addition: bool, shared: &mut Vec<(Fp, Fp)>) -> Option<Fp> {
    let mut product = Fp::ONE;
    shared.clear();
    for pair in pairs {
        let norm = if addition { pair.t.x.sub(&pair.q.x) } else { pair.t.y.double() }.norm();
        shared.push((norm, product));
        product = product.mul(&norm);
    }
    (!product.is_zero()).then(|| product.inverse())
}

/// Doubles the point of a pair (or adds the second point to it) and gives the line.
fn line(pair: &mut Running, (norm, prefix): &(Fp, Fp), inverse: &mut Fp, addition: bool) -> Line {
    let inverse_norm = inverse.mul(prefix);
    *inverse = inverse.mul(norm);
    let Point { x: tx, y: ty } = &pair.t;
    let (numerator, denominator) = if addition {
        (ty.sub(&pair.q.y), tx.sub(&pair.q.x))
    } else {
        let square = tx.sqr();
        (square.double().add(&square), ty.double())
    };
    let slope = numerator.mul(&denominator.with_inverse_norm(&inverse_norm));
    let offset = slope.mul(tx).sub(ty);
    let other = if addition { &pair.q.x } else { tx };
    let x = slope.sqr().sub(tx).sub(other);
    // y₃ = λ(x₁ − x₃) − y₁ = (λx₁ − y₁) − λx₃
    pair.t = Point { x, y: offset.sub(&slope.mul(&x)) };
    Line { x: offset.scale(&pair.scale), y: slope }
}

/// The product of two lines, where `(vw)² = v³ = 1 + i`.
fn two_lines(a: &Line, b: &Line) -> Fp12 {
    let (xx, yy) = (a.x.mul(&b.x), a.y.mul(&b.y));
    let mixed = a.x.add(&a.y).mul(&b.x.add(&b.y)).sub(&xx).sub(&yy);
    let constant = xx.add(&Fp2 { c0: Fp::ONE, c1: Fp::ONE });
    Fp12::from_coefficients(&[constant, mixed, yy, Fp2::ZERO, a.x.add(&b.x), a.y.add(&b.y)])
}

fn one_line(a: &Line) -> Fp12 {
    Fp12::from_coefficients(&[a.x, a.y, Fp2::ZERO, Fp2::ZERO, Fp2::ONE, Fp2::ZERO])
}
