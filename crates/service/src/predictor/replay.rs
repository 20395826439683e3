//! Envelopes that have been seen.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hash::Hash;

/// Remembers, for each model, the envelopes that it took, for as long as their time is accepted.
#[derive(Clone)]
pub struct Replays(Arc<Shared>);

struct Shared {
    /// Seconds by which an envelope's time may differ from ours.
    window: i64,
    /// Maximum number of envelopes remembered per model.
    per_model: usize,
    /// Maximum number of these from one sender.
    per_sender: usize,
    /// By model; models are the operator's, not the callers'.
    seen: Mutex<HashMap<String, Seen>>,
}

#[derive(Default)]
struct Seen {
    names: HashSet<Hash>,
    /// In the order of arrival, with the time after which each may be forgotten, and its sender.
    order: VecDeque<(i64, Hash, Arc<str>)>,
    by: HashMap<Arc<str>, usize>,
}

/// An envelope that was taken; forgotten when this is dropped, unless it is kept.
pub struct Slot {
    replays: Replays,
    model: String,
    name: Hash,
    kept: bool,
}

/// An envelope that is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Its time is too far off.
    #[error(
        "the envelope was sent at {sent}, but it is {now} here (seconds since 1970); at most {window} s may lie between"
    )]
    Time {
        /// The time that it states.
        sent: i64,
        /// Our time.
        now: i64,
        /// The largest difference allowed.
        window: i64,
    },
    /// It was taken before.
    #[error("this envelope was accepted before; seal the ciphertext again")]
    Again,
    /// Too many to remember.
    #[error("more envelopes arrive than can be remembered")]
    Full,
    /// Too many of one sender.
    #[error("more envelopes arrive from this sender than can be remembered; send fewer")]
    Sender,
}

impl Replays {
    /// `window` in seconds; `per_model` envelopes of each model are remembered, `per_sender` of them of one sender.
    pub fn new(window: i64, per_model: usize, per_sender: usize) -> Self {
        Self(Arc::new(Shared { window, per_model, per_sender, seen: Mutex::default() }))
    }

    /// Takes an envelope for a model once. `name`: its signer and nonce; `sender`: whose share it uses.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn take(&self, model: &str, sender: &Arc<str>, name: Hash, sent: i64, now: i64) -> Result<Slot, ReplayError> {
        self.check(sent, now)?;
        let shared = &self.0;
        let mut seen = self.seen();
        let seen = seen.entry(model.to_owned()).or_default();
        while let Some((_, old, sender)) = seen.order.pop_front_if(|(until, ..)| *until < now) {
            seen.forget(old, &sender);
        }
        if seen.names.contains(&name) {
            return Err(ReplayError::Again);
        }
        if seen.names.len() >= shared.per_model {
            return Err(ReplayError::Full);
        }
        let own = seen.by.entry(Arc::clone(sender)).or_default();
        if *own >= shared.per_sender {
            return Err(ReplayError::Sender);
        }
        *own += 1;
        seen.names.insert(name);
        // An envelope dated ahead stays acceptable for up to two windows.
        seen.order.push_back((now + 2 * shared.window, name, Arc::clone(sender)));
        Ok(Slot { replays: self.clone(), model: model.to_owned(), name, kept: false })
    }

    /// Whether an envelope's time is near enough to ours.
    ///
    /// # Errors
    /// [`ReplayError::Time`].
    pub fn check(&self, sent: i64, now: i64) -> Result<(), ReplayError> {
        let window = self.0.window;
        match now.checked_sub(sent).and_then(i64::checked_abs) {
            Some(apart) if apart <= window => Ok(()),
            _ => Err(ReplayError::Time { sent, now, window }),
        }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn forget(&mut self, name: Hash, sender: &Arc<str>) {
        self.names.remove(&name);
        if let Some(own) = self.by.get_mut(sender) {
            *own -= 1;
            if *own == 0 {
                self.by.remove(sender);
            }
        }
    }
}

impl Slot {
    /// Remembers the envelope: it was evaluated.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut seen = self.replays.seen();
        let Some(seen) = seen.get_mut(&self.model) else { return };
        // It is one of the last: what came since is in evaluation too, or was evaluated meanwhile.
        let place = seen.order.iter().rposition(|(_, name, _)| *name == self.name);
        if let Some((_, name, sender)) = place.and_then(|place| seen.order.remove(place)) {
            seen.forget(name, &sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(byte: u8) -> Hash {
        Hash([byte; 32])
    }

    fn keep(taken: Result<Slot, ReplayError>) -> Result<(), ReplayError> {
        taken.map(Slot::keep)
    }

    #[test]
    fn once_and_in_time() {
        let (replays, sender) = (Replays::new(100, 2, 2), Arc::from("s"));
        let take = |byte, sent, now| keep(replays.take("m", &sender, name(byte), sent, now));
        take(1, 1000, 1050).unwrap();
        assert_eq!(take(1, 1000, 1100), Err(ReplayError::Again));
        assert!(matches!(take(2, 1000, 1101), Err(ReplayError::Time { .. })));
        assert!(matches!(take(2, i64::MIN, 1101), Err(ReplayError::Time { .. })));
        take(2, 1150, 1060).unwrap();
        assert_eq!(take(3, 1100, 1100), Err(ReplayError::Full));
        assert_eq!(take(2, 1150, 1250), Err(ReplayError::Again));
        take(3, 1300, 1300).unwrap();
    }

    /// A quarter of a million stubs closed every model to everyone for twenty minutes.
    #[test]
    fn what_was_not_evaluated_is_forgotten_and_one_sender_fills_its_own_share_only() {
        let replays = Replays::new(100, 3, 2);
        let [one, two] = ["one", "two"].map(Arc::from);
        for byte in 0..100 {
            drop(replays.take("m", &one, name(byte), 1000, 1000).unwrap());
        }
        assert!(replays.seen()["m"].order.is_empty() && replays.seen()["m"].by.is_empty());
        keep(replays.take("m", &one, name(1), 1000, 1000)).unwrap();
        keep(replays.take("m", &one, name(2), 1000, 1000)).unwrap();
        assert_eq!(keep(replays.take("m", &one, name(3), 1000, 1000)), Err(ReplayError::Sender));
        keep(replays.take("m", &two, name(3), 1000, 1000)).unwrap();
        assert_eq!(keep(replays.take("m", &two, name(4), 1000, 1000)), Err(ReplayError::Full));
        // Another model is not concerned.
        keep(replays.take("n", &two, name(4), 1000, 1000)).unwrap();
    }
}
