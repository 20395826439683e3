//! `POST /v2/models/{model}/infer`: from a body to a prediction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::PredictorServer;
use super::admit::{Asking, turned_away};
use super::model::Model;
use super::places::Room;
use super::version::ready;
use crate::oip::{HEADER_LENGTH, InferRequest};
use crate::transport::{Caller, Problem, RequestBody, Scope, Trace};

/// How long room in the queue is kept for a body that does not arrive.
const ROOM_WAITS: Duration = Duration::from_secs(2);

/// Without a version.
pub async fn newest(
    State(predictor): State<Arc<PredictorServer>>,
    Extension(caller): Extension<Caller>,
    Extension(trace): Extension<Arc<Trace>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let asking = Asking { predictor: &predictor, caller: &caller, trace: &trace, model: &name, version: None };
    infer(asking, &headers, body).await
}

/// With a version: the pin of the parameters, or the name of its folder.
pub async fn version(
    State(predictor): State<Arc<PredictorServer>>,
    Extension(caller): Extension<Caller>,
    Extension(trace): Extension<Arc<Trace>>,
    Path((name, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let version = Some(version.as_str());
    let asking = Asking { predictor: &predictor, caller: &caller, trace: &trace, model: &name, version };
    infer(asking, &headers, body).await
}

async fn infer(asking: Asking<'_>, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let Asking { predictor, caller, trace, .. } = asking;
    caller.require(Scope::Infer)?;
    let model = ready(predictor, asking.model, asking.version)?;
    trace.about(model.name());
    let header_length = header_length(headers)?;
    // Room comes first: what cannot be evaluated is not worth reading.
    let expected = expected(&model, headers).min(predictor.options.items).min(predictor.queue.share()).max(1);
    let room = predictor.queue.reserve(caller.source(), expected).map_err(|error| {
        asking.count(&model, "turned away", expected);
        turned_away(error)
    })?;
    let start = Instant::now();
    let (body, room) = receive(predictor, caller, room, headers, body).await?;
    trace.ended("read", start);
    let most = predictor.options.items;
    let read = move || InferRequest::parse(&body.bytes, header_length, most).map_err(Problem::bad_request);
    let predicted = asking.predict(room, read).await?;
    let (body, end) = predicted.response.body(&predicted.outputs, predicted.binary).map_err(Problem::bad_request)?;
    let mut response = body.into_response();
    let content = if end.is_some() { "application/octet-stream" } else { "application/json" };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    if let Some(end) = end {
        response.headers_mut().insert(HEADER_LENGTH, HeaderValue::from(end));
    }
    Ok(response)
}

/// How many ciphertexts a body of its length would hold, if it were binary; what is wrong with that shows later.
fn expected(model: &Model, headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let (n, m) = model.parameters().encoder.inputs();
    length.unwrap_or(0) / qfe::ciphertext_size(n, m).max(1)
}

/// The body, and the room that was taken for it, unless it took too long to arrive.
async fn receive(
    predictor: &PredictorServer,
    caller: &Caller,
    room: Room,
    headers: &HeaderMap,
    body: Body,
) -> Result<(RequestBody, Option<Room>), Problem> {
    let mut reading = std::pin::pin!(predictor.bodies.read(caller, headers, body, predictor.options.body));
    match tokio::time::timeout(ROOM_WAITS, &mut reading).await {
        Ok(body) => Ok((body?, Some(room))),
        Err(_) => {
            tracing::debug!(caller = caller.name, "a body is slow: its place in the queue is released");
            drop(room);
            Ok((reading.await?, None))
        }
    }
}

fn header_length(headers: &HeaderMap) -> Result<Option<usize>, Problem> {
    let Some(value) = headers.get(HEADER_LENGTH) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| text.parse().ok());
    parsed
        .map(Some)
        .ok_or_else(|| Problem::bad_request(format!("{HEADER_LENGTH} is not a number; give the bytes of JSON")))
}
