//! gRPC on the routes of a server: one message in, one message out, and refusals as its statuses.
//!
//! A call is `POST /SERVICE/METHOD` over HTTP/2. Its body is one message after a byte that says whether it is
//! compressed and four bytes with its length; the status follows the answer as trailers. Calls are subject to the same
//! limits, names and counts as all other requests.

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Full};

use super::decode::Coding;
use super::{BodyLimits, Caller, Outcome, Problem, RequestBody};

/// Content type of a call.
pub(crate) const GRPC: &str = "application/grpc";
/// The same, with the kind of message spelled out.
pub(crate) const GRPC_PROTO: &str = "application/grpc+proto";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// The status of methods that are not here.
const UNIMPLEMENTED: u16 = 12;
/// Bytes before a message.
const PREFIX: usize = 5;

/// Whether these headers are those of a call.
pub(super) fn is(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind == GRPC || kind.starts_with("application/grpc+") || kind.starts_with("application/grpc;")
}

/// The one message of a call, of at most `limit` bytes. Packed ones are unpacked within the same limit.
///
/// # Errors
/// As [`BodyLimits::read`], or the body holds something else than one message.
pub(crate) async fn message(
    bodies: &BodyLimits,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<RequestBody, Problem> {
    let mut read = bodies.read(caller, headers, body, limit.saturating_add(PREFIX)).await?;
    let Some((&[packed, a, b, c, d], rest)) = read.bytes.split_first_chunk::<PREFIX>() else {
        return Err(Problem::bad_request("the call has no message; send one"));
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length != rest.len() {
        let detail = format!("the message has {length} bytes, but {} follow; send one message", rest.len());
        return Err(Problem::bad_request(detail));
    }
    read.bytes.drain(..PREFIX);
    match packed {
        0 => Ok(read),
        1 => {
            let coding = match headers.get(ENCODING).map(HeaderValue::as_bytes) {
                Some(b"gzip") => Coding::Gzip,
                Some(b"deflate") => Coding::Deflate,
                _ => {
                    let detail = "only gzip and deflate compression is supported; send it uncompressed";
                    return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, detail));
                }
            };
            read.unpack(coding, limit).await
        }
        other => Err(Problem::bad_request(format!("the message begins with {other}; send 0 or 1"))),
    }
}

/// An answer of one message.
pub(crate) fn answer(message: &impl prost::Message) -> Response {
    let mut bytes = vec![0; PREFIX];
    // A vector grows as it must.
    let _ = message.encode(&mut bytes);
    let length = u32::try_from(bytes.len() - PREFIX).unwrap_or(u32::MAX);
    bytes[1..PREFIX].copy_from_slice(&length.to_be_bytes());
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from(0));
    let body = Full::new(Bytes::from(bytes)).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(GRPC));
    response.headers_mut().insert(ACCEPTED, HeaderValue::from_static("identity,gzip,deflate"));
    response
}

/// Middleware: turns refusals of calls, from whichever layer, into gRPC statuses.
pub(super) async fn translate(request: Request, next: Next) -> Response {
    let call = is(request.headers()) && *request.method() == Method::POST;
    let known = request.extensions().get::<MatchedPath>().is_some();
    let response = next.run(request).await;
    if !call || is(response.headers()) {
        return response;
    }
    let status = response.status();
    let problem = response.extensions().get::<Problem>();
    let detail = problem.map_or("the call cannot be understood", Problem::detail).to_owned();
    let retry = response.headers().get(header::RETRY_AFTER).cloned();
    let (parts, _) = response.into_parts();
    let mut answer = StatusCode::OK.into_response();
    *answer.extensions_mut() = parts.extensions;
    answer.extensions_mut().insert(Outcome::of(status.as_u16()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(STATUS, HeaderValue::from(if known { code(status) } else { UNIMPLEMENTED }));
    if let Ok(message) = HeaderValue::from_str(&escape(&detail)) {
        headers.insert(MESSAGE, message);
    }
    if let Some(retry) = retry {
        headers.insert(header::RETRY_AFTER, retry);
    }
    answer
}

/// The status of gRPC that says most nearly what one of HTTP does.
fn code(status: StatusCode) -> u16 {
    match status.as_u16() {
        408 => 4,
        404 => 5,
        409 => 6,
        403 | 421 => 7,
        413 | 429 => 8,
        410 => 9,
        405 | 415 | 501 => UNIMPLEMENTED,
        503 => 14,
        401 => 16,
        400..=499 => 3,
        _ => 13,
    }
}

/// Text as a header can have it: what is not printable ASCII, and the percent sign, by their bytes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => out.push_str("%25"),
            b' '..=b'~' => out.push(byte.into()),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_kind_is_a_header() {
        assert_eq!(escape("100 % of Wärd\n"), "100 %25 of W%C3%A4rd%0A");
        assert!(HeaderValue::from_str(&escape("\u{0}—\u{7f}")).is_ok());
    }

    #[test]
    fn statuses_say_whether_to_try_again() {
        let code = |status: u16| code(StatusCode::from_u16(status).unwrap());
        assert_eq!([401, 403, 404, 422, 429, 500, 503].map(code), [16, 7, 5, 3, 8, 13, 14]);
    }
}
