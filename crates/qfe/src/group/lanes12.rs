//! The extension of degree twelve, eight elements at a time.
//!
//! `Fp6 = Fp2[v]/(v³ − ξ)`, `Fp12 = Fp6[w]/(w² − v)`, `ξ = 1 + i`.

use crate::raw::{Fp, Fp2, Fp12, Vector, ifma::Fp2x8};

type Fp6x8 = [Fp2x8; 3];

/// Coefficients of `1, v, v², w, vw, v²w`.
#[derive(Clone, Copy)]
pub(super) struct Fp12x8([Fp6x8; 2]);

/// A product of two lines: `(l₀ + l₁v + l₂v²) + (m₁v + m₂v²)w`.
pub(super) struct TwoLines {
    l: Fp6x8,
    m1: Fp2x8,
    m2: Fp2x8,
}

/// A line scaled to `x + y·v + v·w`.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) x: Fp2x8,
    pub(super) y: Fp2x8,
}

fn add6(a: &Fp6x8, b: &Fp6x8) -> Fp6x8 {
    std::array::from_fn(|k| a[k].add(&b[k]))
}

fn sub6(a: &Fp6x8, b: &Fp6x8) -> Fp6x8 {
    std::array::from_fn(|k| a[k].sub(&b[k]))
}

/// `v·a`.
fn shift6(a: &Fp6x8) -> Fp6x8 {
    [a[2].mul_by_nonresidue(), a[0], a[1]]
}

fn mul6(a: &Fp6x8, b: &Fp6x8) -> Fp6x8 {
    let v: Fp6x8 = std::array::from_fn(|k| a[k].mul(&b[k]));
    let cross = |i: usize, j: usize| a[i].add(&a[j]).mul(&b[i].add(&b[j])).sub(&v[i]).sub(&v[j]);
    [v[0].add(&cross(1, 2).mul_by_nonresidue()), cross(0, 1).add(&v[2].mul_by_nonresidue()), cross(0, 2).add(&v[1])]
}

impl TwoLines {
    /// `(x₁ + y₁v + vw)(x₂ + y₂v + vw)`, where `(vw)² = v³ = ξ`.
    pub(super) fn product(a: &Line, b: &Line, one: &Fp2x8) -> Self {
        let (xx, yy) = (a.x.mul(&b.x), a.y.mul(&b.y));
        let (m1, m2) = (a.x.add(&b.x), a.y.add(&b.y));
        let cross = a.x.add(&a.y).mul(&b.x.add(&b.y)).sub(&xx).sub(&yy);
        Self { l: [xx.add(&one.mul_by_nonresidue()), cross, yy], m1, m2 }
    }
}

impl Fp12x8 {
    pub(super) fn from_lines(lines: &TwoLines) -> Self {
        Self([lines.l, [Fp2x8::zero(lines.m1.token()), lines.m1, lines.m2]])
    }

    pub(super) fn from_line(line: &Line, one: &Fp2x8) -> Self {
        let zero = Fp2x8::zero(one.token());
        Self([[line.x, line.y, zero], [zero, *one, zero]])
    }

    pub(super) fn sqr(&self) -> Self {
        let [a, b] = &self.0;
        let product = mul6(a, b);
        let sum = mul6(&add6(a, b), &add6(a, &shift6(b)));
        let first = sub6(&sub6(&sum, &product), &shift6(&product));
        Self([first, add6(&product, &product)])
    }

    pub(super) fn mul_by_lines(&self, lines: &TwoLines) -> Self {
        let [a, b] = &self.0;
        let low = mul6(a, &lines.l);
        // b·(m₁v + m₂v²): five products.
        let (b1m1, b2m2) = (b[1].mul(&lines.m1), b[2].mul(&lines.m2));
        let cross = b[1].add(&b[2]).mul(&lines.m1.add(&lines.m2)).sub(&b1m1).sub(&b2m2);
        let high = [
            cross.mul_by_nonresidue(),
            b[0].mul(&lines.m1).add(&b2m2.mul_by_nonresidue()),
            b[0].mul(&lines.m2).add(&b1m1),
        ];
        let sums = [lines.l[0], lines.l[1].add(&lines.m1), lines.l[2].add(&lines.m2)];
        let middle = sub6(&sub6(&mul6(&add6(a, b), &sums), &low), &high);
        Self([add6(&low, &shift6(&high)), middle])
    }

    /// Times `x + y·v + v·w`.
    pub(super) fn mul_by_line(&self, line: &Line) -> Self {
        let [a, b] = &self.0;
        let sparse = |c: &Fp6x8| {
            // c·(x + y v): five products.
            let (c0x, c1y) = (c[0].mul(&line.x), c[1].mul(&line.y));
            let cross = c[0].add(&c[1]).mul(&line.x.add(&line.y)).sub(&c0x).sub(&c1y);
            [c0x.add(&c[2].mul(&line.y).mul_by_nonresidue()), cross, c1y.add(&c[2].mul(&line.x))]
        };
        // (a + b w)(L + v w) = aL + v²b + (bL + v a) w.
        Self([add6(&sparse(a), &shift6(&shift6(b))), add6(&sparse(b), &shift6(a))])
    }

    /// `p⁶`-power.
    pub(super) fn conjugate(&self) -> Self {
        Self([self.0[0], self.0[1].map(|c| c.neg_lanes(0xff))])
    }

    /// The eight elements.
    pub(super) fn unload(&self) -> [Fp12; 8] {
        let columns: [[Fp2; 8]; 6] = std::array::from_fn(|k| self.0[k / 3][k % 3].unload());
        std::array::from_fn(|lane| {
            let plain = |c: Fp2| Fp2 { c0: Fp::unshifted(c.c0), c1: Fp::unshifted(c.c1) };
            Fp12::from_coefficients(&columns.map(|column| plain(column[lane])))
        })
    }
}
