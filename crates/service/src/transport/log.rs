//! One line per request: what, by whom, how it ended. Never a header, a query or a body.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::{Caller, HttpMetrics};

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

/// Middleware: counts and logs a request. Stands outside of [`super::identify`], whose refusals it counts too.
pub(crate) async fn observe(State(metrics): State<Arc<HttpMetrics>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let caller = response.extensions().get::<Caller>().map(|caller| caller.name.as_str());
    let status = response.status().as_u16();
    let seconds = start.elapsed().as_secs_f64();
    metrics.request(&route, method.as_str(), status, seconds);
    tracing::info!(method = method.as_str(), route, status, ms = (seconds * 1e3) as u64, caller, "request");
    response
}
