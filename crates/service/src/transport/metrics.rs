//! Counts in the Prometheus text format.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Requests by route, method and status, and how long they took.
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: u32,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

impl HttpMetrics {
    /// Makes the counts known to a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register("http_requests", "Requests by route, method and status", requests.clone());
        let seconds = Family::<RouteLabels, Histogram>::new_with_constructor(latency_buckets as fn() -> Histogram);
        registry.register("http_request_seconds", "Time to answer, by route", seconds.clone());
        Self { requests, seconds }
    }

    /// Counts one answer. `route` is the pattern, never the path, so that callers cannot invent labels.
    pub fn request(&self, route: &str, method: &str, status: u16, seconds: f64) {
        // Extension methods are words that a caller chooses.
        let method = if matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "DELETE") { method } else { "other" };
        let labels = RequestLabels { route: route.to_owned(), method: method.to_owned(), status: status.into() };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&RouteLabels { route: route.to_owned() }).observe(seconds);
    }
}

/// 1 ms to 65 s in powers of 2.
fn latency_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}

/// The text that `/metrics` gives.
pub fn render(registry: &Registry) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = text::encode(&mut out, registry);
    out
}
