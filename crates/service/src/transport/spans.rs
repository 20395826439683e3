//! Spans for an OpenTelemetry collector: OTLP over HTTP, in its JSON form, which needs only the existing client.
//!
//! Requests never wait for the collector: spans that do not fit the queue are counted and dropped.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::{Value, json};
use ureq::Agent;

use super::outcome::Outcome;
use super::trace::{Trace, hex};

/// Requests that wait to be sent.
const QUEUE: usize = 4096;
/// Requests in one message.
const BATCH: usize = 128;
/// How long a request waits for others.
const EVERY: Duration = Duration::from_secs(1);
/// Time for the collector to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where a collector takes spans, below its address.
const PATH: &str = "/v1/traces";

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

struct Exporter {
    queue: SyncSender<Value>,
    left_out: AtomicU64,
}

/// The description of a request in its span.
pub(super) struct About<'a> {
    pub method: &'a str,
    pub route: &'a str,
    pub status: u16,
    pub outcome: Outcome,
    pub caller: Option<&'a str>,
}

/// An address that is none.
#[derive(Debug, thiserror::Error)]
#[error("traces: '{0}' is not the address of a collector; write http://HOST:4318 or https://HOST:PORT")]
pub struct SpansError(String);

/// Sends the spans of all requests of this process to a collector. `service`: what this process is called there. Later
/// calls change nothing.
///
/// # Errors
/// The address is none.
pub fn init(url: &str, service: &str) -> Result<(), SpansError> {
    let wrong = || SpansError(url.chars().take(200).collect());
    let address: ureq::http::Uri = url.parse().map_err(|_| wrong())?;
    if !matches!(address.scheme_str(), Some("http" | "https")) || address.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    let base = url.trim_end_matches('/');
    let url = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
    let (queue, waiting) = sync_channel(QUEUE);
    let resource = json!({ "attributes": [
        text("service.name", service), text("service.version", env!("CARGO_PKG_VERSION")),
    ] });
    let config = Agent::config_builder().max_redirects(0).proxy(None).timeout_global(Some(PATIENCE)).build();
    let agent: Agent = config.into();
    if EXPORTER.set(Exporter { queue, left_out: AtomicU64::new(0) }).is_ok() {
        let started = std::thread::Builder::new()
            .name("spans".into())
            .spawn(move || forward(&waiting, |spans| post(&agent, &url, &resource, spans)));
        if let Err(error) = started {
            tracing::error!(%error, "no thread for spans: none are sent");
        }
    }
    Ok(())
}

/// Requests whose spans were left out because the collector was slow or away.
pub(super) fn left_out() -> Option<u64> {
    EXPORTER.get().map(|exporter| exporter.left_out.load(Ordering::Relaxed))
}

/// Sends the spans of a request that ends now, if there is a collector and the caller does not say otherwise.
pub(super) fn send<'a>(trace: &Trace, about: impl FnOnce() -> About<'a>) {
    let Some(exporter) = EXPORTER.get().filter(|_| trace.sampled) else { return };
    if exporter.queue.try_send(spans(trace, &about(), Instant::now())).is_err() {
        exporter.left_out.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends waiting spans, in batches, until the channel closes.
fn forward(waiting: &Receiver<Value>, post: impl Fn(Vec<Value>) -> Result<(), String>) {
    let mut failing = false;
    while let Ok(first) = waiting.recv() {
        let until = Instant::now() + EVERY;
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(next) => batch.push(next),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let count = batch.len() as u64;
        let sent = post(batch);
        if let Err(error) = &sent {
            if let Some(exporter) = EXPORTER.get() {
                exporter.left_out.fetch_add(count, Ordering::Relaxed);
            }
            // Once, not for every batch.
            if !failing {
                tracing::warn!(%error, "the collector refuses spans");
            }
        }
        failing = sent.is_err();
    }
}

fn post(agent: &Agent, url: &str, resource: &Value, requests: Vec<Value>) -> Result<(), String> {
    let spans: Vec<Value> =
        requests.into_iter().flat_map(|spans| spans.as_array().cloned().unwrap_or_default()).collect();
    let scope = json!({ "name": "halflight", "version": env!("CARGO_PKG_VERSION") });
    let body =
        json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "scope": scope, "spans": spans }] }] });
    let request = agent.post(url).header("content-type", "application/json");
    request.send(body.to_string().as_bytes()).map(|_| ()).map_err(|error| error.to_string())
}

