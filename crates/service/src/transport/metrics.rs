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
use prometheus_client::registry::{Metric, Registry};

use super::outcome::Outcome;
use super::{BodyLimits, Tokens, spans};

/// Requests by route, method, status, outcome and caller, how long they took, and the connections they came over.
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    durations: Family<OutcomeLabels, Histogram, fn() -> Histogram>,
    callers: Family<CallerLabels, Counter>,
    callers_expiry: Family<NameLabels, Gauge>,
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
struct NameLabels {
    caller: String,
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
    pub fn register(r: &mut Registry, role: &'static str) -> Self {
        let build = Info::new(BuildLabels { version: env!("CARGO_PKG_VERSION"), role });
        r.register("build", "Version and role of this server", build);
        Self {
            requests: shown(r, "http_requests", "Requests by route, method and status"),
            seconds: shown_as(
                r,
                "http_request_seconds",
                "Time to answer, by route",
                Family::new_with_constructor(latency_buckets),
            ),
            durations: shown_as(
                r,
                "http_request_duration_seconds",
                "Time to answer, by route and outcome: answered, refused, busy, failed",
                Family::new_with_constructor(latency_buckets),
            ),
            callers: shown(r, "caller_requests", "Requests by caller and outcome"),
            callers_expiry: shown(
                r,
                "caller_expiry_timestamp_seconds",
                "When the token or certificate of a caller expires, in seconds since 1970",
            ),
            open: shown(r, "connections_open", "Open connections, by listener"),
            most: shown(r, "connections_limit", "Most connections at once"),
            accepted: shown(r, "connections_accepted", "Accepted connections"),
            crowded: shown(r, "connections_refused", "Connections refused because their address had too many"),
            certificate: shown(
                r,
                "tls_certificate_expiry_timestamp_seconds",
                "When the TLS certificate expires, in seconds since 1970; absent without TLS",
            ),
            reloads: shown(r, "reloads", "Files reloaded while the server ran, by file and result"),
            bodies: shown(r, "body_memory_bytes", "Bytes of request bodies in memory"),
            bodies_most: shown(r, "body_memory_limit_bytes", "Most bytes of request bodies at once"),
            spans: shown(r, "spans_dropped", "Requests whose spans did not reach the collector"),
            listeners: Mutex::default(),
        }
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
    pub(crate) fn refresh(&self, bodies: &BodyLimits, tokens: &Tokens) {
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
        // Whoever was removed is not shown.
        self.callers_expiry.clear();
        for (caller, expires) in tokens.expiries() {
            self.callers_expiry.get_or_create(&NameLabels { caller }).set(expires);
        }
        raise(&self.spans, spans::left_out().unwrap_or(0));
    }
}

/// A count that a registry knows: it reads the value whenever the text is made.
pub(crate) fn shown<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    shown_as(registry, name, help, M::default())
}

/// The same of a kind that has no default.
pub(crate) fn shown_as<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, count: M) -> M {
    registry.register(name, help, count.clone());
    count
}

/// Brings a counter up to what was counted elsewhere.
pub(crate) fn raise(counter: &Counter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

/// 1 ms to 65 s in powers of 2.
pub(crate) fn latency_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}
