//! Evaluation on all cores behind a bounded queue.
//!
//! As many worker threads as cores take ciphertexts one by one, whatever request they came with; each evaluation runs
//! in one pool of threads, so that a single ciphertext uses every core and many share them. The queue holds a fixed
//! number of ciphertexts; a request that does not fit whole is refused at once, with the time after which it is worth
//! to try again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::model::{Answer, Model, PredictError};

/// The workers and their queue.
pub struct Queue {
    jobs: Option<Sender<Job>>,
    room: Arc<Semaphore>,
    capacity: usize,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// No room, or no answer in time.
#[derive(Debug)]
pub enum QueueError {
    /// The queue is full; seconds after which there may be room.
    Full(u64),
    /// The ciphertexts do not fit even an empty queue.
    TooMany(usize),
    /// The workers are gone: the server ends.
    Ended,
}

struct Job {
    model: Arc<Model>,
    ciphertext: Vec<u8>,
    reply: oneshot::Sender<Result<Answer, PredictError>>,
    _room: OwnedSemaphorePermit,
}

#[derive(Default)]
struct Shared {
    /// Moving average of the time of one evaluation with all workers busy, in microseconds.
    micros: AtomicU64,
    done: AtomicU64,
}

/// How busy the queue is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Ciphertexts waiting or in evaluation.
    pub held: usize,
    /// Ciphertexts evaluated so far.
    pub done: u64,
    /// Moving average of one evaluation.
    pub evaluation: Duration,
}

impl Queue {
    /// Starts `workers` threads; `capacity` ciphertexts may wait or be in evaluation.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(workers: usize, capacity: usize) -> std::io::Result<Self> {
        let (jobs, receiver) = mpsc::channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let shared = Arc::new(Shared::default());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).thread_name(|i| format!("evaluate-{i}"));
        let pool = Arc::new(pool.build().map_err(std::io::Error::other)?);
        let spawn = |index| {
            let (receiver, shared, pool) = (Arc::clone(&receiver), Arc::clone(&shared), Arc::clone(&pool));
            let builder = std::thread::Builder::new().name(format!("worker-{index}"));
            builder.spawn(move || work(&receiver, &shared, &pool))
        };
        let threads = (0..workers).map(spawn).collect::<std::io::Result<Vec<_>>>()?;
        let room = Arc::new(Semaphore::new(capacity));
        Ok(Self { jobs: Some(jobs), room, capacity, shared, workers: threads })
    }

    /// Evaluates the ciphertexts of one request; the answers come in their order.
    ///
    /// # Errors
    /// [`QueueError`] before anything is evaluated.
    pub async fn evaluate(
        &self,
        model: &Arc<Model>,
        ciphertexts: Vec<Vec<u8>>,
    ) -> Result<Vec<Result<Answer, PredictError>>, QueueError> {
        let count = ciphertexts.len();
        if count > self.capacity {
            return Err(QueueError::TooMany(self.capacity));
        }
        let room = Arc::clone(&self.room).try_acquire_many_owned(count as u32);
        let mut room = room.map_err(|_| QueueError::Full(self.wait()))?;
        let jobs = self.jobs.as_ref().ok_or(QueueError::Ended)?;
        let mut replies = Vec::with_capacity(count);
        for ciphertext in ciphertexts {
            let (reply, answer) = oneshot::channel();
            let own = room.split(1).ok_or(QueueError::Ended)?;
            let job = Job { model: Arc::clone(model), ciphertext, reply, _room: own };
            jobs.send(job).map_err(|_| QueueError::Ended)?;
            replies.push(answer);
        }
        let mut answers = Vec::with_capacity(count);
        for reply in replies {
            answers.push(reply.await.map_err(|_| QueueError::Ended)?);
        }
        Ok(answers)
    }

    /// How busy it is.
    pub fn load(&self) -> Load {
        Load {
            held: self.capacity - self.room.available_permits(),
            done: self.shared.done.load(Ordering::Relaxed),
            evaluation: Duration::from_micros(self.shared.micros.load(Ordering::Relaxed)),
        }
    }

    /// Seconds until half of what is held is done.
    fn wait(&self) -> u64 {
        let load = self.load();
        let seconds = load.held as f64 * load.evaluation.as_secs_f64() / self.workers.len().max(1) as f64;
        (seconds / 2.0).ceil().clamp(1.0, 600.0) as u64
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so already.
            let _ = worker.join();
        }
    }
}

fn work(receiver: &Mutex<Receiver<Job>>, shared: &Shared, pool: &rayon::ThreadPool) {
    loop {
        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // The caller may have left meanwhile.
        if job.reply.is_closed() {
            continue;
        }
        let start = Instant::now();
        // A fault in one evaluation must not take a worker from all others.
        let predict = || pool.install(|| job.model.predict(&job.ciphertext));
        let answer = catch_unwind(AssertUnwindSafe(predict)).unwrap_or(Err(PredictError::Fault));
        let micros = start.elapsed().as_micros() as u64;
        let mean = shared.micros.load(Ordering::Relaxed);
        shared.micros.store(if mean == 0 { micros } else { (7 * mean + micros) / 8 }, Ordering::Relaxed);
        shared.done.fetch_add(1, Ordering::Relaxed);
        let _ = job.reply.send(answer);
    }
}
