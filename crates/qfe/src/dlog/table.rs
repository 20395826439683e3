//! The table of baby steps and the fixed giant steps.

use host::Progress;
use rayon::prelude::*;
use thiserror::Error;

use super::dot::{Coordinates, Functional, key};
use crate::{
    group::target,
    raw::{Coordinate, Fp, Fp2, Fp12, Storage, miller_loop},
};

/// Steps on either side of a block's centre.
pub(super) const BLOCK: u64 = 256;
/// Giant steps (pairs of them) that one search may take.
const MAX_GIANT_PAIRS: u64 = 1 << 18;
/// Bits of a window of the powers of `gT`, and windows for 63 bits.
const WINDOW: u32 = 8;

/// Why a table cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogTableError {
    /// The number of baby steps is out of range.
    #[error("baby-step bits are {bits}: choose from {} to {} (22 takes 67 MB)", LogTable::MIN_BITS, LogTable::MAX_BITS)]
    Bits {
        /// What was asked for.
        bits: u32,
    },
}

/// The precomputation for discrete logarithms to the base `gT = e(g1, g2)`.
///
/// With `2^bits` baby steps it takes `2^(bits+4)` bytes and finds `|v| ≤ 2^32` in
/// about `2^(32 − bits − 1)` giant steps of 0.14 µs. It depends on the curve only:
/// one table serves all keys.
pub struct LogTable {
    pub(super) baby_steps: u64,
    /// `fingerprint << 32 | (i + 1)`, zero when empty; linear probing.
    pub(super) slots: Storage<u64>,
    /// `G_j` for `j = 1..=BLOCK`, as operands of dot products.
    pub(super) giants: Vec<Coordinates>,
    /// From the centre of one block of giant steps to the next.
    pub(super) block_step: Fp12,
    /// `powers[w][d] = gT^(d·2^(8w))`.
    powers: Vec<Vec<Fp12>>,
}

brief!(LogTable { baby_steps });

impl LogTable {
    /// Fewest baby-step bits.
    pub const MIN_BITS: u32 = 8;
    /// Maximum baby-step bits (268 MB at 24, 1.1 GB at 26).
    pub const MAX_BITS: u32 = 26;

    /// Builds a table of `2^bits` baby steps, in parallel; `progress` counts them.
    ///
    /// # Errors
    /// `bits` is not from [`MIN_BITS`](Self::MIN_BITS) to [`MAX_BITS`](Self::MAX_BITS).
    pub fn build(bits: u32, progress: &dyn Progress) -> Result<Self, LogTableError> {
        if !(Self::MIN_BITS..=Self::MAX_BITS).contains(&bits) {
            return Err(LogTableError::Bits { bits });
        }
        let baby_steps = 1u64 << bits;
        progress.begin(baby_steps);
        let mut table = Self::without_slots(bits);
        table.slots = Storage::Owned(table.fill(progress));
        Ok(table)
    }

    /// Everything but the baby steps: cheap, and never read from a file.
    fn without_slots(bits: u32) -> Self {
        let powers = powers_of_generator();
        let mut table = Self {
            baby_steps: 1 << bits,
            slots: Storage::Owned(Vec::new()),
            giants: Vec::new(),
            block_step: Fp12::one(),
            powers,
        };
        let stride = table.stride();
        let giant = table.power(stride as i64);
        let mut step = giant;
        for _ in 0..BLOCK {
            table.giants.push(Coordinates::new(&step));
            step = step.mul(&giant);
        }
        table.block_step = table.power((stride * (2 * BLOCK + 1)) as i64);
        table
    }

    /// A table whose baby steps were stored.
    #[cfg(feature = "files")]
    pub(crate) fn from_slots(bits: u32, slots: Storage<u64>) -> Self {
        Self { slots, ..Self::without_slots(bits) }
    }

    /// The baby steps as stored.
    #[cfg(feature = "files")]
    pub(crate) fn slots(&self) -> &[u64] {
        self.slots.as_slice()
    }

    /// Baby steps in the table.
    pub fn baby_steps(&self) -> u64 {
        self.baby_steps
    }

    /// Bytes of the baby steps.
    pub fn bytes(&self) -> usize {
        self.slots.as_slice().len() * 8
    }

    /// The largest distance from the middle of its bounds that a value may have.
    pub fn reach(&self) -> i64 {
        Self::reach_of(self.baby_steps)
    }

