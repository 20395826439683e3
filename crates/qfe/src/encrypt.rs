//! Encryption of two integer vectors.
//!
//! With `γ` and `W ∈ GL₂(Z_r)` fresh, `M = W⁻¹`:
//!
//! ```text
//! a_i = Mᵀ·(u_i, γ s_i)ᵀ   →  [a_i]₁ = u_i·[M₁c]₁ + (γ M₂c)·[s_i]₁     c = 1, 2
//! b_j = W·(v_j, −t_j)ᵀ     →  [b_j]₂ = v_j·[W_r1]₂ − W_r2·[t_j]₂       r = 1, 2
//! ```
//!
//! so that `⟨a_i, b_j⟩ = u_i v_j − γ s_i t_j`. The second terms and the four
//! bases of the first make a [`Mask`]; it depends on no input and can be drawn
//! ahead, but must never serve twice: two ciphertexts of one mask reveal the
//! difference of their inputs.

#[cfg(not(target_family = "wasm"))]
use indicatif::ProgressBar;
use rand::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    group::{
        batch::{Scratch, ZipAdditions, add_all},
        fixed_base::FixedBase,
    },
    keys::{PublicKey, PublicKeyId},
    raw::{Coordinate, Fp, Fp2, G1, G2, Point, Scalar},
};

/// An encryption of `(u, v)` under one public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext {
    pub(crate) id: PublicKeyId,
    /// `[γ]₁`.
    pub(crate) gamma: G1,
    /// `[a_i]₁`, the two coordinates of each `i` side by side.
    pub(crate) a: Vec<G1>,
    /// `[b_j]₂`, likewise.
    pub(crate) b: Vec<G2>,
}

impl Ciphertext {
    /// The public key it was made with.
    pub fn public_key_id(&self) -> PublicKeyId {
        self.id
    }

    /// Inputs `(n, m)`.
    pub fn inputs(&self) -> (usize, usize) {
        (self.a.len() / 2, self.b.len() / 2)
    }
}

/// Why an input cannot be encrypted.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// A vector does not have the key's length.
    #[error("input `{field}` has {found} coordinates: the public key encrypts {expected}")]
    Length {
        /// `u` or `v`.
        field: &'static str,
        /// Coordinates given.
        found: usize,
        /// Coordinates of the key.
        expected: usize,
    },
    /// A mask of another public key.
    #[error("the mask was drawn for public key {mask}, not for {key}: draw masks with this key's encryptor")]
    ForeignMask {
        /// Public key of the mask.
        mask: PublicKeyId,
        /// Public key of the encryptor.
        key: PublicKeyId,
    },
}

/// The part of a ciphertext that depends on no input; for one use, then erased.
#[derive(Zeroize, ZeroizeOnDrop)]
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

impl Mask {
    /// A mask without its vectors.
    pub(crate) fn bases(id: PublicKeyId, scalars: &MaskScalars) -> Self {
        let (g1, g2) = (Fp::generator(), Fp2::generator());
        Self {
            id,
            gamma: Fp::scalar_mul(&g1, &scalars.gamma),
            left_bases: scalars.left_bases.map(|s| Fp::scalar_mul(&g1, &s)),
            right_bases: scalars.right_bases.map(|s| Fp2::scalar_mul(&g2, &s)),
            a: Vec::new(),
            b: Vec::new(),
        }
    }
}

/// The scalars behind a mask.
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

/// Encrypts under one public key, with precomputed multiples of its points.
pub struct Encryptor {
    pub(crate) id: PublicKeyId,
    pub(crate) left: FixedBase<Fp>,
    pub(crate) right: FixedBase<Fp2>,
    inputs: (usize, usize),
}

impl Encryptor {
    /// Bytes that the tables of each side may take: enough for 784 pixels at full speed.
    pub const TABLE_BYTES: usize = 80 << 20;

    /// Builds the tables of a public key; `progress` counts point additions. (See
    /// [`EncryptorSteps`](crate::EncryptorSteps) for doing so bit by bit.)
    #[cfg(not(target_family = "wasm"))]
    pub fn new(key: &PublicKey, progress: &ProgressBar) -> Self {
        let (n, m) = key.inputs();
        let additions = FixedBase::<Fp>::build_additions(n, Self::TABLE_BYTES)
            + FixedBase::<Fp2>::build_additions(m, Self::TABLE_BYTES);
        progress.set_length(additions as u64);
        Self {
            id: key.id,
            left: FixedBase::build(&key.s, Self::TABLE_BYTES, progress),
            right: FixedBase::build(&key.t, Self::TABLE_BYTES, progress),
            inputs: (n, m),
        }
    }

    pub(crate) fn from_tables(
        id: PublicKeyId,
        inputs: (usize, usize),
        left: FixedBase<Fp>,
        right: FixedBase<Fp2>,
    ) -> Self {
        Self { id, left, right, inputs }
    }

