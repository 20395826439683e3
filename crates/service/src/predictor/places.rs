//! Places in the queue: a fixed number in all, and a limited fraction for each caller.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

// Tests run every interleaving of these.
#[cfg(test)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};

/// No room, or no answer.
#[derive(Debug)]
pub enum QueueError {
    /// The queue is full; seconds after which there may be room.
    Full(u64),
    /// It holds as many ciphertexts of this caller as it may; seconds after which there may be room.
    Share(u64),
    /// The ciphertexts do not fit even an empty queue.
    TooMany(usize),
    /// The workers are gone: the server ends.
    Ended,
}

/// All places.
pub(super) struct Places {
    pub capacity: usize,
    pub share: usize,
    /// Longest time that ciphertexts are expected to wait; zero sets no limit.
    wait: Duration,
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
    pub fn new(capacity: usize, share: usize, workers: usize, wait: Duration) -> Self {
        let pace = Pace { workers, micros: AtomicU64::new(0) };
        Self { capacity, share: share.min(capacity), wait, pace, taken: Mutex::new(Taken::default()) }
    }

    /// How many places may be taken before more are refused, in all and by one caller, so that nobody waits too long.
    fn in_time(&self) -> (usize, usize) {
        let most = self.pace.within(self.wait).min(self.capacity);
        // What is in evaluation does not wait, and one more keeps each worker busy.
        let floor = self.pace.workers + 1;
        (most.max(2 * floor), (most.saturating_mul(self.share) / self.capacity.max(1)).max(floor))
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

    /// Ciphertexts that are evaluated within a time; any number where nothing is known or no time is given.
    fn within(&self, time: Duration) -> usize {
        let mean = self.mean();
        if time.is_zero() || mean.is_zero() {
            return usize::MAX;
        }
        (time.as_secs_f64() / mean.as_secs_f64() * self.workers as f64) as usize
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

    /// The caller that holds it.
    pub(super) fn caller(&self) -> &Arc<str> {
        &self.caller
    }

    /// Resizes it to room for exactly `count` ciphertexts.
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
        let (all_in_time, own_in_time) = places.in_time();
        let full = taken.all + more > places.capacity || more > 0 && taken.all >= all_in_time;
        if full || own + more > places.share || more > 0 && own >= own_in_time {
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

    use super::super::interleaved;
    use super::*;

    #[test]
    fn a_caller_has_its_share_and_leaves_room_for_others() {
        loom::model(|| {
            let places = Arc::new(Places::new(6, 4, 0, Duration::ZERO));
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

    /// A crowd waited for four seconds in a queue of 128 where one evaluation took 60 ms.
    #[test]
    fn nobody_waits_longer_than_allowed_though_there_are_places() {
        loom::model(|| {
            let places = Arc::new(Places::new(16, 8, 2, Duration::from_secs(2)));
            let [one, two, three] = ["one", "two", "three"].map(Arc::from);
            let fill = |caller| std::iter::from_fn(|| Room::take(&places, caller, 1).ok()).collect::<Vec<_>>();
            // Nothing is known yet.
            let (first, second) = (fill(&one), fill(&two));
            assert_eq!((first.len(), second.len()), (8, 8));
            drop((first, second));
            places.pace.learn(500_000);
            // Two workers do eight in two seconds; half of them are one caller's share.
            let (first, second, third) = (fill(&one), fill(&two), fill(&three));
            assert_eq!((first.len(), second.len(), third.len()), (4, 4, 0));
            assert!(matches!(Room::take(&places, &three, 1), Err(QueueError::Full(1))));
            drop((first, second));
            // Many at once are taken where few are ahead of them.
            let batch = Room::take(&places, &one, 7).unwrap();
            assert!(matches!(Room::take(&places, &one, 1), Err(QueueError::Share(1))));
            drop(batch);
            // Slow ones keep all workers busy all the same.
            (0..100).for_each(|_| places.pace.learn(9_000_000));
            let slow = fill(&one);
            assert_eq!(slow.len(), 3);
        });
    }

    #[test]
    fn in_every_interleaving_no_more_places_are_taken_than_there_are_and_all_come_back() {
        interleaved(3, || {
            let places = Arc::new(Places::new(3, 2, 1, Duration::ZERO));
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