/// The span of a request, and those of its steps below it.
fn spans(trace: &Trace, about: &About<'_>, end: Instant) -> Value {
    const SERVER: u8 = 2;
    const INTERNAL: u8 = 1;
    let nanos = |at: Instant| {
        let time = trace.began + at.saturating_duration_since(trace.start);
        time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
    };
    let notes = trace.learned();
    let mut attributes = vec![
        text("http.request.method", about.method),
        text("http.route", about.route),
        json!({ "key": "http.response.status_code", "value": { "intValue": about.status.to_string() } }),
        text("halflight.request", &trace.request),
        text("halflight.outcome", about.outcome.name()),
    ];
    attributes.extend(about.caller.map(|caller| text("enduser.id", caller)));
    attributes.extend(notes.model.as_deref().map(|model| text("halflight.model", model)));
    attributes.extend(notes.items.map(|items| count("halflight.items", items)));
    let mut own = json!({
        "traceId": hex(trace.trace), "spanId": format!("{:016x}", trace.span),
        "name": format!("{} {}", about.method, about.route), "kind": SERVER,
        "startTimeUnixNano": nanos(trace.start), "endTimeUnixNano": nanos(end),
        "attributes": attributes,
        // Of a server, only its own faults are errors.
        "status": if about.outcome == Outcome::Failed { json!({ "code": 2 }) } else { json!({}) },
    });
    if let Some(parent) = trace.parent {
        own["parentSpanId"] = json!(format!("{parent:016x}"));
    }
    let step = |span: &super::trace::Span| {
        json!({
            "traceId": hex(trace.trace), "spanId": format!("{:016x}", span.id),
            "parentSpanId": format!("{:016x}", trace.span), "name": span.name, "kind": INTERNAL,
            "startTimeUnixNano": nanos(span.start), "endTimeUnixNano": nanos(span.end),
            "attributes": span.item.map(|item| count("halflight.item", item)).into_iter().collect::<Vec<_>>(),
        })
    };
    let mut all = vec![own];
    all.extend(notes.spans.iter().map(step));
    Value::Array(all)
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn count(key: &str, value: usize) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn spans_lie_below_their_request() {
        let trace = Trace::none();
        trace.about("digits");
        trace.brings(2);
        let start = trace.start;
        trace.step("evaluate", start, start + Duration::from_millis(3), Some(1));
        let about = About { method: "POST", route: "/x", status: 500, outcome: Outcome::Failed, caller: Some("ward") };
        let spans = spans(&trace, &about, start + Duration::from_millis(5));
        assert_eq!(spans[0]["traceId"].as_str().unwrap().len(), 32);
        assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
        let time = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(time(&spans[1], "endTimeUnixNano") - time(&spans[1], "startTimeUnixNano"), 3_000_000);
        assert_eq!(spans[0]["status"]["code"], 2);
        assert!(spans[0].get("parentSpanId").is_none());
    }

    #[test]
    fn what_waits_is_sent_together() {
        let (queue, waiting) = sync_channel(8);
        for number in 0..3 {
            queue.send(json!([number])).unwrap();
        }
        drop(queue);
        let sent = Mutex::new(Vec::new());
        forward(&waiting, |batch| {
            sent.lock().unwrap().push(batch.len());
            Ok(())
        });
        assert_eq!(*sent.lock().unwrap(), [3]);
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for url in ["", "collector:4318", "ftp://host", "http://"] {
            assert!(init(url, "s").is_err(), "{url}");
        }
    }
}
