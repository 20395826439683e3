//! From a request that was read to its predictions, whatever protocol it came by: which version it is for, what can be
//! said about its items, room in the queue, evaluation, and what is counted of all that.

use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use roles::Step;
use serde_json::json;

use super::PredictorServer;
use super::inspect;
use super::model::{Answer, Model, PredictError};
use super::places::{QueueError, Room};
use super::queue::Done;
use super::replay::Slot;
use super::version::{INPUT, ready, valid};
use crate::oip::{InferRequest, InferResponse, OutputTensor, RequestedOutput, Values};
use crate::transport::{Caller, Problem, Trace};

/// A request for predictions.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub predictor: &'a Arc<PredictorServer>,
    pub caller: &'a Caller,
    pub trace: &'a Arc<Trace>,
    pub model: &'a str,
    /// None, or the pin of the parameters, or the name of the version's folder.
    pub version: Option<&'a str>,
}

/// Predictions, and the form in which they are wanted.
pub struct Predicted {
    pub response: InferResponse,
    pub outputs: Vec<RequestedOutput>,
    /// Whether outputs that say nothing are wanted in binary.
    pub binary: bool,
}

/// A request whose items can be evaluated.
struct Parsed {
    model: Arc<Model>,
    items: Vec<inspect::Item>,
    outputs: Vec<RequestedOutput>,
    id: Option<String>,
    binary: bool,
}

impl Asking<'_> {
    /// Counts items of a model that exists.
    pub fn count(&self, model: &Model, result: &'static str, items: usize) {
        self.predictor.metrics.count(model.name(), &self.caller.entry, result, items);
    }

    /// The predictions for what `read` gives. `room`: what was taken in the queue for it already.
    pub async fn predict(
        &self,
        room: Option<Room>,
        read: impl FnOnce() -> Result<InferRequest, Problem> + Send + 'static,
    ) -> Result<Predicted, Problem> {
        let parsed = self.parse(read).await?;
        let start = Instant::now();
        let model = Arc::clone(&parsed.model);
        let done = self.evaluate(room, parsed).await;
        if done.is_err() {
            self.predictor.stats.failed(&model, start.elapsed());
        }
        done
    }

    /// Reads the request and looks at its items, on a thread that may take its time.
    async fn parse(
        &self,
        read: impl FnOnce() -> Result<InferRequest, Problem> + Send + 'static,
    ) -> Result<Parsed, Problem> {
        let start = Instant::now();
        let (shared, source) = (Arc::clone(self.predictor), Arc::clone(self.caller.source()));
        let (name, version) = (self.model.to_owned(), self.version.map(str::to_owned));
        let parse = move || -> Result<Parsed, Problem> {
            let (input, outputs, id, binary) = read()?.only(INPUT).map_err(Problem::bad_request)?;
            let model = choose(&shared, &name, version.as_deref(), input.items.first().map_or(&[], Vec::as_slice))?;
            // The answer's form is checked before anything is evaluated for it.
            answer(&model, None, Vec::new()).check(&outputs).map_err(Problem::bad_request)?;
            let check = |item| inspect::ciphertext(&model, &shared.replays, &source, item);
            let items = input.items.into_iter().map(check).collect::<Result<Vec<_>, _>>()?;
            // The body's share of the memory was kept until here, and what is left is bounded by the queue.
            Ok(Parsed { model, items, outputs, id, binary })
        };
        let parsed = tokio::task::spawn_blocking(parse).await.map_err(|error| Problem::internal(&error))?;
        self.trace.ended("validate", start);
        parsed.inspect_err(|_| {
            // Names that a caller invents are not labels.
            if let Some(model) = self.predictor.repository.get(self.model) {
                self.count(&model, "refused", 1);
            }
        })
    }

    async fn evaluate(&self, room: Option<Room>, parsed: Parsed) -> Result<Predicted, Problem> {
        let Parsed { model, items, outputs, id, binary } = parsed;
        let (predictor, start, count) = (self.predictor, Instant::now(), items.len());
        self.trace.brings(count);
        let away = |error: QueueError| {
            self.count(&model, "turned away", count);
            turned_away(error)
        };
        let mut room = match room {
            Some(room) => room,
            None => predictor.queue.reserve(self.caller.source(), count).map_err(away)?,
        };
        room.resize(count).map_err(away)?;
        // Now that they are admitted, and before they cost anything.
        let mut slots = Vec::with_capacity(count);
        let mut ciphertexts = Vec::with_capacity(count);
        for item in items {
            let taken = item.seal.map(|seal| inspect::take(&model, &predictor.replays, &seal)).transpose();
            slots.push(taken.inspect_err(|_| self.count(&model, "refused", 1))?);
            ciphertexts.push(item.ciphertext);
        }
        let evaluation = predictor.queue.evaluate(&model, room, ciphertexts);
        let evaluated = tokio::time::timeout(predictor.options.patience, evaluation).await;
        let evaluated = evaluated.map_err(|_| {
            self.count(&model, "late", count);
            Problem::busy(5, "no answer in time; try again later")
        })?;
        let done = evaluated.map_err(away)?;
        self.note(&done);
        predictor.metrics.evaluated(&done);
        remember(slots, &done);
        predictor.stats.evaluated(&model, &done, start.elapsed());
        let answers = all(done).inspect_err(|_| self.count(&model, "failed", count))?;
        self.count(&model, "answered", count);
        Ok(Predicted { response: answer(&model, id, answers), outputs, binary })
    }

    /// Follows every item through its steps.
    fn note(&self, done: &[Done]) {
        for (item, done) in done.iter().enumerate() {
            self.trace.step("queue", done.queued, done.begun, Some(item));
            let mut start = done.begun;
            for &(step, end) in &done.steps {
                let name = match step {
                    Step::Read => "points",
                    Step::Paired => "evaluate",
                    Step::Found => "log",
                    Step::Head => "head",
                };
                self.trace.step(name, start, end, Some(item));
                start = end;
            }
        }
    }
}

