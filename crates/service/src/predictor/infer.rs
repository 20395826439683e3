//! `POST /v2/models/{model}/infer`: from a body to a prediction.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::PredictorServer;
use super::inspect;
use super::model::{Answer, Model, PredictError};
use super::queue::{QueueError, Room};
use super::replay::Slot;
use crate::clock;
use crate::oip::{HEADER_LENGTH, InferRequest, InferResponse, OutputTensor, Values};
use crate::transport::{Caller, Problem, RequestBody, Scope};

/// How long room in the queue is kept for a body that does not arrive.
const ROOM_WAITS: Duration = Duration::from_secs(2);

/// The name of the one input.
pub const INPUT: &str = "ciphertext";

/// Without a version.
pub async fn newest(
    State(predictor): State<Arc<PredictorServer>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    infer(&predictor, &caller, &name, None, &headers, body).await
}

/// With a version: the pin of the parameters.
pub async fn version(
    State(predictor): State<Arc<PredictorServer>>,
    Extension(caller): Extension<Caller>,
    Path((name, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    infer(&predictor, &caller, &name, Some(&version), &headers, body).await
}

/// The model, if it is ready, has this version and has not expired.
pub fn ready(predictor: &PredictorServer, name: &str, version: Option<&str>) -> Result<Arc<Model>, Problem> {
    let missing = |what: String| Problem::not_found(format!("{what}; GET /v2/repository/index lists the models"));
    let model = predictor.repository.get(name).ok_or_else(|| missing("no such model is ready here".into()))?;
    if version.is_some_and(|version| !version.is_empty() && *version != model.pin().to_string()) {
        return Err(missing(format!("this model's version is {}", model.pin())));
    }
    let expired = model.admission().check_expiry(clock::now());
    expired.map_err(|expired| Problem::new(StatusCode::GONE, expired.to_string()))?;
    Ok(model)
}

async fn infer(
    predictor: &Arc<PredictorServer>,
    caller: &Caller,
    name: &str,
    version: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.require(Scope::Infer)?;
    let model = ready(predictor, name, version)?;
    let header_length = header_length(headers)?;
    let turned_away = |items: usize, error: QueueError| {
        predictor.metrics.count(model.name(), "turned away", items);
        turned_away(error)
    };
    // Room comes first: what cannot be evaluated is not worth reading.
    let expected = expected(&model, headers).min(predictor.options.items).min(predictor.queue.share()).max(1);
    let room = predictor.queue.reserve(caller.source(), expected).map_err(|error| turned_away(expected, error))?;
    let (body, room) = receive(predictor, caller, room, headers, body).await?;
    let (shared, for_items, most) = (Arc::clone(predictor), Arc::clone(&model), predictor.options.items);
    let source = Arc::clone(caller.source());
    let parse = move || -> Result<_, Problem> {
        let request = InferRequest::parse(&body.bytes, header_length, most).map_err(Problem::bad_request)?;
        let (input, outputs, id, binary) = request.only(INPUT).map_err(Problem::bad_request)?;
        // The answer's form is checked before anything is evaluated for it.
        answer(&for_items, None, Vec::new()).body(&outputs, binary).map_err(Problem::bad_request)?;
        let check = |item| inspect::ciphertext(&for_items, &shared.replays, &source, item);
        let items = input.items.into_iter().map(check).collect::<Result<Vec<_>, _>>();
        // The body's share of the memory is kept until here, and what is left is bounded by the queue.
        Ok((items?, outputs, id, binary))
    };
    let parsed = tokio::task::spawn_blocking(parse).await.map_err(|error| Problem::internal(&error))?;
    let (items, outputs, id, binary) = parsed.inspect_err(|_| predictor.metrics.count(model.name(), "refused", 1))?;
    let count = items.len();
    let mut room = match room {
        Some(room) => room,
        None => predictor.queue.reserve(caller.source(), count).map_err(|error| turned_away(count, error))?,
    };
    room.resize(count).map_err(|error| turned_away(count, error))?;
    // Now that they are admitted, and before they cost anything.
    let mut slots = Vec::with_capacity(count);
    let mut ciphertexts = Vec::with_capacity(count);
    for item in items {
        let taken = item.seal.map(|seal| inspect::take(&model, &predictor.replays, &seal)).transpose();
        slots.push(taken.inspect_err(|_| predictor.metrics.count(model.name(), "refused", 1))?);
        ciphertexts.push(item.ciphertext);
    }
    let evaluation = predictor.queue.evaluate(&model, room, ciphertexts);
    let evaluated = tokio::time::timeout(predictor.options.patience, evaluation).await;
    let evaluated = evaluated.map_err(|_| {
        predictor.metrics.count(model.name(), "late", count);
        Problem::busy(5, "no answer in time; try again later")
    })?;
    let results = evaluated.map_err(|error| turned_away(count, error))?;
    remember(slots, &results);
    let answers = all(results).inspect_err(|_| predictor.metrics.count(model.name(), "failed", count))?;
    predictor.metrics.count(model.name(), "answered", count);
    let (body, end) = answer(&model, id, answers).body(&outputs, binary).map_err(Problem::bad_request)?;
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
            tracing::debug!(caller = caller.name, "a body is slow: its room in the queue is given back");
            drop(room);
            Ok((reading.await?, None))
        }
    }
}

