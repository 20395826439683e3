//! The extension of degree twelve, eight elements at a time.
//!
//! `Fp6 = Fp2[v]/(v³ − ξ)`, `Fp12 = Fp6[w]/(w² − v)`, `ξ = 1 + i`. Coefficients are sums of
//! products: these are added up in columns and reduced once, 12 times for a product of
//! 54 multiplications. Elements are changed in place, with columns in [`Work`]: copies of them would
//! take a fifth of the time.

#[cfg(feature = "evaluate")]
use std::sync::OnceLock;

use crate::raw::{
    Coordinate, Field, Fp, Fp2, Fp12, Vector,
    ifma::{
        Cubic, Fp2x8, Fp8, Ifma,
        Sign::{Minus, MinusTwisted, Plus, Twisted},
    },
};

const LANES: usize = 8;

type Fp6x8 = [Fp2x8; 3];

/// Coefficients of `1, v, v², w, vw, v²w`, all below `4p`.
#[derive(Clone, Copy)]
pub(crate) struct Fp12x8([Fp6x8; 2]);

/// A product of two lines: `(l₀ + l₁v + l₂v²) + (m₁v + m₂v²)w`.
struct TwoLines {
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

/// Memory of products.
pub(super) struct Work {
    low: Cubic,
    high: Cubic,
    middle: Cubic,
    scratch: Cubic,
    a: Fp6x8,
    b: Fp6x8,
    lines: TwoLines,
    /// `ξ` in all lanes.
    nonresidue: Fp2x8,
}

impl Work {
    pub(super) fn new(token: Ifma) -> Box<Self> {
        let (cubic, zero) = (Cubic::new(token), Fp2x8::zero(token));
        let one = Fp8::splat(token, &Fp::ONE.to_shifted());
        Box::new(Self {
            low: cubic,
            high: cubic,
            middle: cubic,
            scratch: cubic,
            a: [zero; 3],
            b: [zero; 3],
            lines: TwoLines { l: [zero; 3], m1: zero, m2: zero },
            nonresidue: Fp2x8::from_parts(&one, &one),
        })
    }

    /// The product of two lines, where `(vw)² = v³ = ξ`.
    fn multiply_lines(&mut self, a: &Line, b: &Line) {
        let ([xx, yy, both], TwoLines { l, m1, m2 }) = (&mut self.scratch.coefficients, &mut self.lines);
        xx.set_product(&a.x, &b.x);
        yy.set_product(&a.y, &b.y);
        both.set_product(&a.x.add(&a.y), &b.x.add(&b.y));
        let (xx, yy, both) = (&*xx, &*yy, &*both);
        l[0].set_sum([(Plus, xx)]);
        l[0] = l[0].add(&self.nonresidue);
        l[1].set_sum([(Plus, both), (Minus, xx), (Minus, yy)]);
        l[2].set_sum([(Plus, yy)]);
        (*m1, *m2) = (a.x.add(&b.x), a.y.add(&b.y));
    }
}

/// `v·a`, of what is below `4p`.
#[inline(always)]
fn shift6(a: &Fp6x8) -> Fp6x8 {
    [a[2].mul_by_nonresidue::<2>(), a[0], a[1]]
}

impl Fp12x8 {
    pub(super) fn one(token: Ifma) -> Self {
        let zero = Fp2x8::zero(token);
        let one = Fp2x8::from_base(&Fp8::splat(token, &Fp::ONE.to_shifted())).settle();
        Self([[one, zero, zero], [zero; 3]])
    }

    pub(super) fn from_lines(a: &Line, b: &Line, work: &mut Work) -> Self {
        work.multiply_lines(a, b);
        let TwoLines { l, m1, m2 } = &work.lines;
        Self([l.map(|l| l.settle()), [Fp2x8::zero(m1.token()), m1.settle(), m2.settle()]])
    }

    pub(super) fn from_line(line: &Line) -> Self {
        let token = line.x.token();
        let zero = Fp2x8::zero(token);
        let one = Self::one(token).0[0][0];
        Self([[line.x, line.y, zero], [zero, one, zero]])
    }

