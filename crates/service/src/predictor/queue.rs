//! Evaluation on all cores with a bounded queue.
//!
//! As many worker threads as cores take ciphertexts one by one, from each caller in turn, whatever request they came
//! with; each evaluation runs in one pool of threads, so that a single ciphertext uses every core and many share them.
//! The queue holds a fixed number of ciphertexts, and of each caller at most a share. Whoever wants to evaluate takes
//! room first; a request that does not fit whole is refused at once, with the time after which it is worth to try again.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use roles::Step;
use tokio::sync::oneshot;

use super::model::{Answer, Model, PredictError};

/// The workers and their queue.
pub struct Queue {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

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

/// Room for some ciphertexts of one caller, until it is dropped.
pub struct Room {
    shared: Arc<Shared>,
    caller: Arc<str>,
    count: usize,
}

/// What became of a ciphertext, and when.
#[derive(Debug)]
pub struct Done {
    /// The prediction, or why there is none.
    pub result: Result<Answer, PredictError>,
    /// When it came into the queue.
    pub queued: Instant,
    /// When a worker took it.
    pub begun: Instant,
    /// When each step ended, as far as it came.
    pub steps: Vec<(Step, Instant)>,
    /// When the worker was done.
    pub ended: Instant,
}

struct Job {
    model: Arc<Model>,
    ciphertext: Vec<u8>,
    reply: oneshot::Sender<Done>,
    room: Room,
    queued: Instant,
}

struct Shared {
    capacity: usize,
    share: usize,
    workers: usize,
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    /// Moving average of the time of one evaluation with all workers busy, in microseconds.
    micros: AtomicU64,
    done: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    ended: bool,
    /// Ciphertexts for which room is taken.
    held: usize,
    /// The same by caller.
    by: HashMap<Arc<str>, usize>,
    /// Callers with jobs, in the order of their turn, each once.
    turns: VecDeque<Arc<str>>,
    jobs: HashMap<Arc<str>, VecDeque<Job>>,
}

/// How busy the queue is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Ciphertexts expected, waiting or in evaluation.
    pub held: usize,
    /// Ciphertexts evaluated so far.
    pub done: u64,
    /// Moving average of one evaluation.
    pub evaluation: Duration,
}

impl Queue {
    /// Starts `workers` threads; `capacity` ciphertexts may wait or be in evaluation, of one caller at most `share`.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(workers: usize, capacity: usize, share: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            capacity,
            share: share.min(capacity),
            workers,
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            micros: AtomicU64::new(0),
            done: AtomicU64::new(0),
        });
        let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).thread_name(|i| format!("evaluate-{i}"));
        let pool = Arc::new(pool.build().map_err(std::io::Error::other)?);
        let mut queue = Self { shared, workers: Vec::new() };
        for index in 0..workers {
            let (shared, pool) = (Arc::clone(&queue.shared), Arc::clone(&pool));
            let builder = std::thread::Builder::new().name(format!("worker-{index}"));
            queue.workers.push(builder.spawn(move || work(&shared, &pool))?);
        }
        Ok(queue)
    }

    /// Takes room for `count` ciphertexts of a caller.
    ///
    /// # Errors
    /// [`QueueError`]: they do not fit.
    pub fn reserve(&self, caller: &Arc<str>, count: usize) -> Result<Room, QueueError> {
        let mut room = Room { shared: Arc::clone(&self.shared), caller: Arc::clone(caller), count: 0 };
        room.resize(count)?;
        Ok(room)
    }

    /// Evaluates the ciphertexts of one request; the answers come in their order.
    ///
    /// # Errors
    /// [`QueueError`] before anything is evaluated: the room is of another size and cannot be changed.
    pub async fn evaluate(
        &self,
        model: &Arc<Model>,
        mut room: Room,
        ciphertexts: Vec<Vec<u8>>,
    ) -> Result<Vec<Done>, QueueError> {
        room.resize(ciphertexts.len())?;
        let mut replies = Vec::with_capacity(ciphertexts.len());
        let mut jobs = VecDeque::with_capacity(ciphertexts.len());
        let queued = Instant::now();
        for ciphertext in ciphertexts {
            let (reply, answer) = oneshot::channel();
            jobs.push_back(Job { model: Arc::clone(model), ciphertext, reply, room: room.split(), queued });
            replies.push(answer);
        }
        self.shared.push(&room.caller, jobs)?;
        let mut answers = Vec::with_capacity(replies.len());
        for reply in replies {
            answers.push(reply.await.map_err(|_| QueueError::Ended)?);
        }
        Ok(answers)
    }

    /// Most ciphertexts at once.
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// Most ciphertexts of one caller.
    pub fn share(&self) -> usize {
        self.shared.share
    }

    /// How busy it is.
    pub fn load(&self) -> Load {
        self.shared.load()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.arrived.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so already.
            let _ = worker.join();
        }
    }
}

