//! The extension of degree twelve, eight elements at a time.
//!
//! `Fp6 = Fp2[v]/(v³ − ξ)`, `Fp12 = Fp6[w]/(w² − v)`, `ξ = 1 + i`. Coefficients are sums of
//! products: these are added up in columns and reduced once, 12 times for a product of
//! 54 multiplications.

#[cfg(feature = "evaluate")]
use std::sync::OnceLock;

use crate::raw::{
    Coordinate, Field, Fp, Fp2, Fp12, Vector,
    ifma::{Fp2Columns, Fp2x8, Fp8, Ifma},
};

const LANES: usize = 8;

type Fp6x8 = [Fp2x8; 3];
type Columns6 = [Fp2Columns; 3];

/// Coefficients of `1, v, v², w, vw, v²w`, all below `4p`.
#[derive(Clone, Copy)]
pub(crate) struct Fp12x8([Fp6x8; 2]);

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

#[inline(always)]
fn add6(a: &Fp6x8, b: &Fp6x8) -> Fp6x8 {
    std::array::from_fn(|k| a[k].add(&b[k]))
}

/// `v·a`, of what is below `4p`.
#[inline(always)]
fn shift6(a: &Fp6x8) -> Fp6x8 {
    [a[2].mul_by_nonresidue::<2>(), a[0], a[1]]
}

#[inline(always)]
fn add_columns(a: &Columns6, b: &Columns6) -> Columns6 {
    std::array::from_fn(|k| a[k].add(&b[k]))
}

#[inline(always)]
fn sub_columns(a: &Columns6, b: &Columns6) -> Columns6 {
    std::array::from_fn(|k| a[k].sub(&b[k]))
}

#[inline(always)]
fn shift_columns(a: &Columns6) -> Columns6 {
    [a[2].mul_by_nonresidue(), a[0], a[1]]
}

#[inline(always)]
fn reduce(a: &Columns6) -> Fp6x8 {
    std::array::from_fn(|k| a[k].reduce())
}

/// `a·b` by Karatsuba's method: six products.
fn mul6(a: &Fp6x8, b: &Fp6x8) -> Columns6 {
    a[0].token().run(|| {
        let v: Columns6 = std::array::from_fn(|k| Fp2Columns::product(&a[k], &b[k]));
        let cross = |i: usize, j: usize| Fp2Columns::product(&a[i].add(&a[j]), &b[i].add(&b[j])).sub(&v[i]).sub(&v[j]);
        [v[0].add(&cross(1, 2).mul_by_nonresidue()), cross(0, 1).add(&v[2].mul_by_nonresidue()), cross(0, 2).add(&v[1])]
    })
}

/// `(a₀ + b₀w)(a₁ + b₁w)` of three products: `low = a₀a₁`, `high = b₀b₁` and that of the sums.
#[inline(always)]
fn from_products(low: &Columns6, high: &Columns6, sums: &Columns6) -> Fp12x8 {
    let middle = sub_columns(&sub_columns(sums, low), high);
    Fp12x8([reduce(&add_columns(low, &shift_columns(high))), reduce(&middle)])
}

impl TwoLines {
    /// `(x₁ + y₁v + vw)(x₂ + y₂v + vw)`, where `(vw)² = v³ = ξ`.
    pub(super) fn product(a: &Line, b: &Line, nonresidue: &Fp2x8) -> Self {
        a.x.token().run(|| {
            let (xx, yy) = (Fp2Columns::product(&a.x, &b.x), Fp2Columns::product(&a.y, &b.y));
            let (m1, m2) = (a.x.add(&b.x), a.y.add(&b.y));
            let cross = Fp2Columns::product(&a.x.add(&a.y), &b.x.add(&b.y)).sub(&xx).sub(&yy);
            Self { l: [xx.reduce().add(nonresidue), cross.reduce(), yy.reduce()], m1, m2 }
        })
    }
}

/// `ξ` in all lanes.
pub(super) fn nonresidue(token: Ifma) -> Fp2x8 {
    let one = Fp8::splat(token, &Fp::ONE.to_shifted());
    Fp2x8::from_parts(&one, &one)
}

impl Fp12x8 {
    pub(super) fn one(token: Ifma) -> Self {
        let zero = Fp2x8::zero(token);
        let one = Fp2x8::from_base(&Fp8::splat(token, &Fp::ONE.to_shifted())).settle();
        Self([[one, zero, zero], [zero; 3]])
    }

    pub(super) fn from_lines(lines: &TwoLines) -> Self {
        let l = lines.l.map(|l| l.settle());
        Self([l, [Fp2x8::zero(lines.m1.token()), lines.m1.settle(), lines.m2.settle()]])
    }

    pub(super) fn from_line(line: &Line) -> Self {
        let token = line.x.token();
        let zero = Fp2x8::zero(token);
        let one = Self::one(token).0[0][0];
        Self([[line.x, line.y, zero], [zero, one, zero]])
    }

    /// `(a + bw)² = (a + b)(a + vb) − (1 + v)ab + 2ab·w`.
    pub(super) fn sqr(&self) -> Self {
        let [a, b] = &self.0;
        a[0].token().run(|| {
            let product = mul6(a, b);
            let sum = mul6(&add6(a, b), &add6(a, &shift6(b)));
            let first = sub_columns(&sub_columns(&sum, &product), &shift_columns(&product));
            Self([reduce(&first), reduce(&add_columns(&product, &product))])
        })
    }

    #[cfg(feature = "evaluate")]
    pub(super) fn mul(&self, other: &Self) -> Self {
        let ([a, b], [c, d]) = (&self.0, &other.0);
        a[0].token().run(|| from_products(&mul6(a, c), &mul6(b, d), &mul6(&add6(a, b), &add6(c, d))))
    }