    /// `(a + bw)² = (a + b)(a + vb) − (1 + v)ab + 2ab·w`.
    pub(super) fn sqr(&mut self, work: &mut Work) {
        let [a, b] = &mut self.0;
        let Work { low, middle, scratch, a: sum, b: twisted, .. } = work;
        a[0].token().run(|| {
            low.set_product(a, b, scratch);
            for k in 0..3 {
                sum[k] = a[k].add(&b[k]);
            }
            twisted[0] = a[0].add(&b[2].mul_by_nonresidue::<2>());
            twisted[1] = a[1].add(&b[0]);
            twisted[2] = a[2].add(&b[1]);
            middle.set_product(sum, twisted, scratch);
            let (m, p) = (&middle.coefficients, &low.coefficients);
            a[0].set_sum([(Plus, &m[0]), (Minus, &p[0]), (MinusTwisted, &p[2])]);
            a[1].set_sum([(Plus, &m[1]), (Minus, &p[1]), (Minus, &p[0])]);
            a[2].set_sum([(Plus, &m[2]), (Minus, &p[2]), (Minus, &p[1])]);
            for k in 0..3 {
                b[k].set_sum([(Plus, &p[k]), (Plus, &p[k])]);
            }
        });
    }

    /// From `low = a₀a₁`, `high = b₀b₁` and the product of the sums: `(a₀ + b₀w)(a₁ + b₁w)`.
    #[inline(always)]
    fn set_products(&mut self, low: &Cubic, high: &Cubic, sums: &Cubic) {
        let [a, b] = &mut self.0;
        let (l, h, s) = (&low.coefficients, &high.coefficients, &sums.coefficients);
        a[0].set_sum([(Plus, &l[0]), (Twisted, &h[2])]);
        a[1].set_sum([(Plus, &l[1]), (Plus, &h[0])]);
        a[2].set_sum([(Plus, &l[2]), (Plus, &h[1])]);
        for k in 0..3 {
            b[k].set_sum([(Plus, &s[k]), (Minus, &l[k]), (Minus, &h[k])]);
        }
    }

    #[cfg(feature = "evaluate")]
    pub(super) fn mul(&mut self, other: &Self, work: &mut Work) {
        let Work { low, high, middle, scratch, a: first, b: second, .. } = work;
        other.0[0][0].token().run(|| {
            let ([a, b], [c, d]) = (&self.0, &other.0);
            low.set_product(a, c, scratch);
            high.set_product(b, d, scratch);
            for k in 0..3 {
                first[k] = a[k].add(&b[k]);
                second[k] = c[k].add(&d[k]);
            }
            middle.set_product(first, second, scratch);
            self.set_products(low, high, middle);
        });
    }

    /// Times two lines, which are multiplied first.
    pub(super) fn mul_by_lines(&mut self, one: &Line, other: &Line, work: &mut Work) {
        one.x.token().run(|| {
            work.multiply_lines(one, other);
            let [a, b] = &self.0;
            let Work { low, high, middle, scratch, a: first, b: second, lines: TwoLines { l, m1, m2 }, .. } = work;
            low.set_product(a, l, scratch);
            high.set_sparse_product(b, m1, m2, scratch);
            for k in 0..3 {
                first[k] = a[k].add(&b[k]);
            }
            *second = [l[0], l[1].add(m1), l[2].add(m2)];
            middle.set_product(first, second, scratch);
            self.set_products(low, high, middle);
        });
    }

    /// Times `x + y·v + v·w`.
    pub(super) fn mul_by_line(&mut self, line: &Line) {
        let [a, b] = &self.0;
        *self = a[0].token().run(|| {
            let both = line.x.add(&line.y);
            let sparse = |c: &Fp6x8| -> Fp6x8 {
                // c·(x + y v): five products.
                let (c0x, c1y) = (c[0].mul(&line.x), c[1].mul(&line.y));
                let cross = c[0].add(&c[1]).mul(&both).sub::<2>(&c0x).sub::<2>(&c1y);
                let first = c0x.add(&c[2].mul(&line.y).mul_by_nonresidue::<2>());
                [first, cross, c1y.add(&c[2].mul(&line.x))]
            };
            let add = |a: &Fp6x8, b: &Fp6x8| -> Fp6x8 { std::array::from_fn(|k| a[k].add(&b[k]).settle()) };
            // (a + b w)(L + v w) = aL + v²b + (bL + v a) w.
            let twice = [b[1].mul_by_nonresidue::<2>(), b[2].mul_by_nonresidue::<2>(), b[0]];
            Self([add(&sparse(a), &twice), add(&sparse(b), &shift6(a))])
        });
    }

