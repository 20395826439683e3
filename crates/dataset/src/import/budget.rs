//! How much memory one import may fill with what it unpacks.
//!
//! A small file can unpack to gigabytes, so every importer asks this budget before it unpacks or collects anything
//! whose size a file decides. One budget serves a whole import, however many files, arrays and pages it reads.

use std::io::{self, Read};
use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes that an import may unpack unless it is told otherwise: 2 GiB.
pub const DEFAULT_BUDGET: u64 = 2 << 30;

/// The bytes that an import may still unpack, shared by its threads.
#[derive(Debug)]
pub struct Budget {
    most: u64,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What the import keeps.
    kept: u64,
    /// What threads hold for one item.
    held: u64,
}

/// Unpacking would have exceeded the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it unpacks to more than the {most} bytes that an import may take: raise the limit if you trust the file")]
pub struct OverBudget {
    /// The whole budget.
    pub most: u64,
}

/// Room for one item, given back when it is dropped.
#[derive(Debug)]
pub struct Held<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    /// A budget of this many bytes.
    pub fn new(most: u64) -> Self {
        Self { most, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Counts bytes that stay until the import ends.
    ///
    /// # Errors
    /// There is no room for them.
    pub fn keep(&self, bytes: u64) -> Result<(), OverBudget> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = state.kept.checked_add(bytes).filter(|&kept| kept <= self.most);
        state.kept = kept.ok_or(OverBudget { most: self.most })?;
        Ok(())
    }

    /// Counts bytes of one item; waits until other threads have given back what this one needs.
    ///
    /// # Errors
    /// There is no room for them next to what is kept, even if nothing else is held.
    pub fn hold(&self, bytes: u64) -> Result<Held<'_>, OverBudget> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let alone = state.kept.checked_add(bytes).filter(|&sum| sum <= self.most);
            let sum = alone.ok_or(OverBudget { most: self.most })?;
            if state.held == 0 || sum.saturating_add(state.held) <= self.most {
                state.held = state.held.saturating_add(bytes);
                return Ok(Held { budget: self, bytes });
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What is left to keep.
    pub fn left(&self) -> u64 {
        self.most - self.state.lock().unwrap_or_else(PoisonError::into_inner).kept
    }

    /// Reads to the end and counts bytes as they arrive.
    ///
    /// # Errors
    /// What `reader` says, or [`OverBudget`] inside of an error of kind `FileTooLarge`.
    pub fn read_to_end(&self, mut reader: impl Read, into: &mut Vec<u8>) -> io::Result<()> {
        let mut part = [0; 1 << 14];
        loop {
            let count = match reader.read(&mut part) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.keep(count as u64).map_err(|over| io::Error::new(io::ErrorKind::FileTooLarge, over))?;
            into.extend_from_slice(&part[..count]);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.held = state.held.saturating_sub(self.bytes);
        self.budget.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_counts_and_what_is_held_comes_back() {
        let budget = Budget::new(100);
        budget.keep(60).unwrap();
        assert_eq!(budget.keep(41), Err(OverBudget { most: 100 }));
        assert!(budget.keep(u64::MAX).is_err());
        for _ in 0..3 {
            drop(budget.hold(40).unwrap());
        }
        assert!(budget.hold(41).is_err());
        assert_eq!(budget.left(), 40);
        let read = |length: usize| budget.read_to_end(&vec![0; length][..], &mut Vec::new());
        read(30).unwrap();
        assert_eq!(read(11).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_thread_waits_for_another_rather_than_fail() {
        let budget = Budget::new(100);
        let first = budget.hold(80).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| budget.hold(80).map(drop));
            std::thread::sleep(std::time::Duration::from_millis(20));
            drop(first);
            assert_eq!(second.join().unwrap(), Ok(()));
        });
    }
}
