//! The predictor: evaluates ciphertexts with functional keys, over the Open Inference Protocol v2.

mod admit;
mod common;
mod grpc;
mod infer;
mod inspect;
mod metrics;
mod model;
mod page;
mod places;
mod queue;
mod replay;
mod repository;
mod routes;
mod slots;
mod stats;
mod tell;
mod turns;
mod version;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use qfe::LogTable;

pub use model::{Answer, Model, ModelError, ModelOptions, PredictError};
pub use places::{QueueError, Room};
pub use queue::{Done, Load, Queue};
pub use replay::{ReplayError, Replays, Slot};
pub use repository::{Repository, Status};
pub use routes::{admin_router, router};

use crate::transport::{BodyLimits, HttpMetrics, Tokens};

/// Envelopes of one model that are remembered at once, some 50 MB. Only ciphertexts that were evaluated count.
const REPLAYS_PER_MODEL: usize = 1 << 19;
/// Of these, of one sender.
const REPLAYS_PER_SENDER: usize = 1 << 17;

/// How a predictor works.
#[derive(Clone, Debug)]
pub struct PredictorOptions {
    /// One folder per model; see [`Model`].
    pub models: PathBuf,
    /// Worker threads; cores where 0.
    pub workers: usize,
    /// Ciphertexts that may wait or be in evaluation.
    pub queue: usize,
    /// Of these, most of one caller (a token, a certificate, or else an address); half where 0, but always as many as one
    /// request may bring.
    pub share: usize,
    /// Longest time that a ciphertext is expected to wait: beyond that, more are refused though there is room.
    /// Zero sets no limit.
    pub wait: Duration,
    /// Maximum number of ciphertexts per request.
    pub items: usize,
    /// Maximum size of a body, in bytes.
    pub body: usize,
    /// Maximum bytes of all bodies at once. One caller gets at most half, or room for one body if that is more.
    pub memory: usize,
    /// Time for a body to arrive.
    pub body_patience: Duration,
    /// Time for an answer.
    pub patience: Duration,
    /// Seconds by which an envelope's time may differ.
    pub window: i64,
    /// How often the folder of models is looked at.
    pub watch: Duration,
}

impl PredictorOptions {
    /// Limits that suit a small machine, for the models in a folder.
    pub fn over(models: PathBuf) -> Self {
        Self {
            models,
            workers: 0,
            queue: 128,
            share: 0,
            wait: Duration::from_millis(1500),
            items: 32,
            body: 32 << 20,
            memory: 256 << 20,
            body_patience: Duration::from_secs(30),
            patience: Duration::from_secs(120),
            window: 600,
            watch: Duration::from_secs(2),
        }
    }
}

/// A predictor, shared by all requests.
pub struct PredictorServer {
    options: PredictorOptions,
    repository: Repository,
    queue: Queue,
    replays: Replays,
    bodies: BodyLimits,
    tokens: Tokens,
    metrics: metrics::Metrics,
    stats: stats::Stats,
}

impl PredictorServer {
    /// Loads the models and starts the workers.
    ///
    /// # Errors
    /// The folder of models cannot be read; the system gives no threads. Models that cannot be loaded are logged and listed, not errors.
    pub fn start(options: PredictorOptions, tokens: Tokens, table: Arc<LogTable>) -> std::io::Result<Arc<Self>> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if options.workers == 0 { cores() } else { options.workers };
        std::fs::read_dir(&options.models).map_err(|error| {
            let problem = format!("{}: the folder of models cannot be read: {error}", options.models.display());
            std::io::Error::new(error.kind(), problem)
        })?;
        let repository = Repository::new(options.models.clone(), table);
        repository.scan();
        let share = if options.share == 0 { (options.queue / 2).max(options.items) } else { options.share };
        Ok(Arc::new(Self {
            repository,
            queue: Queue::start(workers, options.queue, share.min(options.queue), options.wait)?,
            replays: Replays::new(options.window, REPLAYS_PER_MODEL, REPLAYS_PER_SENDER),
            bodies: BodyLimits::new(options.memory, options.body, options.body_patience),
            tokens,
            metrics: metrics::Metrics::new(),
            stats: stats::Stats::default(),
            options,
        }))
    }

    /// The models.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Counts of requests and connections.
    pub fn http_metrics(&self) -> &Arc<HttpMetrics> {
        &self.metrics.http
    }

    /// Looks at the folder of models again and again; ends when the predictor is dropped elsewhere.
    pub async fn watch(self: Arc<Self>) {
        let every = self.options.watch;
        let weak = Arc::downgrade(&self);
        drop(self);
        loop {
            tokio::time::sleep(every).await;
            let Some(predictor) = weak.upgrade() else { return };
            let _ = tokio::task::spawn_blocking(move || predictor.repository.scan()).await;
        }
    }
}

/// Runs a model in every interleaving of its threads that takes a processor away from one of them at most so many times
/// where it could have gone on: faults need few, and all interleavings take too long. `HALFLIGHT_PREEMPTIONS` allows
/// so many more.
#[cfg(test)]
fn interleaved(switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let more = std::env::var("HALFLIGHT_PREEMPTIONS");
    let more: usize = more.map_or(0, |text| text.parse().expect("HALFLIGHT_PREEMPTIONS is a number"));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches + more);
    builder.check(model);
}