/// The version that a request is for: the one that it names, or else the one that opens its first item. Where none
/// does, it is the one that is used by default, which then says what does not fit.
fn choose(predictor: &PredictorServer, name: &str, version: Option<&str>, first: &[u8]) -> Result<Arc<Model>, Problem> {
    let version = version.filter(|version| !version.is_empty());
    if version.is_some() || predictor.repository.versions(name).len() < 2 {
        return ready(predictor, name, version);
    }
    let opening = inspect::destination(first)
        .and_then(|(public_key, network)| predictor.repository.opening(name, public_key, network));
    opening.map_or_else(|| ready(predictor, name, None), valid)
}

pub fn turned_away(error: QueueError) -> Problem {
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

/// Remembers the envelopes whose ciphertexts were evaluated; the others may be sent again.
fn remember(slots: Vec<Option<Slot>>, done: &[Done]) {
    for (slot, done) in slots.into_iter().zip(done) {
        if let (Some(slot), false) = (slot, matches!(done.result, Err(PredictError::Ciphertext(_)))) {
            slot.keep();
        }
    }
}

/// All answers, or what is wrong with every item that failed.
fn all(done: Vec<Done>) -> Result<Vec<Answer>, Problem> {
    let mut answers = Vec::with_capacity(done.len());
    let mut failed = Vec::new();
    let mut worst = StatusCode::BAD_REQUEST;
    for (item, done) in done.into_iter().enumerate() {
        match done.result {
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
    let tensor = |name, shape, values| OutputTensor { name, shape, values, labels: Vec::new() };
    let labels = model.parameters().classes.clone();
    InferResponse {
        model: model.name().to_owned(),
        version: model.pin().to_string(),
        id,
        outputs: vec![
            tensor("output", vec![items, outputs], Values::Int64(output)),
            OutputTensor { labels, ..tensor("probabilities", vec![items, classes], Values::Fp32(probabilities)) },
            tensor("label", vec![items], Values::Text(label)),
        ],
    }
}
