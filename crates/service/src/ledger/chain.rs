//! The chain of entries while it is verified.

use super::entry::EntrySignature;
use super::{Entry, Event, Head, Keyring, LedgerError, Retirement};
use crate::signature::VerifyingKey;

/// A chain that is proven entry by entry: places, hashes, and that a key that counts signed each.
///
/// Keys count that a [`Keyring`] holds, those that took over from them, and those that they took over from, each for the
/// entries before or after its [`Retirement`].
#[derive(Clone, Debug)]
pub struct Chain {
    head: Head,
    signed: bool,
    /// Took over from keys that count.
    successors: Vec<VerifyingKey>,
    /// With the last entry that each signed.
    retired: Vec<(VerifyingKey, i64)>,
    /// Signed, and count only if a key that counts takes over from them; with the first entry of each.
    open: Vec<(VerifyingKey, i64)>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { head: Head::EMPTY, signed: false, successors: Vec::new(), retired: Vec::new(), open: Vec::new() }
    }
}

impl Chain {
    /// The last entry that was proven.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The last entry that a key signed, where it was retired.
    pub fn retired(&self, key: &VerifyingKey) -> Option<i64> {
        self.retired.iter().find(|(retired, _)| retired == key).map(|(_, last)| *last)
    }

    /// Keys that took over from others.
    pub(super) fn successors(&self) -> &[VerifyingKey] {
        &self.successors
    }

    /// Keys that could sign a head of so many entries.
    pub(super) fn signers_of(&self, entries: i64) -> impl Iterator<Item = &VerifyingKey> {
        let retired = self.retired.iter().filter(move |(_, last)| *last >= entries).map(|(key, _)| key);
        self.successors.iter().chain(retired)
    }

    /// The event of the next entry, once it is shown to follow the last and to be signed. Entries from before
    /// signatures, and by keys that do not count, hold only as far as later ones vouch for them: see [`Chain::finish`].
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names what does not fit.
    pub fn follow(&mut self, entry: &Entry, keyring: &Keyring) -> Result<Event, LedgerError> {
        let event = entry.check(self.head.sequence + 1, self.head.hash)?;
        let broken = |problem: String| Err(LedgerError::Broken { sequence: entry.sequence, problem });
        let Some(signature) = &entry.signature else {
            if self.signed {
                return broken("is not signed: the authority did not write it".into());
            }
            self.head = entry.head();
            return Ok(event);
        };
        let EntrySignature { key, .. } = signature;
        if let Some(last) = self.retired(key) {
            return broken(format!("is signed by {key}, which was retired with entry {last}"));
        }
        if !signature.holds(entry.hash) {
            let own = self.counts(key, keyring);
            return broken(if own { format!("was not signed by {key}, as it says") } else { foreign(key) });
        }
        let takes_over = matches!(event, Event::Migrated { .. });
        if takes_over != (!self.signed && self.head.sequence > 0) {
            return broken(match takes_over {
                true => "takes over unsigned entries, but there are none".into(),
                false => "follows unsigned entries that were never taken over".to_owned(),
            });
        }
        if let Event::Migrated { entries, hash } = &event
            && (*entries, *hash) != (self.head.sequence, self.head.hash)
        {
            return broken("takes over other entries than those before it".into());
        }
        if !self.counts(key, keyring) && !self.open.iter().any(|(open, _)| open == key) {
            self.open.push((key.clone(), entry.sequence));
        }
        if let Event::LedgerKeyRetired(retirement) = &event {
            if retirement.key != *key || !retirement.holds(entry.sequence, entry.previous) {
                return broken("retires a ledger key, but the key or its successor did not sign that".into());
            }
            if self.retired(&retirement.successor).is_some() {
                return broken("names a retired ledger key as successor".into());
            }
            self.retire(retirement, entry.sequence, keyring);
        }
        (self.head, self.signed) = (entry.head(), true);
        Ok(event)
    }

    fn counts(&self, key: &VerifyingKey, keyring: &Keyring) -> bool {
        keyring.trusts(key) || self.successors.contains(key)
    }

    fn retire(&mut self, Retirement { key, successor, .. }: &Retirement, sequence: i64, keyring: &Keyring) {
        if self.counts(key, keyring) {
            self.successors.push(successor.clone());
        } else if self.counts(successor, keyring) {
            self.open.retain(|(open, _)| open != key);
        } else {
            // It stands or falls with its successor.
            for (open, _) in self.open.iter_mut().filter(|(open, _)| open == key) {
                *open = successor.clone();
            }
        }
        self.retired.push((key.clone(), sequence));
    }

    /// Checks that an accepted key vouches for every entry.
    ///
    /// # Errors
    /// [`LedgerError::Broken`].
    pub fn finish(&self) -> Result<(), LedgerError> {
        if let Some((key, sequence)) = self.open.first() {
            return Err(LedgerError::Broken { sequence: *sequence, problem: foreign(key) });
        }
        if self.signed || self.head.sequence == 0 {
            return Ok(());
        }
        let problem = "is not signed, and no signed entry follows: the authority did not write it".into();
        Err(LedgerError::Broken { sequence: self.head.sequence, problem })
    }
}

fn foreign(key: &VerifyingKey) -> String {
    format!(
        "is signed by {key}, which is neither this authority's ledger key nor named under [ledger] writers of its \
         policy, and from which none of these took over"
    )
}
