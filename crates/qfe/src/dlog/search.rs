//! The search for one value.

use thiserror::Error;

use super::{
    dot::{Functional, key},
    table::{BLOCK, LogTable, locate, middle},
};
use crate::raw::Fp12;

/// Why no logarithm was returned.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogError {
    /// The bounds are empty, or wider than the table can search.
    #[error(
        "bounds {low}..={high} cannot be searched: the table reaches {reach} from their middle; use a larger table or quantise the function to a smaller range"
    )]
    Bounds {
        /// Lower bound, inclusive.
        low: i64,
        /// Upper bound, inclusive.
        high: i64,
        /// Largest half-width.
        reach: i64,
    },
    /// The value is not within the bounds.
    #[error(
        "the value lies outside {low}..={high}: the inputs were outside their declared range, or somebody changed the ciphertext"
    )]
    OutOfRange {
        /// Lower bound, inclusive.
        low: i64,
        /// Upper bound, inclusive.
        high: i64,
    },
}

/// Keys computed before the table is asked, so that its memory latencies overlap.
const AHEAD: usize = 16;

impl LogTable {
    /// Whether all values within inclusive bounds can be found.
    ///
    /// # Errors
    /// The bounds are empty, or reach further from their middle than the table.
    pub fn check_bounds(&self, low: i64, high: i64) -> Result<(), LogError> {
        let (_, radius) = middle(low, high);
        if low > high || radius > self.reach() as u64 {
            return Err(LogError::Bounds { low, high, reach: self.reach() });
        }
        Ok(())
    }

    /// The `v` within inclusive bounds with `gT^v = y`; variable-time in `v`.
    pub(crate) fn search_vartime(&self, y: &Fp12, low: i64, high: i64) -> Result<i64, LogError> {
        self.check_bounds(low, high)?;
        let (centre, radius) = middle(low, high);
        let start = y.mul(&self.power(centre).conjugate());
        let found = self.around(&start, radius).and_then(|v| centre.checked_add(v));
        match found {
            Some(v) if (low..=high).contains(&v) => Ok(v),
            _ => Err(LogError::OutOfRange { low, high }),
        }
    }

    /// Giant steps in pairs that values up to `magnitude` from the middle cost.
    pub(crate) fn pairs_for(&self, magnitude: u64) -> u64 {
        (magnitude + self.baby_steps) / self.stride()
    }

    /// `|v| ≤ radius` with `gT^v = y`, blocks of giant steps outward from zero.
    fn around(&self, y: &Fp12, radius: u64) -> Option<i64> {
        let block_width = self.stride() * (2 * BLOCK + 1);
        let furthest = self.pairs_for(radius).div_ceil(2 * BLOCK + 1) as i64;
        let (mut above, mut below) = (*y, *y);
        for block in 0..=furthest {
            let offset = block * block_width as i64;
            if block == 0 {
                if let Some(v) = self.in_block(y, y, 0, self.pairs_for(radius).min(BLOCK)) {
                    return Some(v);
                }
                continue;
            }
            above = above.mul(&self.block_step.conjugate());
            below = below.mul(&self.block_step);
            let found = self.in_block(&above, y, offset, BLOCK).or_else(|| self.in_block(&below, y, -offset, BLOCK));
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// `v = offset ± j·stride ± i` for `j ≤ pairs`, where `here = y·gT^−offset`.
    fn in_block(&self, here: &Fp12, y: &Fp12, offset: i64, pairs: u64) -> Option<i64> {
        if let Some(v) = self.probe(key(here), offset, y) {
            return Some(v);
        }
        let functional = Functional::new(here);
        let stride = self.stride() as i64;
        let giants = &self.giants[..pairs as usize];
        for (chunk, giants) in giants.chunks(AHEAD).enumerate() {
            let mut keys = [(0, 0); AHEAD];
            for (keys, giant) in keys.iter_mut().zip(giants) {
                *keys = functional.keys(giant);
            }
            let first = (chunk * AHEAD) as i64 + 1;
            for (k, &(times, over)) in keys[..giants.len()].iter().enumerate() {
                let giant = (first + k as i64) * stride;
                let found = self.probe(over, offset + giant, y).or_else(|| self.probe(times, offset - giant, y));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// `around ± i` if the table knows the key and the power is the target.
    #[inline(always)]
    fn probe(&self, key: u64, around: i64, y: &Fp12) -> Option<i64> {
        let slots = self.slots.as_slice();
        let (mut position, fingerprint) = locate(key, slots.len());
        // A table from a file could be full of anything: never go round twice.
        for _ in 0..slots.len() {
            let slot = slots[position];
            if slot == 0 {
                return None;
            }
            if slot >> 32 == fingerprint >> 32 {
                let i = (slot & 0xffff_ffff) as i64 - 1;
                for v in [around + i, around - i] {
                    if self.power(v) == *y {
                        return Some(v);
                    }
                }
            }
            position = (position + 1) & (slots.len() - 1);
        }
        None
    }
}
