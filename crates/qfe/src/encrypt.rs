//! Encryption of two integer vectors.
//!
//! With `γ` and `W ∈ GL₂(Z_r)` fresh, `M = W⁻¹`:
//!
//! ```text
//! a_i = Mᵀ·(u_i, γ s_i)ᵀ   →  [a_i]₁ = u_i·[M₁c]₁ + (γ M₂c)·[s_i]₁     c = 1, 2
//! b_j = W·(v_j, −t_j)ᵀ     →  [b_j]₂ = v_j·[W_r1]₂ − W_r2·[t_j]₂       r = 1, 2
//! ```
//!
//! so that `⟨a_i, b_j⟩ = u_i v_j − γ s_i t_j`. The second terms and the four bases of the first make a [`Mask`], which
//! depends on no input and can be drawn in advance. It must never be used twice: two ciphertexts of one mask reveal the
//! difference of their inputs.

#[cfg(feature = "progress")]
use host::Progress;
use rand::CryptoRng;
use rayon::prelude::*;
use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(feature = "progress")]
use crate::keys::PublicKey;
use crate::{
    group::{
        batch::{Additions, Scratch, ZipAdditions, add_all},
        fixed_base::{FixedBase, blocks},
        schedule::in_order,
        vector::{Adder, shift, unshift},
    },
    keys::PublicKeyId,
    mask::{Combs, Mask, MaskScalars, Part},
    raw::{Coordinate, Fp, Fp2, G1, G2, Point, ifma::Ifma},
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

brief!(Ciphertext { id });

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
    #[error("input `{field}` has {found} coordinates, but the public key encrypts {expected}")]
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

/// Encrypts under one public key, with precomputed multiples of its points.
pub struct Encryptor {
    pub(crate) id: PublicKeyId,
    pub(crate) left: FixedBase<Fp>,
    pub(crate) right: FixedBase<Fp2>,
    pub(crate) combs: Combs,
    inputs: (usize, usize),
}

brief!(Encryptor { id, inputs });

impl Encryptor {
    /// Bytes that the tables of each side may take: enough for 784 pixels at full speed.
    pub const TABLE_BYTES: usize = 80 << 20;

    /// Builds the tables of a public key; `progress` counts point additions. (See
    /// [`EncryptorSteps`](crate::EncryptorSteps) for doing so bit by bit.)
    #[cfg(feature = "progress")]
    pub fn new(key: &PublicKey, progress: &dyn Progress) -> Self {
        let (n, m) = key.inputs();
        let additions = FixedBase::<Fp>::build_additions(n, Self::TABLE_BYTES)
            + FixedBase::<Fp2>::build_additions(m, Self::TABLE_BYTES);
        progress.begin(additions as u64);
        Self {
            id: key.id,
            left: FixedBase::build(&key.s, Self::TABLE_BYTES, progress),
            right: FixedBase::build(&key.t, Self::TABLE_BYTES, progress),
            combs: Combs::new(),
            inputs: (n, m),
        }
    }

    pub(crate) fn from_tables(
        id: PublicKeyId,
        inputs: (usize, usize),
        left: FixedBase<Fp>,
        right: FixedBase<Fp2>,
    ) -> Self {
        Self { id, left, right, combs: Combs::new(), inputs }
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
    ///
    /// # Errors
    /// `u` or `v` does not have the length that the key encrypts.
    pub fn encrypt(&self, u: &[i64], v: &[i64], rng: &mut impl CryptoRng) -> Result<Ciphertext, EncryptError> {
        check_lengths(u, v, self.inputs)?;
        self.encrypt_with_mask(u, v, self.draw_mask(rng))
    }

    /// Draws a mask: all of the work that does not need the input.
    pub fn draw_mask(&self, rng: &mut impl CryptoRng) -> Mask {
        let scalars = MaskScalars::draw(rng);
        let (left, right) = (self.left.digits(&scalars.left), self.right.digits(&scalars.right));
        let (n, m) = self.inputs;
        let (lefts, rights): (Vec<_>, Vec<_>) = (blocks(n).collect(), blocks(m).collect());
        // Blocks in G2 take longest and come first.
        let parts = in_order(rights.len() + 1 + lefts.len(), |k| match k.checked_sub(rights.len()) {
            None => Part::Right(self.right.mul_block_vartime(&right, rights[k].clone())),
            Some(0) => Part::Bases(Box::new(Mask::bases_vartime(self.id, &scalars, &self.combs))),
            Some(k) => Part::Left(self.left.mul_block_vartime(&left, lefts[k - 1].clone())),
        });
        let mut mask = Mask::empty(self.id, self.inputs);
        parts.into_iter().for_each(|part| mask.add(part));
        mask
    }

    /// Encrypts with a mask drawn earlier, which is used up: the online step, one
    /// point addition per coordinate.
    ///
    /// # Errors
    /// `u` or `v` has another length, or the mask is of another public key; the mask is used up all the same.
    pub fn encrypt_with_mask(&self, u: &[i64], v: &[i64], mut mask: Mask) -> Result<Ciphertext, EncryptError> {
        check_lengths(u, v, self.inputs)?;
        if mask.id != self.id {
            return Err(EncryptError::ForeignMask { mask: mask.id, key: self.id });
        }
        let Mask { a, b, left_bases, right_bases, .. } = &mut mask;
        rayon::join(|| add_multiples_vartime(b, v, right_bases), || add_multiples_vartime(a, u, left_bases));
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

/// Coordinates that one thread adds at a time: one batch.
const PART: usize = 256;

/// Fewest points for which lanes are quicker.
const LEAST: usize = 64;

/// `points[2i + c] += x_i·bases[c]`, eight bits of `|x_i|` at a time.
///
/// The bases are secrets of the mask: whatever holds multiples of them is erased.
fn add_multiples_vartime<F: Coordinate>(points: &mut [Point<F>], x: &[i64], bases: &[Point<F>; 2]) {
    let scratch = &mut Scratch::new();
    let mut rest: Zeroizing<Vec<u64>> = Zeroizing::new(x.iter().map(|x| x.unsigned_abs()).collect());
    let mut bases = Zeroizing::new(*bases);
    let lanes = Ifma::detect().filter(|_| points.len() >= LEAST);
    if let Some(token) = lanes {
        points.par_chunks_mut(2 * PART).for_each(|points| shift(token, points));
    }
    while let Some(most) = rest.iter().copied().max().filter(|&most| most > 0) {
        let mut table = multiples(&bases, most.min(255) as usize, scratch);
        if most > 255 {
            bases.copy_from_slice(&table[2 * 255..]);
            add_all(2, &mut ZipAdditions { left: &mut *bases, right: &table[2..4] }, scratch);
        }
        if let Some(token) = lanes {
            shift(token, &mut table);
        }
        let parts = points.par_chunks_mut(2 * PART).zip(x.par_chunks(PART)).zip(rest.par_chunks_mut(PART));
        parts.for_each(|((points, x), rest)| {
            let mut terms = Zeroizing::new(Vec::with_capacity(points.len()));
            for (i, (x, rest)) in x.iter().zip(rest).enumerate() {
                let digit = (*rest & 255) as usize;
                // Zero adds nothing, and lanes do not take infinity.
                if digit != 0 {
                    terms.extend([0, 1].map(|c| (2 * i + c, 2 * digit + c, *x < 0)));
                }
                *rest >>= 8;
            }
            let mut adder = Adder::new(lanes);
            adder.add(terms.len(), &mut Multiples { points, table: &table, terms: &terms });
            adder.erase();
        });
    }
    if let Some(token) = lanes {
        points.par_chunks_mut(2 * PART).for_each(|points| unshift(token, points));
    }
}

/// `points[place] += ±table[entry]`.
struct Multiples<'a, F> {
    points: &'a mut [Point<F>],
    table: &'a [Point<F>],
    terms: &'a [(usize, usize, bool)],
}

impl<F: Coordinate> Additions<F> for Multiples<'_, F> {
    #[inline(always)]
    fn operands(&self, k: usize) -> [(&Point<F>, bool); 2] {
        let (place, entry, negative) = self.terms[k];
        [(&self.points[place], false), (&self.table[entry], negative)]
    }

    #[inline(always)]
    fn result(&mut self, k: usize) -> &mut Point<F> {
        &mut self.points[self.terms[k].0]
    }
}

/// `0·base ..= most·base` of both bases, side by side.
fn multiples<F: Coordinate>(bases: &[Point<F>; 2], most: usize, scratch: &mut Scratch) -> Zeroizing<Vec<Point<F>>> {
    // Room from the start: growing would leave copies in memory.
    let mut table = Zeroizing::new(Vec::with_capacity(2 * (most + 1)));
    table.extend([Point::INFINITY; 2]);
    table.extend_from_slice(bases);
    let mut top = Zeroizing::new(Vec::with_capacity(2 * most));
    while table.len() <= 2 * most {
        let known = table.len() / 2 - 1;
        let next = known.min(most - known);
        table.extend_from_within(2..2 * (next + 1));
        top.clear();
        (0..next).for_each(|_| top.extend_from_slice(&table[2 * known..2 * (known + 1)]));
        add_all(2 * next, &mut ZipAdditions { left: &mut table[2 * (known + 1)..], right: &top }, scratch);
    }
    table
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{
        erasure::freed_with,
        group::batch::add_one,
        keys::setup,
        raw::{Field, Scalar},
    };

    /// The first words of the coordinates of `1·base ..= 255·base`, and of the multiples by `256`.
    fn patterns(base: &G1, out: &mut Vec<[u64; 2]>) {
        let mut multiple = *base;
        for _ in 0..300 {
            for point in [multiple, multiple.to_shifted()] {
                for coordinate in [point.x, point.y, point.y.neg()] {
                    out.push([coordinate.limbs()[0], coordinate.limbs()[1]]);
                }
            }
            multiple = add_one(multiple, *base);
        }
    }

    #[test]
    fn multiples_of_secret_bases_are_erased_in_every_path() {
        let mut rng = StdRng::seed_from_u64(31);
        // Few inputs are added by scalars, many by lanes.
        for (n, m) in [(5, 4), (LEAST, LEAST)] {
            let (_, public) = setup(n, m, &mut rng).unwrap();
            let encryptor = crate::EncryptorSteps::new(&public, 0).finish();
            for largest in [3, 255, 299, 70_000] {
                let mask = encryptor.draw_mask(&mut rng);
                let mut secrets = Vec::new();
                mask.left_bases.iter().for_each(|base| patterns(base, &mut secrets));
                let (mut u, mut v) = (vec![1; n], vec![2; m]);
                (u[1], u[3], u[n - 1], v[m - 1]) = (-2, 0, largest, -largest);
                let mut cipher = None;
                let found = freed_with(secrets, || cipher = encryptor.encrypt_with_mask(&u, &v, mask).ok());
                assert!(cipher.is_some());
                assert_eq!(found, 0, "inputs up to {largest}");
            }
        }
    }

    /// Lanes add what scalars do: zero, both signs and several digits, and a last batch that is not full.
    #[test]
    fn inputs_are_added_by_lanes_and_by_scalars() {
        let bases = [3, 5].map(|k| Fp2::scalar_mul(&Fp2::generator(), &Scalar::from_i64(k)));
        let start = Fp2::scalar_mul(&Fp2::generator(), &Scalar::from_i64(1 << 40));
        for count in [LEAST / 2 - 1, LEAST / 2 + 5, PART + 3] {
            let x: Vec<i64> = (0..count as i64).map(|k| [0, k, -k, 300 * k, -70_000 - k][k as usize % 5]).collect();
            let mut points = vec![start; 2 * count];
            add_multiples_vartime(&mut points, &x, &bases);
            for (points, x) in points.chunks(2).zip(x) {
                for (c, point) in points.iter().enumerate() {
                    let value = (1 << 40) + x * [3, 5][c];
                    assert!(*point == Fp2::scalar_mul(&Fp2::generator(), &Scalar::from_i64(value)));
                }
            }
        }
        let mut points = vec![start; LEAST];
        add_multiples_vartime(&mut points, &[0; LEAST / 2], &bases);
        assert!(points.iter().all(|point| *point == start));
    }

    #[test]
    fn accumulators_of_masks_are_erased() {
        let (_, public) = setup(5, 4, &mut StdRng::seed_from_u64(32)).unwrap();
        let encryptor = crate::EncryptorSteps::new(&public, 0).finish();
        let mut secrets = Vec::new();
        let draw = || encryptor.draw_mask(&mut StdRng::seed_from_u64(33));
        let mask = draw();
        for point in &mask.a {
            for point in [*point, encryptor.left_as_stored(point)] {
                secrets.extend([point.x, point.y].map(|c| [c.limbs()[0], c.limbs()[1]]));
            }
        }
        let mut drawn = None;
        let found = freed_with(secrets, || drawn = Some(draw()));
        assert!(drawn.is_some_and(|drawn| drawn.a == mask.a));
        assert_eq!(found, 0);
    }

    impl Encryptor {
        /// A point as accumulators hold it: shifted where there are lanes.
        fn left_as_stored(&self, point: &G1) -> G1 {
            crate::raw::ifma::Ifma::detect().map_or(*point, |_| point.to_shifted())
        }
    }
}
