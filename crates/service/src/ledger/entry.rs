//! One link of the chain.

use serde::Serialize;

use super::{Event, LedgerError};
use crate::hash::Hash;

/// The hash before the first entry.
pub const GENESIS: Hash = Hash([0; 32]);

/// An event, its place, and the hash that ties it to everything before it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// 1 for the first entry.
    pub sequence: i64,
    /// Seconds since 1970.
    pub at: i64,
    /// The event as it was written: JSON, one line.
    pub text: String,
    /// Hash of the entry before; [`GENESIS`] for the first.
    pub previous: Hash,
    /// Hash of this one.
    pub hash: Hash,
}

impl Entry {
    /// The entry that follows `previous`.
    pub(super) fn next(sequence: i64, at: i64, event: &Event, previous: Hash) -> Self {
        let text = event.text();
        let hash = chain(sequence, at, &text, previous);
        Self { sequence, at, text, previous, hash }
    }

    /// The event, once the entry has been shown to follow `previous` in place and hash.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names what does not fit.
    pub fn check(&self, sequence: i64, previous: Hash) -> Result<Event, LedgerError> {
        let broken = |problem: String| LedgerError::Broken { sequence, problem };
        if self.sequence != sequence {
            return Err(broken(format!("is missing; the next one present is {}", self.sequence)));
        }
        if self.previous != previous {
            return Err(broken(format!("follows {}, but the entry before has hash {previous}", self.previous)));
        }
        if self.hash != chain(self.sequence, self.at, &self.text, self.previous) {
            return Err(broken("was changed: its hash does not fit its contents".into()));
        }
        serde_json::from_str(&self.text).map_err(|error| broken(format!("holds an event unknown here: {error}")))
    }
}

fn chain(sequence: i64, at: i64, text: &str, previous: Hash) -> Hash {
    Hash::of("halflight ledger entry v1", &[&sequence.to_be_bytes(), &at.to_be_bytes(), text.as_bytes(), &previous.0])
}