impl Room {
    /// Makes it room for `count` ciphertexts in all, no more and no fewer.
    ///
    /// # Errors
    /// [`QueueError`]: they do not fit; the room stays as it was.
    pub fn resize(&mut self, count: usize) -> Result<(), QueueError> {
        let shared = &self.shared;
        if count > shared.share {
            return Err(QueueError::TooMany(shared.share));
        }
        if count < self.count {
            // What is too much is given back when it is dropped.
            let rest = self.count - count;
            self.count = count;
            drop(Self { shared: Arc::clone(shared), caller: Arc::clone(&self.caller), count: rest });
            return Ok(());
        }
        let more = count - self.count;
        let mut waiting = shared.lock();
        let own = waiting.by.get(&self.caller).copied().unwrap_or(0);
        let full = waiting.held + more > shared.capacity;
        if full || own + more > shared.share {
            let ahead = if full { waiting.held } else { own };
            drop(waiting);
            let wait = shared.wait(ahead);
            return Err(if full { QueueError::Full(wait) } else { QueueError::Share(wait) });
        }
        waiting.held += more;
        *waiting.by.entry(Arc::clone(&self.caller)).or_default() += more;
        self.count += more;
        Ok(())
    }

    /// One place of it, on its own.
    fn split(&mut self) -> Self {
        let one = self.count.min(1);
        self.count -= one;
        Self { shared: Arc::clone(&self.shared), caller: Arc::clone(&self.caller), count: one }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut waiting = self.shared.lock();
        waiting.held -= self.count;
        if let Some(own) = waiting.by.get_mut(&self.caller) {
            *own -= self.count;
            if *own == 0 {
                waiting.by.remove(&self.caller);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self) -> Load {
        Load {
            held: self.lock().held,
            done: self.done.load(Ordering::Relaxed),
            evaluation: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }

    /// Seconds until half of `held` ciphertexts are done.
    fn wait(&self, held: usize) -> u64 {
        let seconds = held as f64 * self.micros.load(Ordering::Relaxed) as f64 / 1e6 / self.workers.max(1) as f64;
        (seconds / 2.0).ceil().clamp(1.0, 600.0) as u64
    }

    fn push(&self, caller: &Arc<str>, jobs: VecDeque<Job>) -> Result<(), QueueError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut waiting = self.lock();
        if waiting.ended {
            // Their room is given back, which takes the lock.
            drop(waiting);
            return Err(QueueError::Ended);
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

    /// The next job, of the caller whose turn it is; none at the end.
    fn next(&self) -> Option<Job> {
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
}

fn work(shared: &Shared, pool: &rayon::ThreadPool) {
    while let Some(Job { model, ciphertext, reply, room, queued }) = shared.next() {
        // The caller may have left meanwhile.
        if reply.is_closed() {
            continue;
        }
        let begun = Instant::now();
        let mut steps = Vec::with_capacity(4);
        let note = |step| steps.push((step, Instant::now()));
        // A fault in one evaluation must not take a worker from all others.
        let predict = || pool.install(|| model.predict_in_steps(&ciphertext, note));
        let result = catch_unwind(AssertUnwindSafe(predict)).unwrap_or(Err(PredictError::Fault));
        let ended = Instant::now();
        let micros = ended.duration_since(begun).as_micros() as u64;
        let mean = shared.micros.load(Ordering::Relaxed);
        shared.micros.store(if mean == 0 { micros } else { (7 * mean + micros) / 8 }, Ordering::Relaxed);
        shared.done.fetch_add(1, Ordering::Relaxed);
        // Before the answer: whoever has it may come back at once.
        drop(room);
        let _ = reply.send(Done { result, queued, begun, steps, ended });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_its_share_and_leaves_room_for_others() {
        let queue = Queue::start(0, 6, 4).unwrap();
        let [one, two] = ["one", "two"].map(Arc::from);
        let held = queue.reserve(&one, 4).unwrap();
        assert!(matches!(queue.reserve(&one, 1), Err(QueueError::Share(1))));
        assert!(matches!(queue.reserve(&two, 5), Err(QueueError::TooMany(4))));
        assert!(matches!(queue.reserve(&two, 3), Err(QueueError::Full(1))));
        let mut other = queue.reserve(&two, 1).unwrap();
        other.resize(2).unwrap();
        assert!(other.resize(3).is_err() && queue.load().held == 6);
        drop(held);
        other.resize(3).unwrap();
        assert_eq!(queue.load().held, 3);
        other.resize(1).unwrap();
        assert_eq!(queue.load().held, 1);
        drop(other);
        assert_eq!(queue.load().held, 0);
        assert!(queue.shared.lock().by.is_empty());
    }
}
