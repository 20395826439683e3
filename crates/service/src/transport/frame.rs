//! Routes and layers that both servers share.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::{Router, middleware};

use super::auth::{Tokens, identify};
use super::grpc::translate;
use super::guard::guard;
use super::log::observe;
use super::metrics::HttpMetrics;
use super::problem::{Problem, explain};

/// Counts and logs every request, refuses those that a foreign page made a browser send, finds out who asks, and makes
/// every refusal a problem document, or a gRPC status for gRPC calls.
pub(crate) fn frame<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    tokens: Tokens,
    metrics: Arc<HttpMetrics>,
) -> Router<S> {
    routes
        .fallback(|| async { Problem::not_found("nothing is here; GET /openapi.json lists the routes") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed; GET /openapi.json lists the methods")
        })
        .layer(middleware::from_fn(explain))
        .layer(middleware::from_fn_with_state(tokens, identify))
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn(translate))
        .layer(middleware::from_fn_with_state(metrics, observe))
}
