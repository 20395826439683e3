//! Metrics of a predictor.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use roles::Step;

use super::PredictorServer;
use super::queue::Done;
use crate::transport::{HttpMetrics, answer_metrics, latency_buckets, raise, shown, shown_as};

/// Counts of a predictor.
pub struct Metrics {
    registry: Registry,
    /// Of requests.
    pub http: Arc<HttpMetrics>,
    items: Family<ItemLabels, Counter>,
    callers: Family<CallerLabels, Counter>,
    queue: Gauge,
    capacity: Gauge,
    share: Gauge,
    evaluation: Gauge<f64, std::sync::atomic::AtomicU64>,
    waited: Histogram,
    evaluated: Histogram,
    steps: Family<StepLabels, Histogram, fn() -> Histogram>,
    ready: Gauge,
    states: Family<VersionLabels, Gauge>,
    expiry: Family<VersionLabels, Gauge>,
    failures: Family<ModelLabels, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ItemLabels {
    model: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallerLabels {
    caller: String,
    model: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ModelLabels {
    model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct VersionLabels {
    model: String,
    version: String,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("halflight");
        let http = Arc::new(HttpMetrics::register(&mut registry, "predictor"));
        let r = &mut registry;
        Self {
            http,
            items: shown(r, "ciphertexts", "Ciphertexts by model and result"),
            callers: shown(r, "caller_ciphertexts", "Ciphertexts by caller, model and result"),
            queue: shown(r, "queue_ciphertexts", "Ciphertexts waiting or in evaluation"),
            capacity: shown(r, "queue_limit_ciphertexts", "Most of these"),
            share: shown(r, "queue_caller_limit_ciphertexts", "Most of these of one caller"),
            evaluation: shown(r, "evaluation_seconds", "Moving average of one evaluation"),
            waited: shown_as(
                r,
                "queue_wait_duration_seconds",
                "Time that a ciphertext waited for a worker",
                latency_buckets(),
            ),
            evaluated: shown_as(
                r,
                "evaluation_duration_seconds",
                "Time of one evaluation, from the points to the prediction",
                latency_buckets(),
            ),
            steps: shown_as(
                r,
                "evaluation_step_duration_seconds",
                "Time of each step of an evaluation: points, evaluate, log, head",
                Family::new_with_constructor(latency_buckets),
            ),
            ready: shown(r, "models_ready", "Models that can predict"),
            states: shown(r, "model_ready", "Whether a version of a model can predict: 1 or 0"),
            expiry: shown(
                r,
                "model_key_expiry_timestamp_seconds",
                "When the functional key of a version expires, in seconds since 1970",
            ),
            failures: shown(r, "model_load_failures", "Failed loads of a model, at the start or later"),
            registry,
        }
    }

    /// Counts ciphertexts of a model that exists.
    pub fn count(&self, model: &str, caller: &str, result: &'static str, items: usize) {
        self.items.get_or_create(&ItemLabels { model: model.to_owned(), result }).inc_by(items as u64);
        let labels = CallerLabels { caller: caller.to_owned(), model: model.to_owned(), result };
        self.callers.get_or_create(&labels).inc_by(items as u64);
    }

    /// Counts the times of ciphertexts that were evaluated.
    pub fn evaluated(&self, done: &[Done]) {
        for done in done {
            self.waited.observe(done.begun.saturating_duration_since(done.queued).as_secs_f64());
            self.evaluated.observe(done.ended.saturating_duration_since(done.begun).as_secs_f64());
            let mut start = done.begun;
            for &(step, end) in &done.steps {
                let step = match step {
                    Step::Read => "points",
                    Step::Paired => "evaluate",
                    Step::Found => "log",
                    Step::Head => "head",
                };
                let lasted = end.saturating_duration_since(start).as_secs_f64();
                self.steps.get_or_create(&StepLabels { step }).observe(lasted);
                start = end;
            }
        }
    }

    /// The text that `/metrics` gives.
    pub fn answer(&self, predictor: &PredictorServer, headers: &HeaderMap) -> Response {
        let load = predictor.queue.load();
        self.queue.set(load.held as i64);
        self.capacity.set(predictor.queue.capacity() as i64);
        self.share.set(predictor.queue.share() as i64);
        self.evaluation.set(load.evaluation.as_secs_f64());
        let index = predictor.repository.index();
        let ready: std::collections::BTreeSet<_> =
            index.iter().filter(|status| status.state == "READY").map(|status| &status.name).collect();
        self.ready.set(ready.len() as i64);
        // What is gone is not shown.
        self.states.clear();
        self.expiry.clear();
        for status in &index {
            let labels = VersionLabels { model: status.name.clone(), version: status.version.clone() };
            self.states.get_or_create(&labels).set(i64::from(status.state == "READY"));
            if let Some(expires) = status.expires {
                self.expiry.get_or_create(&labels).set(expires);
            }
        }
        for (model, failures) in predictor.repository.failures() {
            raise(&self.failures.get_or_create(&ModelLabels { model }), failures);
        }
        self.http.refresh(&predictor.bodies, &predictor.tokens);
        answer_metrics(&self.registry, headers)
    }
}
