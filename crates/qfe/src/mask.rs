//! Masks: the part of an encryption that can be done before the input is known.

use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    group::comb::Comb,
    keys::PublicKeyId,
    raw::{Fp, Fp2, G1, G2, Point, Scalar},
};

/// The part of a ciphertext that depends on no input; for one use, then erased.
#[derive(Zeroize, ZeroizeOnDrop)]
#[allow(missing_debug_implementations)] // secret
pub struct Mask {
    #[zeroize(skip)]
    pub(crate) id: PublicKeyId,
    pub(crate) gamma: G1,
    /// `[M₁c]₁` for `c = 1, 2`.
    pub(crate) left_bases: [G1; 2],
    /// `[W_r1]₂` for `r = 1, 2`.
    pub(crate) right_bases: [G2; 2],
    /// `(γ M₂c)·[s_i]₁`.
    pub(crate) a: Vec<G1>,
    /// `−W_r2·[t_j]₂`.
    pub(crate) b: Vec<G2>,
}

/// The scalars of a mask.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct MaskScalars {
    pub(crate) gamma: Scalar,
    pub(crate) left_bases: [Scalar; 2],
    pub(crate) right_bases: [Scalar; 2],
    pub(crate) left: [Scalar; 2],
    pub(crate) right: [Scalar; 2],
}

impl MaskScalars {
    pub(crate) fn draw(rng: &mut impl CryptoRng) -> Self {
        loop {
            let gamma = Zeroizing::new(Scalar::random(rng));
            let mut w: Zeroizing<[Scalar; 4]> = Zeroizing::new(Default::default());
            w.iter_mut().for_each(|entry| *entry = Scalar::random(rng));
            let determinant = Zeroizing::new(w[0].mul(&w[3]).sub(&w[1].mul(&w[2])));
            if determinant.is_zero() || gamma.is_zero() {
                continue;
            }
            let inverse = Zeroizing::new(determinant.inverse());
            // M = W⁻¹ = [[w22, −w12], [−w21, w11]] / det
            let scaled = Zeroizing::new(gamma.mul(&inverse));
            return Self {
                gamma: *gamma,
                left_bases: [w[3].mul(&inverse), w[1].mul(&inverse).neg()],
                right_bases: [w[0], w[2]],
                left: [w[2].mul(&scaled).neg(), w[0].mul(&scaled)],
                right: [w[1].neg(), w[3].neg()],
            };
        }
    }
}

/// Tables of both generators.
pub(crate) struct Combs {
    left: Comb<Fp>,
    right: Comb<Fp2>,
}

impl Combs {
    pub(crate) fn new() -> Self {
        Self { left: Comb::new(), right: Comb::new() }
    }
}

/// What one task of drawing a mask makes.
pub(crate) enum Part {
    /// The next points of `a`.
    Left(Zeroizing<Vec<G1>>),
    /// The next points of `b`.
    Right(Zeroizing<Vec<G2>>),
    /// Everything else.
    Bases(Box<Mask>),
}

impl Mask {
    /// The public key that it is for.
    pub fn public_key_id(&self) -> PublicKeyId {
        self.id
    }

    /// Lengths `(n, m)` of the vectors that it hides.
    pub fn inputs(&self) -> (usize, usize) {
        (self.a.len() / 2, self.b.len() / 2)
    }

    /// A mask to add parts to.
    pub(crate) fn empty(id: PublicKeyId, (n, m): (usize, usize)) -> Self {
        let (gamma, left_bases, right_bases) = (Point::INFINITY, [Point::INFINITY; 2], [Point::INFINITY; 2]);
        // Room from the start: growing would leave copies in memory.
        Self { id, gamma, left_bases, right_bases, a: Vec::with_capacity(2 * n), b: Vec::with_capacity(2 * m) }
    }

    /// A mask without its vectors.
    pub(crate) fn bases_vartime(id: PublicKeyId, scalars: &MaskScalars, combs: &Combs) -> Self {
        let mut mask = Self::empty(id, (0, 0));
        let [first, second] = &scalars.left_bases;
        let left = Zeroizing::new([scalars.gamma, *first, *second]);
        let points = combs.left.mul_vartime(&left);
        (mask.gamma, mask.left_bases) = (points[0], [points[1], points[2]]);
        mask.right_bases = *combs.right.mul_vartime(&scalars.right_bases);
        mask
    }

    pub(crate) fn add(&mut self, part: Part) {
        match part {
            Part::Left(points) => self.a.extend_from_slice(&points),
            Part::Right(points) => self.b.extend_from_slice(&points),
            Part::Bases(mask) => {
                (self.gamma, self.left_bases, self.right_bases) = (mask.gamma, mask.left_bases, mask.right_bases);
            }
        }
    }
}
