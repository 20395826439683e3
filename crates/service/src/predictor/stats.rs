//! The statistics of each version, in the form of Triton's statistics extension.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use roles::Step;
use serde_json::{Value, json};

use super::model::Model;
use super::queue::Done;
use crate::hash::Hash;

/// Counts and times by model and version, since the start of the server.
#[derive(Default)]
pub struct Stats(Mutex<BTreeMap<(String, Hash), Totals>>);

/// Of one version.
#[derive(Clone, Copy, Default)]
struct Totals {
    /// Milliseconds since 1970 of the last answer.
    last: u64,
    inferences: u64,
    executions: u64,
    success: Sum,
    fail: Sum,
    queue: Sum,
    input: Sum,
    infer: Sum,
    output: Sum,
}

/// Count and total time.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: u64,
    time: Duration,
}

impl Sum {
    fn add(&mut self, time: Duration) {
        self.count += 1;
        self.time += time;
    }

    fn json(&self) -> Value {
        json!({ "count": self.count, "ns": self.time.as_nanos() as u64 })
    }
}

impl Stats {
    /// Counts a request that got no prediction.
    pub fn failed(&self, model: &Model, took: Duration) {
        self.totals().entry((model.name().to_owned(), model.pin())).or_default().fail.add(took);
    }

    /// Counts the items of a request that were evaluated; the request too, where all of them gave a prediction.
    pub fn evaluated(&self, model: &Model, done: &[Done], took: Duration) {
        let mut totals = self.totals();
        let totals = totals.entry((model.name().to_owned(), model.pin())).or_default();
        for done in done {
            totals.executions += 1;
            totals.queue.add(done.begun.saturating_duration_since(done.queued));
            let mut start = done.begun;
            for &(step, end) in &done.steps {
                let lasted = end.saturating_duration_since(start);
                match step {
                    Step::Read => totals.input.add(lasted),
                    Step::Paired => totals.infer.add(lasted),
                    Step::Found => totals.infer.time += lasted,
                    Step::Head => totals.output.add(lasted),
                }
                start = end;
            }
        }
        if done.iter().all(|done| done.result.is_ok()) {
            totals.inferences += done.len() as u64;
            totals.success.add(took);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            totals.last = now.as_millis() as u64;
        }
    }

    /// Of these versions, as Triton says it.
    pub fn json(&self, models: &[std::sync::Arc<Model>]) -> Value {
        let totals = self.totals();
        let one = |model: &std::sync::Arc<Model>| {
            let key = (model.name().to_owned(), model.pin());
            let of = totals.get(&key).copied().unwrap_or_default();
            json!({
                "name": model.name(), "version": model.pin(), "last_inference": of.last,
                "inference_count": of.inferences, "execution_count": of.executions,
                "inference_stats": {
                    "success": of.success.json(), "fail": of.fail.json(), "queue": of.queue.json(),
                    "compute_input": of.input.json(), "compute_infer": of.infer.json(),
                    "compute_output": of.output.json(),
                    "cache_hit": Sum::default().json(), "cache_miss": Sum::default().json(),
                },
                "batch_stats": [], "memory_usage": [],
            })
        };
        json!({ "model_stats": models.iter().map(one).collect::<Vec<_>>() })
    }

    fn totals(&self) -> MutexGuard<'_, BTreeMap<(String, Hash), Totals>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