    pub(super) fn mul_by_lines(&self, lines: &TwoLines) -> Self {
        let [a, b] = &self.0;
        a[0].token().run(|| {
            let low = mul6(a, &lines.l);
            // b·(m₁v + m₂v²): five products.
            let product = Fp2Columns::product;
            let (b1m1, b2m2) = (product(&b[1], &lines.m1), product(&b[2], &lines.m2));
            let cross = product(&b[1].add(&b[2]), &lines.m1.add(&lines.m2)).sub(&b1m1).sub(&b2m2);
            let high = [
                cross.mul_by_nonresidue(),
                product(&b[0], &lines.m1).add(&b2m2.mul_by_nonresidue()),
                product(&b[0], &lines.m2).add(&b1m1),
            ];
            let sums = [lines.l[0], lines.l[1].add(&lines.m1), lines.l[2].add(&lines.m2)];
            from_products(&low, &high, &mul6(&add6(a, b), &sums))
        })
    }

    /// Times `x + y·v + v·w`.
    pub(super) fn mul_by_line(&self, line: &Line) -> Self {
        let [a, b] = &self.0;
        a[0].token().run(|| {
            let both = line.x.add(&line.y);
            let sparse = |c: &Fp6x8| -> Fp6x8 {
                // c·(x + y v): five products.
                let product = Fp2Columns::product;
                let (c0x, c1y) = (product(&c[0], &line.x), product(&c[1], &line.y));
                let cross = product(&c[0].add(&c[1]), &both).sub(&c0x).sub(&c1y);
                let first = c0x.add(&product(&c[2], &line.y).mul_by_nonresidue());
                [first.reduce(), cross.reduce(), c1y.add(&product(&c[2], &line.x)).reduce()]
            };
            // (a + b w)(L + v w) = aL + v²b + (bL + v a) w.
            let twice = [b[1].mul_by_nonresidue::<2>(), b[2].mul_by_nonresidue::<2>(), b[0]];
            Self([add6(&sparse(a), &twice).map(|c| c.settle()), add6(&sparse(b), &shift6(a)).map(|c| c.settle())])
        })
    }

    /// Squaring in the cyclotomic subgroup (Granger and Scott): three squarings in `Fp4`.
    #[cfg(feature = "evaluate")]
    pub(super) fn cyclotomic_sqr(&self) -> Self {
        let [[z0, z4, z3], [z2, z1, z5]] = &self.0;
        z0.token().run(|| {
            let (t0, t1) = square4(z0, z1);
            let (t2, t3) = square4(z2, z3);
            let (t4, t5) = square4(z4, z5);
            // 3t − 2z and 3t + 2z.
            let minus = |t: &Fp2x8, z: &Fp2x8| t.add(t).add(t).sub::<3>(&z.add(z)).settle();
            let plus = |t: &Fp2x8, z: &Fp2x8| t.add(t).add(t).add(z).add(z).settle();
            let t5 = t5.mul_by_nonresidue::<2>();
            Self([[minus(&t0, z0), minus(&t2, z4), minus(&t4, z3)], [plus(&t5, z2), plus(&t1, z1), plus(&t3, z5)]])
        })
    }

    /// `p⁶`-power.
    pub(super) fn conjugate(&self) -> Self {
        let [a, b] = &self.0;
        Self([*a, b.map(|c| c.neg_lanes(0xff).settle())])
    }

    /// Its `p⁶`-power in the lanes of the mask.
    #[cfg(feature = "evaluate")]
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

/// `(a + b·√ξ)²` in `Fp4 = Fp2(√ξ)`: `a² + ξb²` and `2ab`.
#[cfg(feature = "evaluate")]
#[inline(always)]
fn square4(a: &Fp2x8, b: &Fp2x8) -> (Fp2x8, Fp2x8) {
    let product = Fp2Columns::product(a, b);
    let sum = Fp2Columns::product(&a.add(b), &a.add(&b.mul_by_nonresidue::<2>()));
    let first = sum.sub(&product).sub(&product.mul_by_nonresidue());
    (first.reduce(), product.add(&product).reduce())
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
    pub(super) fn new(f: &Fp12x8) -> Self {
        let [a, b] = &f.0;
        let (aa, vbb, ab) = (mul6(a, a), shift_columns(&mul6(b, b)), mul6(a, b));
        let minus = reduce(&add_columns(&ab, &ab)).map(|c| c.neg_lanes(0xff).settle());
        let squared = Fp12x8([reduce(&add_columns(&aa, &vbb)), minus]);
        let [n0, n1, n2] = reduce(&sub_columns(&aa, &vbb));
        let product = Fp2Columns::product;
        let t = [
            product(&n0, &n0).sub(&product(&n1, &n2).mul_by_nonresidue()).reduce(),
            product(&n2, &n2).mul_by_nonresidue().sub(&product(&n0, &n1)).reduce(),
            product(&n1, &n1).sub(&product(&n0, &n2)).reduce(),
        ];
        let rest = product(&n2, &t[1]).add(&product(&n1, &t[2])).mul_by_nonresidue();
        let norm = product(&n0, &t[0]).add(&rest).reduce();
        Self { squared, t, norm }
    }

    /// What is to be inverted.
    #[inline(always)]
    pub(super) fn norm(&self) -> Fp2x8 {
        self.norm
    }

    /// `f^(p⁶−1)` from the inverse of the norm's norm.
    #[inline(always)]
    pub(super) fn finish(&self, inverse: &Fp8) -> Fp12x8 {
        let inverse = self.norm.with_inverse_norm(inverse).settle();
        let t = self.t.map(|t| t.mul(&inverse));
        let [a, b] = &self.squared.0;
        Fp12x8([reduce(&mul6(a, &t)), reduce(&mul6(b, &t))])
    }
}
