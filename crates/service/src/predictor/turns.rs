//! The order of evaluation: jobs of each caller in their order, callers in turn.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

// Tests run every interleaving of these.
#[cfg(test)]
use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(test))]
use std::sync::{Condvar, Mutex, MutexGuard};

/// Jobs that wait, until the end.
pub(super) struct Turns<J> {
    waiting: Mutex<Waiting<J>>,
    arrived: Condvar,
}

struct Waiting<J> {
    ended: bool,
    /// Callers with jobs, in the order of their turn, each once.
    turns: VecDeque<Arc<str>>,
    jobs: HashMap<Arc<str>, VecDeque<J>>,
}

impl<J> Turns<J> {
    pub fn new() -> Self {
        let waiting = Waiting { ended: false, turns: VecDeque::new(), jobs: HashMap::new() };
        Self { waiting: Mutex::new(waiting), arrived: Condvar::new() }
    }

    /// Adds the jobs of a caller; gives them back after the end.
    pub fn push(&self, caller: &Arc<str>, jobs: VecDeque<J>) -> Result<(), VecDeque<J>> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut waiting = self.lock();
        if waiting.ended {
            return Err(jobs);
        }
        let queue = waiting.jobs.entry(Arc::clone(caller)).or_default();
        let first = queue.is_empty();
        queue.extend(jobs);
        if first {
            waiting.turns.push_back(Arc::clone(caller));
        }
        drop(waiting);
        self.arrived.notify_all();
        Ok(())
    }

    /// The next job, of the caller whose turn it is; waits for one. None once all are done and the end was called.
    pub fn next(&self) -> Option<J> {
        let mut waiting = self.lock();
        loop {
            while let Some(caller) = waiting.turns.pop_front() {
                let Some(queue) = waiting.jobs.get_mut(&caller) else { continue };
                let job = queue.pop_front();
                if queue.is_empty() {
                    waiting.jobs.remove(&caller);
                } else {
                    waiting.turns.push_back(caller);
                }
                if job.is_some() {
                    return job;
                }
            }
            if waiting.ended {
                return None;
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets whoever waits go home once nothing is left to do.
    pub fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use loom::thread;

    use super::super::interleaved;
    use super::*;

    fn jobs<const N: usize>(jobs: [u32; N]) -> VecDeque<u32> {
        VecDeque::from(jobs)
    }

    #[test]
    fn callers_take_turns_and_keep_the_order_of_their_jobs() {
        loom::model(|| {
            let turns = Turns::new();
            let [one, two] = ["one", "two"].map(Arc::from);
            turns.push(&one, jobs([1, 2, 3])).unwrap();
            turns.push(&two, jobs([11, 12])).unwrap();
            turns.push(&one, jobs([4])).unwrap();
            turns.end();
            assert_eq!(turns.push(&two, jobs([13])), Err(jobs([13])));
            let order: Vec<u32> = std::iter::from_fn(|| turns.next()).collect();
            assert_eq!(order, [1, 11, 2, 12, 3, 4]);
        });
    }

    #[test]
    fn in_every_interleaving_each_job_is_done_once_and_everybody_goes_home() {
        interleaved(2, || {
            let turns = Arc::new(Turns::new());
            let workers = [0, 1].map(|_| {
                let turns = Arc::clone(&turns);
                thread::spawn(move || std::iter::from_fn(|| turns.next()).collect::<Vec<u32>>())
            });
            let caller = {
                let turns = Arc::clone(&turns);
                thread::spawn(move || turns.push(&Arc::from("two"), jobs([11])).is_ok())
            };
            turns.push(&Arc::from("one"), jobs([1, 2])).unwrap();
            turns.end();
            let taken = caller.join().unwrap();
            let mut done: Vec<u32> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
            done.sort_unstable();
            // What was taken is done, though the end came meanwhile; what was not, is not.
            let expected: &[u32] = if taken { &[1, 2, 11] } else { &[1, 2] };
            assert_eq!(done, expected);
        });
    }
}