    /// Squaring in the cyclotomic subgroup (Granger and Scott): three squarings in `Fp4 = Fp2(√ξ)`, each
    /// of which gives `a² + ξb² = (a + b)(a + ξb) − (1 + ξ)ab` and `2ab`.
    #[cfg(feature = "evaluate")]
    pub(super) fn cyclotomic_sqr(&mut self, work: &mut Work) {
        let [[z0, z4, z3], [z2, z1, z5]] = &mut self.0;
        let Work { scratch, a: first, b: second, .. } = work;
        let [product, sum, _] = &mut scratch.coefficients;
        z0.token().run(|| {
            for (k, (a, b)) in [(&*z0, &*z1), (&*z2, &*z3), (&*z4, &*z5)].into_iter().enumerate() {
                product.set_product(a, b);
                sum.set_product(&a.add(b), &a.add(&b.mul_by_nonresidue::<2>()));
                let (product, sum) = (&*product, &*sum);
                first[k].set_sum([(Plus, sum), (Minus, product), (MinusTwisted, product)]);
                second[k].set_sum([(Plus, product), (Plus, product)]);
            }
            // 3t − 2z and 3t + 2z.
            *z0 = z0.with_triple(&first[0], true);
            *z1 = z1.with_triple(&second[0], false);
            *z4 = z4.with_triple(&first[1], true);
            *z5 = z5.with_triple(&second[1], false);
            *z3 = z3.with_triple(&first[2], true);
            *z2 = z2.with_triple(&second[2].mul_by_nonresidue::<2>(), false);
        });
    }

    /// `p⁶`-power.
    pub(super) fn conjugate(&self) -> Self {
        self.conjugate_lanes(0xff)
    }

    /// Its `p⁶`-power in the lanes of the mask.
    pub(super) fn conjugate_lanes(&self, mask: u8) -> Self {
        let [a, b] = &self.0;
        Self([*a, b.map(|c| c.neg_lanes(mask).settle())])
    }

    /// The `p^n`-power, `n` one or two.
    #[cfg(feature = "evaluate")]
    pub(super) fn frobenius(&self, n: usize) -> Self {
        let token = self.0[0][0].token();
        let factors = &frobenius_factors()[n - 1];
        token.run(|| {
            let power = |k: usize| {
                let c = &self.0[k / 3][k % 3];
                if n == 1 {
                    c.conjugate().mul(&Fp2x8::load(token, [&factors[k]; LANES]))
                } else {
                    c.scale(&Fp8::splat(token, &factors[k].c0))
                }
            };
            Self([std::array::from_fn(power), std::array::from_fn(|k| power(3 + k))])
        })
    }

    /// Eight elements of which each coefficient is in shifted form.
    pub(super) fn load(token: Ifma, elements: [&Fp12; LANES]) -> Self {
        token.run(|| {
            let coefficient = |k: usize| {
                let coefficients = elements.map(|element| element.coefficient(k));
                Fp2x8::load(token, std::array::from_fn(|lane| &coefficients[lane])).settle()
            };
            Self([std::array::from_fn(coefficient), std::array::from_fn(|k| coefficient(3 + k))])
        })
    }

    /// The eight elements, in shifted form.
    pub(super) fn unload_shifted(&self) -> [Fp12; LANES] {
        self.0[0][0].token().run(|| {
            let columns: [[Fp2; LANES]; 6] = std::array::from_fn(|k| self.0[k / 3][k % 3].unload());
            std::array::from_fn(|lane| Fp12::from_coefficients(&columns.map(|column| column[lane])))
        })
    }

