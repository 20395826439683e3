//! One line per request: what, by whom, how it ended and what took how long. Never a header, a query or a body.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;

use super::metrics::Seen;
use super::outcome::Outcome;
use super::trace::{REQUEST_ID, Trace, hex};
use super::{Caller, HttpMetrics, spans};

/// Starts logging to stderr: JSON lines, or text for people. Later calls change nothing.
pub fn init(json: bool, verbose: bool) {
    let level = if verbose { tracing::Level::DEBUG } else { tracing::Level::INFO };
    // Libraries below log addresses and statements at finer levels; only warnings of theirs are of use.
    let filter = tracing_subscriber::filter::Targets::new()
        .with_default(tracing::Level::WARN)
        .with_target("service", level)
        .with_target("halflight", level);
    use tracing_subscriber::layer::SubscriberExt;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let _already = if json {
        tracing::subscriber::set_global_default(registry.with(layer.json().flatten_event(true)))
    } else {
        tracing::subscriber::set_global_default(registry.with(layer))
    };
}

/// Middleware: follows, counts and logs a request. It wraps [`super::identify`], whose refusals it counts too.
pub(crate) async fn observe(State(metrics): State<Arc<HttpMetrics>>, mut request: Request, next: Next) -> Response {
    let trace = Trace::begin(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    request.extensions_mut().insert(Arc::clone(&trace));
    let mut response = next.run(request).await;
    let seconds = trace.start.elapsed().as_secs_f64();
    let (caller, entry) = response.extensions().get::<Caller>().map(|c| (c.name.clone(), c.entry.clone())).unzip();
    let status = response.status().as_u16();
    // Answers of the other protocol that rides on this one are 200 whatever they say.
    let outcome = response.extensions().get::<Outcome>().copied().unwrap_or_else(|| Outcome::of(status));
    let name: Option<&str> = caller.as_deref();
    metrics.request(&Seen {
        route: &route,
        method: method.as_str(),
        status,
        outcome,
        caller: entry.as_deref(),
        seconds,
    });
    let notes = trace.learned();
    let ms = |step: &str| {
        let found = notes.steps.iter().find(|(known, _)| *known == step);
        found.map(|(_, time)| milliseconds(*time))
    };
    tracing::info!(
        request = trace.request,
        trace = hex(trace.trace),
        method = method.as_str(),
        route,
        status,
        outcome = outcome.name(),
        ms = (seconds * 1e3) as u64,
        caller = name,
        model = notes.model.as_deref(),
        items = notes.items,
        read_ms = ms("read"),
        validate_ms = ms("validate"),
        queue_ms = ms("queue"),
        points_ms = ms("points"),
        evaluate_ms = ms("evaluate"),
        log_ms = ms("log"),
        head_ms = ms("head"),
        "request"
    );
    if let Ok(value) = HeaderValue::from_str(&trace.request) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    spans::send(&trace, || spans::About { method: method.as_str(), route: &route, status, outcome, caller: name });
    response
}

/// With three digits after the point.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}
