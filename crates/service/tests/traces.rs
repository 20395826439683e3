//! Spans reach a collector, below the caller's own, and requests keep the names that their callers give them.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::{World, get, image, infer_body, predictor, send};
use serde_json::{Value, json};
use service::transport::init_spans;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector: the bodies that are posted to it, and their first lines.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            loop {
                let mut first = String::new();
                if reader.read_line(&mut first).unwrap_or(0) == 0 {
                    break;
                }
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let line = line.trim().to_ascii_lowercase();
                    if line.is_empty() {
                        break;
                    }
                    if let Some(value) = line.strip_prefix("content-length: ") {
                        length = value.parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let _ = tell.send((first.trim().to_owned(), serde_json::from_slice(&body).unwrap()));
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}";
                reader.get_mut().write_all(answer).unwrap();
            }
        }
    });
    (format!("http://{address}/"), told)
}

/// All spans that arrive until one is called so.
fn until(told: &Receiver<(String, Value)>, name: &str) -> Vec<Value> {
    let mut spans = Vec::new();
    while !spans.iter().any(|span: &Value| span["name"] == name) {
        let (first, body) = told.recv_timeout(Duration::from_secs(30)).expect("the collector hears nothing");
        assert_eq!(first, "POST /v1/traces HTTP/1.1");
        let resource = &body["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "halflight-predictor");
        spans.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().clone());
    }
    spans
}

#[test]
fn a_prediction_is_a_span_below_the_callers_with_its_steps_below_it() {
    let (url, told) = collector();
    init_spans(&url, "halflight-predictor").unwrap();
    let world = World::new();
    let address = predictor(&world, |_| ());
    let (body, length) = infer_body(&[world.encrypt(&image(1)), world.encrypt(&image(2))]);
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let headers = [
        ("inference-header-content-length", length.as_str()),
        ("traceparent", parent.as_str()),
        ("x-request-id", "ward-3:17"),
    ];
    let reply = send(address, "POST", "/v2/models/digits/infer", &headers, &body);
    assert_eq!((reply.status, reply.headers["x-request-id"].as_str()), (200, "ward-3:17"));
    let spans = until(&told, "POST /v2/models/{model}/infer");
    let own = spans.iter().find(|span| span["name"] == "POST /v2/models/{model}/infer").unwrap();
    assert_eq!((&own["traceId"], &own["parentSpanId"]), (&json!(TRACE), &json!(PARENT)));
    let attribute = |name: &str| {
        let found = own["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == name);
        found.unwrap_or_else(|| panic!("{name}: {own}"))["value"].clone()
    };
    assert_eq!(attribute("halflight.model")["stringValue"], "digits");
    assert_eq!(attribute("halflight.items")["intValue"], "2");
    assert_eq!(attribute("halflight.outcome")["stringValue"], "answered");
    let time = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    for (step, times) in
        [("read", 1), ("validate", 1), ("queue", 2), ("points", 2), ("evaluate", 2), ("log", 2), ("head", 2)]
    {
        let below: Vec<&Value> = spans
            .iter()
            .filter(|span| span["name"] == step && span["parentSpanId"] == own["spanId"] && span["traceId"] == TRACE)
            .collect();
        assert_eq!(below.len(), times, "{step}: {spans:#?}");
        for span in below {
            let (start, end) = (time(span, "startTimeUnixNano"), time(span, "endTimeUnixNano"));
            assert!(start <= end && start >= time(own, "startTimeUnixNano") && end <= time(own, "endTimeUnixNano"));
        }
    }
    // Who traces, but wants this one left out, is heard; the next one has a name of its own.
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    let reply = send(address, "GET", "/v2", &[("traceparent", unsampled.as_str())], b"");
    assert_eq!(reply.headers["x-request-id"], TRACE);
    let last = get(address, "/health");
    assert_eq!(last.headers["x-request-id"].len(), 32);
    assert!(until(&told, "GET /health").iter().all(|span| span["name"] != "GET /v2"));
}