    /// The eight elements.
    pub(super) fn unload(&self) -> [Fp12; LANES] {
        self.unload_shifted().map(|element| from_shifted(&element))
    }
}

/// To the form of the lanes.
pub(super) fn to_shifted(element: &Fp12) -> Fp12 {
    Fp12::from_coefficients(&std::array::from_fn(|k| element.coefficient(k).to_shifted()))
}

fn from_shifted(element: &Fp12) -> Fp12 {
    Fp12::from_coefficients(&std::array::from_fn(|k| element.coefficient(k).unshifted()))
}

/// What the `p`- and `p²`-powers of `1, v, v², w, vw, v²w` are multiples by, in shifted form.
#[cfg(feature = "evaluate")]
fn frobenius_factors() -> &'static [[Fp2; 6]; 2] {
    static FACTORS: OnceLock<[[Fp2; 6]; 2]> = OnceLock::new();
    FACTORS.get_or_init(|| {
        [1, 2].map(|n| {
            std::array::from_fn(|k| {
                let unit = std::array::from_fn(|i| if i == k { Fp2::ONE } else { Fp2::ZERO });
                Fp12::from_coefficients(&unit).frobenius(n).coefficient(k).to_shifted()
            })
        })
    })
}

/// `f^(p⁶−1) = f̄/f = f̄²/N` with `N = f·f̄ = a² − vb²` in `Fp6`, before the inversion.
#[cfg(feature = "evaluate")]
pub(super) struct Inverting {
    squared: Fp12x8,
    /// `1/N = (t₀ + t₁v + t₂v²)/norm`.
    t: Fp6x8,
    norm: Fp2x8,
}

#[cfg(feature = "evaluate")]
impl Inverting {
    #[inline(always)]
    pub(super) fn new(f: &Fp12x8, work: &mut Work) -> Self {
        let [a, b] = &f.0;
        let Work { low, high, middle, scratch, a: n, .. } = work;
        low.set_product(a, a, scratch);
        high.set_product(b, b, scratch);
        middle.set_product(a, b, scratch);
        let (aa, bb, ab) = (&low.coefficients, &high.coefficients, &middle.coefficients);
        let mut squared = *f;
        let [first, second] = &mut squared.0;
        first[0].set_sum([(Plus, &aa[0]), (Twisted, &bb[2])]);
        n[0].set_sum([(Plus, &aa[0]), (MinusTwisted, &bb[2])]);
        for k in 1..3 {
            first[k].set_sum([(Plus, &aa[k]), (Plus, &bb[k - 1])]);
            n[k].set_sum([(Plus, &aa[k]), (Minus, &bb[k - 1])]);
        }
        for k in 0..3 {
            second[k].set_sum([(Minus, &ab[k]), (Minus, &ab[k])]);
        }
        let [c0, c1, c2] = &mut scratch.coefficients;
        let (mut t, mut norm) = (*n, n[0]);
        c0.set_product(&n[0], &n[0]);
        c1.set_product(&n[1], &n[2]);
        t[0].set_sum([(Plus, &*c0), (MinusTwisted, &*c1)]);
        c0.set_product(&n[2], &n[2]);
        c1.set_product(&n[0], &n[1]);
        t[1].set_sum([(Twisted, &*c0), (Minus, &*c1)]);
        c0.set_product(&n[1], &n[1]);
        c1.set_product(&n[0], &n[2]);
        t[2].set_sum([(Plus, &*c0), (Minus, &*c1)]);
        c0.set_product(&n[0], &t[0]);
        c1.set_product(&n[2], &t[1]);
        c2.set_product(&n[1], &t[2]);
        norm.set_sum([(Plus, &*c0), (Twisted, &*c1), (Twisted, &*c2)]);
        Self { squared, t, norm }
    }

    /// What is to be inverted.
    #[inline(always)]
    pub(super) fn norm(&self) -> Fp2x8 {
        self.norm
    }

    /// `f^(p⁶−1)` from the inverse of the norm's norm.
    #[inline(always)]
    pub(super) fn finish(&self, inverse: &Fp8, work: &mut Work) -> Fp12x8 {
        let inverse = self.norm.with_inverse_norm(inverse);
        let t = self.t.map(|t| t.mul(&inverse));
        let mut out = self.squared;
        for side in &mut out.0 {
            work.low.set_product(side, &t, &mut work.scratch);
            for (out, columns) in side.iter_mut().zip(&work.low.coefficients) {
                out.set_sum([(Plus, columns)]);
            }
        }
        out
    }
}
