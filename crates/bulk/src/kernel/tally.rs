//! How many items each subject has in one run.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::BulkError;

/// Subjects that are counted: at most some 400 MB.
const MOST_SUBJECTS: usize = 1 << 24;

/// Counts by a keyed hash of 64 bits: names of people are not stored, and nobody can make two of them collide.
#[derive(Debug, Default)]
pub(super) struct Counts {
    state: RandomState,
    items: Mutex<HashMap<u64, u32>>,
}

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Different subjects.
    pub subjects: u64,
    /// Items of the subject with most of them.
    pub most_items: u64,
}

impl Counts {
    /// Counts an item of a subject; returns how many it has now.
    pub fn add(&self, subject: &str) -> Result<u64, BulkError> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let full = items.len() >= MOST_SUBJECTS;
        let key = self.state.hash_one(subject);
        match items.get_mut(&key) {
            Some(count) => {
                *count = count.saturating_add(1);
                Ok(u64::from(*count))
            }
            None if full => Err(BulkError::Subjects { most: MOST_SUBJECTS }),
            None => {
                items.insert(key, 1);
                Ok(1)
            }
        }
    }

    pub fn tally(&self) -> Tally {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        Tally { subjects: items.len() as u64, most_items: items.values().copied().max().unwrap_or(0).into() }
    }
}
