//! What to watch at a predictor.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::queue::Load;
use super::repository::Status;
use crate::transport::{HttpMetrics, render_metrics};

/// Counts of a predictor.
pub struct Metrics {
    registry: Registry,
    /// Of requests.
    pub http: Arc<HttpMetrics>,
    items: Family<ItemLabels, Counter>,
    queue: Gauge,
    evaluation: Gauge<f64, std::sync::atomic::AtomicU64>,
    ready: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ItemLabels {
    model: String,
    result: &'static str,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("halflight");
        let http = Arc::new(HttpMetrics::register(&mut registry));
        let items = Family::default();
        registry.register("ciphertexts", "Ciphertexts by model and result", items.clone());
        let queue = Gauge::default();
        registry.register("queue_ciphertexts", "Ciphertexts waiting or in evaluation", queue.clone());
        let evaluation = Gauge::default();
        registry.register("evaluation_seconds", "Moving average of one evaluation", evaluation.clone());
        let ready = Gauge::default();
        registry.register("models_ready", "Models that can predict", ready.clone());
        Self { registry, http, items, queue, evaluation, ready }
    }

    /// Counts ciphertexts of a model that exists.
    pub fn count(&self, model: &str, result: &'static str, items: usize) {
        self.items.get_or_create(&ItemLabels { model: model.to_owned(), result }).inc_by(items as u64);
    }

    /// The text that `/metrics` gives.
    pub fn render(&self, load: Load, index: &[Status]) -> String {
        self.queue.set(load.held as i64);
        self.evaluation.set(load.evaluation.as_secs_f64());
        self.ready.set(index.iter().filter(|status| status.state == "READY").count() as i64);
        render_metrics(&self.registry)
    }
}