fn turned_away(error: QueueError) -> Problem {
    match error {
        QueueError::Full(seconds) => Problem::busy(seconds, "the queue is full; try again later"),
        QueueError::Share(seconds) => {
            let detail = "the queue holds as many ciphertexts of yours as it may; try again later";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(seconds)
        }
        QueueError::TooMany(most) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("send at most {most} ciphertexts at once"))
        }
        QueueError::Ended => Problem::busy(5, "the server ends; try again later"),
    }
}

/// Keeps the envelopes whose ciphertexts were evaluated; what was none may come again.
fn remember(slots: Vec<Option<Slot>>, results: &[Result<Answer, PredictError>]) {
    for (slot, result) in slots.into_iter().zip(results) {
        if let (Some(slot), false) = (slot, matches!(result, Err(PredictError::Ciphertext(_)))) {
            slot.keep();
        }
    }
}

fn header_length(headers: &HeaderMap) -> Result<Option<usize>, Problem> {
    let Some(value) = headers.get(HEADER_LENGTH) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or_else(|| Problem::bad_request(format!("{HEADER_LENGTH} is no number; give bytes of JSON")))
}

/// All answers, or what is wrong with every item that failed.
fn all(results: Vec<Result<Answer, PredictError>>) -> Result<Vec<Answer>, Problem> {
    let mut answers = Vec::with_capacity(results.len());
    let mut failed = Vec::new();
    let mut worst = StatusCode::BAD_REQUEST;
    for (item, result) in results.into_iter().enumerate() {
        match result {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                let status = match error {
                    PredictError::Ciphertext(_) => StatusCode::BAD_REQUEST,
                    PredictError::Evaluate(_) => StatusCode::UNPROCESSABLE_ENTITY,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                worst = worst.max(status);
                failed.push(json!({ "item": item, "detail": error.to_string() }));
            }
        }
    }
    if failed.is_empty() {
        return Ok(answers);
    }
    let first = failed[0]["detail"].as_str().unwrap_or_default().to_owned();
    Err(Problem::new(worst, first).with("items", failed))
}

fn answer(model: &Model, id: Option<String>, answers: Vec<Answer>) -> InferResponse {
    let items = answers.len();
    let (outputs, classes) = model.extents();
    let (mut output, mut probabilities, mut label) = (Vec::new(), Vec::new(), Vec::new());
    for answer in answers {
        output.extend(answer.output);
        probabilities.extend(answer.probabilities);
        label.push(answer.label);
    }
    InferResponse {
        model: model.name().to_owned(),
        version: model.pin().to_string(),
        id,
        outputs: vec![
            OutputTensor { name: "output", shape: vec![items, outputs], values: Values::Int64(output) },
            OutputTensor { name: "probabilities", shape: vec![items, classes], values: Values::Fp32(probabilities) },
            OutputTensor { name: "label", shape: vec![items], values: Values::Text(label) },
        ],
    }
}
