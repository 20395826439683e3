//! Which items a network was trained on, in a few kilobytes.

use std::collections::BTreeSet;

use dataset::Dataset;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many hashes a sketch keeps.
const KEPT: usize = 256;

/// The smallest hashes of the items that trained, selected or tuned a network.
///
/// For data that share a fraction `f` of these items, about `256·f` hashes are found again, whatever their order,
/// labels and file. For other data none are found, except for items that are equal to the last byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemSketch {
    /// The number of items.
    pub items: usize,
    /// The first 64 bits of their SHA-256, in hexadecimal: the 256 smallest, in ascending order.
    pub hashes: BTreeSet<String>,
}

impl ItemSketch {
    /// The sketch of all items of some data sets.
    pub fn of(sets: &[&Dataset]) -> Self {
        let mut sketch = Self::default();
        for data in sets {
            sketch.items += data.len();
            for hash in hashes(data) {
                if sketch.hashes.len() < KEPT || sketch.hashes.last().is_some_and(|last| hash < *last) {
                    sketch.hashes.insert(hash);
                    if sketch.hashes.len() > KEPT {
                        sketch.hashes.pop_last();
                    }
                }
            }
        }
        sketch
    }

    /// How many of the kept hashes are those of items of `data`.
    pub fn found_in(&self, data: &Dataset) -> usize {
        let found: BTreeSet<String> = hashes(data).filter(|hash| self.hashes.contains(hash)).collect();
        found.len()
    }
}

fn hashes(data: &Dataset) -> impl Iterator<Item = String> {
    (0..data.len()).map(|item| crate::train::hex(&Sha256::digest(data.image(item))[..8]))
}
