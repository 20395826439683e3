//! Envelopes that were seen already.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::hash::Hash;

/// Remembers envelopes for as long as their time is accepted.
pub struct Replays {
    /// Seconds by which an envelope's time may differ from ours.
    window: i64,
    /// Most envelopes remembered.
    most: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    names: HashSet<Hash>,
    /// In the order of arrival, with the time after which each may be forgotten.
    order: VecDeque<(i64, Hash)>,
}

/// An envelope that is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Its time is too far off.
    #[error(
        "the envelope was sent at {sent}, it is {now} here (seconds since 1970); at most {window} s may lie between"
    )]
    Time {
        /// What it says.
        sent: i64,
        /// Our time.
        now: i64,
        /// What may lie between.
        window: i64,
    },
    /// It was taken before.
    #[error("this envelope was taken before; seal the ciphertext anew")]
    Again,
    /// Too many to remember.
    #[error("more envelopes arrive than can be remembered")]
    Full,
}

impl Replays {
    /// `window` in seconds; `most` envelopes are remembered.
    pub fn new(window: i64, most: usize) -> Self {
        Self { window, most, seen: Mutex::default() }
    }

    /// Takes an envelope once. `name`: its sender and nonce.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn take(&self, name: Hash, sent: i64, now: i64) -> Result<(), ReplayError> {
        if now.checked_sub(sent).and_then(i64::checked_abs).is_none_or(|apart| apart > self.window) {
            return Err(ReplayError::Time { sent, now, window: self.window });
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, old)) = seen.order.pop_front_if(|(until, _)| *until < now) {
            seen.names.remove(&old);
        }
        if seen.names.contains(&name) {
            return Err(ReplayError::Again);
        }
        if seen.names.len() >= self.most {
            return Err(ReplayError::Full);
        }
        seen.names.insert(name);
        // An envelope dated ahead stays acceptable for up to two windows.
        seen.order.push_back((now + 2 * self.window, name));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_and_in_time() {
        let replays = Replays::new(100, 2);
        let name = |byte| Hash([byte; 32]);
        replays.take(name(1), 1000, 1050).unwrap();
        assert_eq!(replays.take(name(1), 1000, 1100), Err(ReplayError::Again));
        assert!(matches!(replays.take(name(2), 1000, 1101), Err(ReplayError::Time { .. })));
        assert!(matches!(replays.take(name(2), i64::MIN, 1101), Err(ReplayError::Time { .. })));
        replays.take(name(2), 1150, 1060).unwrap();
        assert_eq!(replays.take(name(3), 1100, 1100), Err(ReplayError::Full));
        assert_eq!(replays.take(name(2), 1150, 1250), Err(ReplayError::Again));
        replays.take(name(3), 1300, 1300).unwrap();
    }
}
