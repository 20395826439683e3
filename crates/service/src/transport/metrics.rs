//! Counts of requests and connections, and the texts of `/metrics`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::outcome::Outcome;
use super::{BodyLimits, spans};

/// Requests by route, method, status, outcome and caller, how long they took, and the connections they came over.
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    durations: Family<OutcomeLabels, Histogram, fn() -> Histogram>,
    callers: Family<CallerLabels, Counter>,
    open: Family<ListenerLabels, Gauge>,
    most: Family<ListenerLabels, Gauge>,
    accepted: Family<ListenerLabels, Counter>,
    crowded: Family<ListenerLabels, Counter>,
    certificate: Family<ListenerLabels, Gauge>,
    reloads: Family<ReloadLabels, Counter>,
    bodies: Gauge,
    bodies_most: Gauge,
    spans: Counter,
    listeners: Mutex<BTreeMap<&'static str, Arc<Connections>>>,
}

/// Connections of one listener.
#[derive(Debug, Default)]
pub struct Connections {
    pub(super) open: AtomicI64,
    pub(super) most: AtomicI64,
    pub(super) accepted: AtomicU64,
    pub(super) crowded: AtomicU64,
    /// Seconds since 1970 when the certificate ends; 0 without one.
    pub(super) certificate: AtomicI64,
    /// How often certificates were read again, and could not be.
    pub(super) renewed: AtomicU64,
    pub(super) unrenewed: AtomicU64,
}

/// A request that ended.
pub(super) struct Seen<'a> {
    /// The pattern, never the path, so that callers cannot invent labels.
    pub route: &'a str,
    pub method: &'a str,
    pub status: u16,
    pub outcome: Outcome,
    /// The caller's name from the token file, if known.
    pub caller: Option<&'a str>,
    pub seconds: f64,
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

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    route: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallerLabels {
    caller: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReloadLabels {
    file: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    role: &'static str,
}

impl HttpMetrics {
    /// Makes the counts known to a registry. `role`: what this server is.
    pub fn register(registry: &mut Registry, role: &'static str) -> Self {
        let build = Info::new(BuildLabels { version: env!("CARGO_PKG_VERSION"), role });
        registry.register("build", "Version and role of this server", build);
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(latency_buckets),
            durations: Family::new_with_constructor(latency_buckets),
            callers: Family::default(),
            open: Family::default(),
            most: Family::default(),
            accepted: Family::default(),
            crowded: Family::default(),
            certificate: Family::default(),
            reloads: Family::default(),
            bodies: Gauge::default(),
            bodies_most: Gauge::default(),
            spans: Counter::default(),
            listeners: Mutex::default(),
        };
        let m = &metrics;
        registry.register("http_requests", "Requests by route, method and status", m.requests.clone());
        registry.register("http_request_seconds", "Time to answer, by route", m.seconds.clone());
        let help = "Time to answer, by route and outcome: answered, refused, busy, failed";
        registry.register("http_request_duration_seconds", help, m.durations.clone());
        registry.register("caller_requests", "Requests by caller and outcome", m.callers.clone());
        registry.register("connections_open", "Open connections, by listener", m.open.clone());
        registry.register("connections_limit", "Most connections at once", m.most.clone());
        registry.register("connections_accepted", "Accepted connections", m.accepted.clone());
        let help = "Connections refused because their address had too many";
        registry.register("connections_refused", help, m.crowded.clone());
        let help = "When the TLS certificate expires, in seconds since 1970; absent without TLS";
        registry.register("tls_certificate_expiry_timestamp_seconds", help, m.certificate.clone());
        registry.register("reloads", "Files reloaded while the server ran, by file and result", m.reloads.clone());
        registry.register("body_memory_bytes", "Bytes of request bodies in memory", m.bodies.clone());
        registry.register("body_memory_limit_bytes", "Most bytes of request bodies at once", m.bodies_most.clone());
        let help = "Requests whose spans did not reach the collector";
        registry.register("spans_dropped", help, m.spans.clone());
        metrics
    }

    /// Counts one answer.
    pub(super) fn request(&self, seen: &Seen<'_>) {
        // Extension methods are words that a caller chooses.
        let method =
            if matches!(seen.method, "GET" | "HEAD" | "POST" | "PUT" | "DELETE") { seen.method } else { "other" };
        let (route, outcome) = (seen.route.to_owned(), seen.outcome.name());
        let labels = RequestLabels { route: route.clone(), method: method.to_owned(), status: seen.status.into() };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&RouteLabels { route: route.clone() }).observe(seen.seconds);
        self.durations.get_or_create(&OutcomeLabels { route, outcome }).observe(seen.seconds);
        let caller = seen.caller.unwrap_or("unknown").to_owned();
        self.callers.get_or_create(&CallerLabels { caller, outcome }).inc();
    }

    /// Shows the connections of a listener from now on.
    pub fn watch(&self, listener: &'static str, connections: Arc<Connections>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).insert(listener, connections);
    }

    /// Counts a file that was read again while the server ran.
    pub(crate) fn reloaded(&self, file: &'static str, well: bool) {
        let result = if well { "done" } else { "failed" };
        self.reloads.get_or_create(&ReloadLabels { file, result }).inc();
    }

    /// Takes over what is counted elsewhere, before the text is made.
    pub(crate) fn refresh(&self, bodies: &BodyLimits) {
        use std::sync::atomic::Ordering::Relaxed;
        let mut renewed = BTreeMap::new();
        for (&listener, known) in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let labels = ListenerLabels { listener };
            self.open.get_or_create(&labels).set(known.open.load(Relaxed));
            self.most.get_or_create(&labels).set(known.most.load(Relaxed));
            raise(&self.accepted.get_or_create(&labels), known.accepted.load(Relaxed));
            raise(&self.crowded.get_or_create(&labels), known.crowded.load(Relaxed));
            let certificate = known.certificate.load(Relaxed);
            if certificate != 0 {
                self.certificate.get_or_create(&labels).set(certificate);
            }
            for (result, count) in [("done", &known.renewed), ("failed", &known.unrenewed)] {
                *renewed.entry(result).or_insert(0) += count.load(Relaxed);
            }
        }
        for (result, to) in renewed {
            raise(&self.reloads.get_or_create(&ReloadLabels { file: "certificates", result }), to);
        }
        let (held, most) = bodies.memory();
        self.bodies.set(held as i64);
        self.bodies_most.set(most as i64);
        raise(&self.spans, spans::left_out().unwrap_or(0));
    }
}

/// Brings a counter up to what was counted elsewhere.
pub(crate) fn raise(counter: &Counter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

/// 1 ms to 65 s in powers of 2.
pub(crate) fn latency_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}