    /// Bytes of the tables for keys of `n` and `m` inputs.
    pub fn table_bytes(n: usize, m: usize) -> usize {
        FixedBase::<Fp>::size(n, Self::TABLE_BYTES) * size_of::<G1>()
            + FixedBase::<Fp2>::size(m, Self::TABLE_BYTES) * size_of::<G2>()
    }

    /// The public key's identity.
    pub fn public_key_id(&self) -> PublicKeyId {
        self.id
    }

    /// Inputs `(n, m)`.
    pub fn inputs(&self) -> (usize, usize) {
        self.inputs
    }

    /// Encrypts `(u, v)`.
    ///
    /// Variable-time: digits of the mask's scalars and of the inputs choose memory
    /// addresses. On a host shared with others use
    /// [`encrypt_constant_time`](crate::encrypt_constant_time).
    pub fn encrypt(&self, u: &[i64], v: &[i64], rng: &mut impl CryptoRng) -> Result<Ciphertext, EncryptError> {
        check_lengths(u, v, self.inputs)?;
        self.encrypt_with_mask(u, v, self.draw_mask(rng))
    }

    /// Draws a mask: all of the work that does not need the input.
    pub fn draw_mask(&self, rng: &mut impl CryptoRng) -> Mask {
        let scalars = MaskScalars::draw(rng);
        let (mut mask, (a, b)) = rayon::join(
            || Mask::bases(self.id, &scalars),
            || rayon::join(|| self.left.mul_all_vartime(&scalars.left), || self.right.mul_all_vartime(&scalars.right)),
        );
        (mask.a, mask.b) = (a, b);
        mask
    }

    /// Encrypts with a mask drawn earlier, which is used up: the online step, one
    /// point addition per coordinate.
    pub fn encrypt_with_mask(&self, u: &[i64], v: &[i64], mut mask: Mask) -> Result<Ciphertext, EncryptError> {
        check_lengths(u, v, self.inputs)?;
        if mask.id != self.id {
            return Err(EncryptError::ForeignMask { mask: mask.id, key: self.id });
        }
        let mut scratch = Scratch::new();
        add_multiples_vartime(&mut mask.a, u, &mask.left_bases, &mut scratch);
        add_multiples_vartime(&mut mask.b, v, &mask.right_bases, &mut scratch);
        Ok(Ciphertext {
            id: self.id,
            gamma: mask.gamma,
            a: std::mem::take(&mut mask.a),
            b: std::mem::take(&mut mask.b),
        })
    }
}

pub(crate) fn check_lengths(u: &[i64], v: &[i64], (n, m): (usize, usize)) -> Result<(), EncryptError> {
    for (field, found, expected) in [("u", u.len(), n), ("v", v.len(), m)] {
        if found != expected {
            return Err(EncryptError::Length { field, found, expected });
        }
    }
    Ok(())
}

/// `points[2i + c] += x_i·bases[c]`, eight bits of `|x_i|` at a time.
fn add_multiples_vartime<F: Coordinate>(
    points: &mut [Point<F>],
    x: &[i64],
    bases: &[Point<F>; 2],
    scratch: &mut Scratch,
) {
    let mut rest: Zeroizing<Vec<u64>> = Zeroizing::new(x.iter().map(|x| x.unsigned_abs()).collect());
    let mut bases = *bases;
    while let Some(most) = rest.iter().copied().max().filter(|&most| most > 0) {
        let tables = bases.map(|base| multiples(&base, most.min(255) as usize, scratch));
        let mut terms = Vec::with_capacity(points.len());
        for (x, rest) in x.iter().zip(rest.iter_mut()) {
            let digit = (*rest & 255) as usize;
            terms.extend(tables.iter().map(|table| table[digit].neg_if(*x < 0)));
            *rest >>= 8;
        }
        let mut step = ZipAdditions { left: points, right: &terms };
        add_all(terms.len(), &mut step, scratch);
        terms.zeroize();
        if most > 255 {
            for (base, mut table) in bases.iter_mut().zip(tables) {
                let (last, first) = (table[255], table[1]);
                let mut sum = [last];
                add_all(1, &mut ZipAdditions { left: &mut sum, right: &[first] }, scratch);
                *base = sum[0];
                table.zeroize();
            }
        }
    }
}

/// `0·base ..= most·base`.
fn multiples<F: Coordinate>(base: &Point<F>, most: usize, scratch: &mut Scratch) -> Vec<Point<F>> {
    let mut table = vec![Point::INFINITY, *base];
    while table.len() <= most {
        let known = table.len() - 1;
        let next = known.min(most - known);
        let mut fresh = table[1..=next].to_vec();
        let top = vec![table[known]; next];
        add_all(next, &mut ZipAdditions { left: &mut fresh, right: &top }, scratch);
        table.append(&mut fresh);
    }
    table
}
