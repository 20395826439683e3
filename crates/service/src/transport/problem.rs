//! Errors as `application/problem+json` (RFC 9457).

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

const PROBLEM: &str = "application/problem+json";

/// An answer that says what went wrong and what to do.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    retry_after: Option<u64>,
    extra: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// A problem with a status and what to tell the caller.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None, extra: Default::default() }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail.to_string())
    }

    /// 404: no such thing.
    pub fn not_found(detail: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail.to_string())
    }

    /// 422: understood, but refused for what it holds.
    pub fn refused(detail: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail.to_string())
    }

    /// 500, with the cause in the log and not in the answer.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        tracing::error!(error = causes, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server could not do this; its log says why")
    }

    /// 503: full at the moment.
    pub fn busy(seconds: u64, detail: impl ToString) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail.to_string()).retry_after(seconds)
    }

    /// When to try again.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// A further member of the body.
    pub fn with(mut self, name: &str, value: impl serde::Serialize) -> Self {
        self.extra.insert(name.to_owned(), json!(value));
        self
    }

    /// The message for the caller.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = serde_json::Map::new();
        body.insert("type".into(), json!("about:blank"));
        body.insert("title".into(), json!(self.status.canonical_reason().unwrap_or("Error")));
        body.insert("status".into(), json!(self.status.as_u16()));
        body.insert("detail".into(), json!(self.detail));
        // Clients of the inference protocol look for the message here.
        body.insert("error".into(), json!(self.detail));
        body.extend(self.extra.clone());
        let body = serde_json::Value::Object(body).to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, PROBLEM)], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // For those who say it otherwise.
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: what the framework refuses by itself, such as a path that is not UTF-8, becomes a problem too.
pub(crate) async fn explain(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM) {
        return response;
    }
    let text = to_bytes(response.into_body(), 1 << 10).await.ok().and_then(|text| String::from_utf8(text.into()).ok());
    let text = text.filter(|text| !text.is_empty());
    Problem::new(status, text.unwrap_or_else(|| "the request cannot be understood".into())).into_response()
}