    /// Fewest baby-step bits of a table that searches inclusive bounds, [`MIN_BITS`](Self::MIN_BITS) at least; none
    /// where no table does. Nothing is built.
    pub fn bits_for(low: i64, high: i64) -> Option<u32> {
        let (_, radius) = middle(low, high);
        (Self::MIN_BITS..=Self::MAX_BITS).find(|&bits| low <= high && radius <= Self::reach_of(1 << bits) as u64)
    }

    /// The distance that the largest table searches on either side of the middle.
    pub fn most() -> i64 {
        Self::reach_of(1 << Self::MAX_BITS)
    }

    /// The distance that a table of so many baby steps searches.
    fn reach_of(baby_steps: u64) -> i64 {
        ((2 * baby_steps + 1) * MAX_GIANT_PAIRS) as i64
    }

    /// Distance between giant steps.
    pub(super) fn stride(&self) -> u64 {
        2 * self.baby_steps + 1
    }

    /// `gT^exponent` by one product per byte.
    pub(crate) fn power(&self, exponent: i64) -> Fp12 {
        let mut rest = exponent.unsigned_abs();
        let mut product = Fp12::one();
        for row in &self.powers {
            let digit = (rest & ((1 << WINDOW) - 1)) as usize;
            if digit != 0 {
                product = product.mul(&row[digit]);
            }
            rest >>= WINDOW;
        }
        if exponent < 0 { product.conjugate() } else { product }
    }

    /// Slots with all baby steps, the same on every machine.
    fn fill(&self, progress: &dyn Progress) -> Vec<u64> {
        let steps: Vec<Coordinates> = (1..=BLOCK as i64).map(|j| Coordinates::new(&self.power(j))).collect();
        let mut slots = vec![0u64; 2 * self.baby_steps as usize];
        insert(&mut slots, key(&Fp12::one()), 0);
        let span = 2 * BLOCK + 1;
        let blocks = self.baby_steps.div_ceil(span);
        let per_round = 1024;
        for first in (0..blocks).step_by(per_round) {
            let last = (first + per_round as u64).min(blocks);
            let keys: Vec<Vec<u64>> =
                (first..last).into_par_iter().map(|block| self.block_keys(block * span + BLOCK + 1, &steps)).collect();
            for (block, keys) in (first..last).zip(keys) {
                for (k, key) in keys.into_iter().enumerate() {
                    let index = block * span + 1 + k as u64;
                    if index <= self.baby_steps {
                        insert(&mut slots, key, index);
                    }
                }
            }
            let reached = |blocks: u64| (blocks * span).min(self.baby_steps);
            progress.advance(reached(last) - reached(first));
        }
        slots
    }

    /// Keys of `centre − BLOCK ..= centre + BLOCK`.
    fn block_keys(&self, centre: u64, steps: &[Coordinates]) -> Vec<u64> {
        let middle = self.power(centre as i64);
        let functional = Functional::new(&middle);
        let half = BLOCK as usize;
        let mut keys = vec![0; 2 * half + 1];
        keys[half] = key(&middle);
        for (j, step) in steps.iter().enumerate() {
            (keys[half + 1 + j], keys[half - 1 - j]) = functional.keys(step);
        }
        keys
    }
}

/// `gT` itself, after the exponentiation that evaluation uses.
pub(crate) fn target_generator() -> Fp12 {
    let pair = miller_loop(&Fp::generator(), &Fp2::generator());
    target::hard_part(&target::easy_part(&pair))
}

fn powers_of_generator() -> Vec<Vec<Fp12>> {
    let mut base = target_generator();
    (0..u64::BITS / WINDOW)
        .map(|_| {
            let mut row = vec![Fp12::one()];
            for digit in 1..1 << WINDOW {
                row.push(row[digit - 1].mul(&base));
            }
            base = row[(1 << WINDOW) - 1].mul(&base);
            row
        })
        .collect()
}

/// Where to start and how far to go: zero when the bounds hold it, since outputs
/// are most often small, else their middle.
pub(super) fn middle(low: i64, high: i64) -> (i64, u64) {
    let centre = if low <= 0 && high >= 0 { 0 } else { ((i128::from(low) + i128::from(high)) / 2) as i64 };
    (centre, high.abs_diff(centre).max(centre.abs_diff(low)))
}

/// The first slot of a key and its fingerprint.
#[inline(always)]
pub(super) fn locate(key: u64, slots: usize) -> (usize, u64) {
    ((key >> 32) as usize & (slots - 1), key << 32)
}

fn insert(slots: &mut [u64], key: u64, index: u64) {
    let (mut position, fingerprint) = locate(key, slots.len());
    while slots[position] != 0 {
        position = (position + 1) & (slots.len() - 1);
    }
    slots[position] = fingerprint | (index + 1);
}
