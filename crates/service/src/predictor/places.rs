//! Places in the queue: a fixed number of them, and of each caller at most a share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

// Tests run every interleaving of these.
#[cfg(test)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};

use super::queue::QueueError;

/// All places.
pub(super) struct Places {
    capacity: usize,
    pub share: usize,
    pub pace: Pace,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by: HashMap<Arc<str>, usize>,
}

/// How fast ciphertexts are evaluated.
pub(super) struct Pace {
    workers: usize,
    /// Moving average of the time of one evaluation with all workers busy, in microseconds.
    micros: AtomicU64,
}

/// Room for some ciphertexts of one caller, until it is dropped.
pub struct Room {
    places: Arc<Places>,
    caller: Arc<str>,
    count: usize,
}

impl Places {
    pub fn new(capacity: usize, share: usize, workers: usize) -> Self {
        let pace = Pace { workers, micros: AtomicU64::new(0) };
        Self { capacity, share: share.min(capacity), pace, taken: Mutex::new(Taken::default()) }
    }

    /// Those that are taken.
    pub fn held(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// Learns from one evaluation.
    pub fn learn(&self, micros: u64) {
        let mean = self.micros.load(Ordering::Relaxed);
        self.micros.store(if mean == 0 { micros } else { (7 * mean + micros) / 8 }, Ordering::Relaxed);
    }

    /// Of one evaluation.
    pub fn mean(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// Seconds until half of `held` ciphertexts are done.
    fn wait(&self, held: usize) -> u64 {
        let seconds = held as f64 * self.mean().as_secs_f64() / self.workers.max(1) as f64;
        (seconds / 2.0).ceil().clamp(1.0, 600.0) as u64
    }
}

impl Room {
    /// Room for `count` ciphertexts of a caller.
    ///
    /// # Errors
    /// [`QueueError`]: they do not fit.
    pub(super) fn take(places: &Arc<Places>, caller: &Arc<str>, count: usize) -> Result<Self, QueueError> {
        let mut room = Self { places: Arc::clone(places), caller: Arc::clone(caller), count: 0 };
        room.resize(count)?;
        Ok(room)
    }

    /// Whose it is.
    pub(super) fn caller(&self) -> &Arc<str> {
        &self.caller
    }

    /// Makes it room for `count` ciphertexts in all, no more and no fewer.
    ///
    /// # Errors
    /// [`QueueError`]: they do not fit; the room stays as it was.
    pub fn resize(&mut self, count: usize) -> Result<(), QueueError> {
        let places = &self.places;
        if count > places.share {
            return Err(QueueError::TooMany(places.share));
        }
        if count < self.count {
            // What is too much is given back when it is dropped.
            let rest = self.count - count;
            self.count = count;
            drop(Self { places: Arc::clone(places), caller: Arc::clone(&self.caller), count: rest });
            return Ok(());
        }
        let more = count - self.count;
        let mut taken = places.lock();
        let own = taken.by.get(&self.caller).copied().unwrap_or(0);
        let full = taken.all + more > places.capacity;
        if full || own + more > places.share {
            let wait = places.pace.wait(if full { taken.all } else { own });
            return Err(if full { QueueError::Full(wait) } else { QueueError::Share(wait) });
        }
        if more > 0 {
            taken.all += more;
            *taken.by.entry(Arc::clone(&self.caller)).or_default() += more;
            self.count += more;
        }
        Ok(())
    }

    /// One place of it, on its own.
    pub(super) fn split(&mut self) -> Self {
        let one = self.count.min(1);
        self.count -= one;
        Self { places: Arc::clone(&self.places), caller: Arc::clone(&self.caller), count: one }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut taken = self.places.lock();
        taken.all -= self.count;
        if let Some(own) = taken.by.get_mut(&self.caller) {
            *own -= self.count;
            if *own == 0 {
                taken.by.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use loom::thread;

    use super::*;

    #[test]
    fn a_caller_has_its_share_and_leaves_room_for_others() {
        loom::model(|| {
            let places = Arc::new(Places::new(6, 4, 0));
            let [one, two] = ["one", "two"].map(Arc::from);
            let held = Room::take(&places, &one, 4).unwrap();
            assert!(matches!(Room::take(&places, &one, 1), Err(QueueError::Share(1))));
            assert!(matches!(Room::take(&places, &two, 5), Err(QueueError::TooMany(4))));
            assert!(matches!(Room::take(&places, &two, 3), Err(QueueError::Full(1))));
            let mut other = Room::take(&places, &two, 1).unwrap();
            other.resize(2).unwrap();
            assert!(other.resize(3).is_err() && places.held() == 6);
            drop(held);
            other.resize(3).unwrap();
            assert_eq!(places.held(), 3);
            other.resize(1).unwrap();
            assert_eq!(places.held(), 1);
            drop(other);
            assert_eq!(places.held(), 0);
            assert!(places.lock().by.is_empty());
        });
    }

    #[test]
    fn in_every_interleaving_no_more_places_are_taken_than_there_are_and_all_come_back() {
        loom::model(|| {
            let places = Arc::new(Places::new(3, 2, 1));
            let callers = ["one", "one", "two"].map(|caller| {
                let places = Arc::clone(&places);
                move || {
                    let Ok(mut room) = Room::take(&places, &Arc::from(caller), 1) else { return };
                    assert!(places.held() <= 3);
                    if room.resize(2).is_ok() {
                        let job = room.split();
                        {
                            let taken = places.lock();
                            assert!(taken.all <= 3 && taken.by[caller] <= 2);
                        }
                        drop(job);
                    }
                }
            });
            let [first, second, third] = callers;
            let threads = [thread::spawn(first), thread::spawn(second)];
            third();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let taken = places.lock();
            assert!(taken.all == 0 && taken.by.is_empty());
        });
    }
}
