//! Evaluation on all cores with a bounded queue.
//!
//! As many worker threads as cores take ciphertexts one by one, from each caller in turn, whatever request they came
//! with. Each evaluation runs in one pool of threads, so that a single ciphertext uses every core and many share them.
//! The queue holds a fixed number of ciphertexts, fewer if they would wait too long, and a limited fraction for each
//! caller. A request reserves its places first; one that does not fit completely is refused at once, with the time
//! after which a retry makes sense.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use roles::Step;
use tokio::sync::oneshot;

use super::model::{Answer, Model, PredictError};
use super::places::{Places, QueueError, Room};
use super::turns::Turns;

/// The workers and their queue.
pub struct Queue {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// The outcome for a ciphertext, and when it was known.
#[derive(Debug)]
pub struct Done {
    /// The prediction, or why there is none.
    pub result: Result<Answer, PredictError>,
    /// When it entered the queue.
    pub queued: Instant,
    /// When a worker took it.
    pub begun: Instant,
    /// When each completed step ended.
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
    places: Arc<Places>,
    turns: Turns<Job>,
    done: AtomicU64,
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
    /// Starts `workers` threads; `capacity` ciphertexts may wait or be in evaluation, of one caller at most `share`, and
    /// fewer where the last ones are expected to wait longer than `wait` (if that is not zero).
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(workers: usize, capacity: usize, share: usize, wait: Duration) -> std::io::Result<Self> {
        let places = Arc::new(Places::new(capacity, share, workers, wait));
        let shared = Arc::new(Shared { places, turns: Turns::new(), done: AtomicU64::new(0) });
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
        Room::take(&self.shared.places, caller, count)
    }

    /// Evaluates the ciphertexts of one request; the answers are in the same order.
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
        // What is not taken gives its room back here.
        self.shared.turns.push(room.caller(), jobs).map_err(|_| QueueError::Ended)?;
        let mut answers = Vec::with_capacity(replies.len());
        for reply in replies {
            answers.push(reply.await.map_err(|_| QueueError::Ended)?);
        }
        Ok(answers)
    }

    /// Maximum number of ciphertexts at once.
    pub fn capacity(&self) -> usize {
        self.shared.places.capacity
    }

    /// Maximum number of ciphertexts of one caller.
    pub fn share(&self) -> usize {
        self.shared.places.share
    }

    /// How busy it is.
    pub fn load(&self) -> Load {
        let Shared { places, done, .. } = &*self.shared;
        Load { held: places.held(), done: done.load(Ordering::Relaxed), evaluation: places.pace.mean() }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.turns.end();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so already.
            let _ = worker.join();
        }
    }
}

fn work(shared: &Shared, pool: &rayon::ThreadPool) {
    while let Some(Job { model, ciphertext, reply, room, queued }) = shared.turns.next() {
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
        shared.places.pace.learn(ended.duration_since(begun).as_micros() as u64);
        shared.done.fetch_add(1, Ordering::Relaxed);
        // Before the answer: whoever has it may come back at once.
        drop(room);
        let _ = reply.send(Done { result, queued, begun, steps, ended });
    }
}
