//! The trace of a request: its identity, its subject, and the time of each step.
//!
//! A caller that traces sends `traceparent` (W3C Trace Context); its trace continues here. Other requests get their own
//! trace. A request is identified by the caller's `x-request-id`, or else by the trace; the answer repeats it.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::http::{HeaderMap, HeaderName};
use rand::Rng;

/// The caller's name for its request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// Maximum number of spans of one request; later ones count only in the times.
const MAX_SPANS: usize = 256;

/// One request on its way through the server.
#[derive(Debug)]
pub struct Trace {
    /// Of all that belongs to one cause, in every process.
    pub(super) trace: u128,
    /// Of this request here.
    pub(super) span: u64,
    /// The caller's span, if the caller traces.
    pub(super) parent: Option<u64>,
    /// Whether the caller, if it traces, wants the spans kept.
    pub(super) sampled: bool,
    /// Its name in the log.
    pub(super) request: String,
    pub(super) start: Instant,
    pub(super) began: SystemTime,
    notes: Mutex<Notes>,
}

/// Facts collected about a request while it is handled.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub model: Option<String>,
    pub items: Option<usize>,
    pub spans: Vec<Span>,
    /// Time of each step, over all items.
    pub steps: Vec<(&'static str, Duration)>,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub name: &'static str,
    pub id: u64,
    pub start: Instant,
    pub end: Instant,
    /// Of which item of the request.
    pub item: Option<usize>,
}

impl Trace {
    /// Of a request with these headers, which begins now.
    pub(super) fn begin(headers: &HeaderMap) -> Arc<Self> {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let (trace, parent, sampled) = match text(&PARENT).and_then(parse) {
            Some((trace, parent, sampled)) => (trace, Some(parent), sampled),
            None => (draw(|rng| (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64())), None, true),
        };
        let request = text(&REQUEST_ID).filter(|name| is_name(name)).map_or_else(|| hex(trace), str::to_owned);
        Arc::new(Self {
            trace,
            span: draw(Rng::next_u64),
            parent,
            sampled,
            request,
            start: Instant::now(),
            began: SystemTime::now(),
            notes: Mutex::default(),
        })
    }

    /// Outside a server, where nothing is traced.
    pub fn none() -> Arc<Self> {
        Self::begin(&HeaderMap::new())
    }

    /// The model that it is about.
    pub fn about(&self, model: &str) {
        self.notes().model = Some(model.to_owned());
    }

    /// How many items it brings.
    pub fn brings(&self, items: usize) {
        self.notes().items = Some(items);
    }

    /// A step that lasted from `start` to `end`; `item`: the item that it was for, if any.
    pub fn step(&self, name: &'static str, start: Instant, end: Instant, item: Option<usize>) {
        let id = draw(Rng::next_u64);
        let mut notes = self.notes();
        let lasted = end.saturating_duration_since(start);
        match notes.steps.iter_mut().find(|(known, _)| *known == name) {
            Some((_, time)) => *time += lasted,
            None => notes.steps.push((name, lasted)),
        }
        if notes.spans.len() < MAX_SPANS {
            notes.spans.push(Span { name, id, start, end, item });
        }
    }

    /// A step that began at `start` and ends now.
    pub fn ended(&self, name: &'static str, start: Instant) {
        self.step(name, start, Instant::now(), None);
    }

    /// The facts collected so far.
    pub(super) fn learned(&self) -> Notes {
        self.notes().clone()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Digits of a trace's number.
pub(super) fn hex(number: u128) -> String {
    let mut out = String::with_capacity(32);
    // Writing to a string cannot fail.
    let _ = write!(out, "{number:032x}");
    out
}

/// A nonzero number, because zero means none.
fn draw<T: PartialEq + Default>(next: impl Fn(&mut rand::rngs::StdRng) -> T) -> T {
    let mut rng = host::fresh_rng();
    loop {
        let drawn = next(&mut rng);
        if drawn != T::default() {
            return drawn;
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b':' | b'/' | b'='))
}

/// Trace, span and whether it is kept, of a `traceparent` of version 0 or a later one, which may go on after them.
fn parse(text: &str) -> Option<(u128, u64, bool)> {
    let mut parts = text.trim().split('-');
    let version = number(parts.next()?, 2)?;
    let (trace, parent, flags) = (number(parts.next()?, 32)?, number(parts.next()?, 16)?, number(parts.next()?, 2)?);
    if version == 0xff || (version == 0 && parts.next().is_some()) || trace == 0 || parent == 0 {
        return None;
    }
    Some((trace, parent as u64, flags & 1 == 1))
}

/// A number of exactly so many lower-case hexadecimal digits.
fn number(text: &str, digits: usize) -> Option<u128> {
    let lower = text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    if text.len() == digits && lower { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn begin(headers: &[(&'static str, &'static str)]) -> Arc<Trace> {
        let headers = headers.iter().map(|&(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Trace::begin(&headers.collect())
    }

    /// The first value is the example of W3C Trace Context, section 3.2.
    #[test]
    fn a_callers_trace_goes_on() {
        let trace = begin(&[("traceparent", TEXT), ("x-request-id", "ward-3:17")]);
        assert_eq!(hex(trace.trace), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((trace.parent, trace.sampled), (Some(0xb7ad_6b71_6920_3331), true));
        assert_eq!(trace.request, "ward-3:17");
        assert!(!parse(&TEXT.replace("-01", "-00")).unwrap().2);
        assert!(parse(&format!("{}-more", TEXT.replacen("00-", "cc-", 1))).is_some());
    }

    #[test]
    fn what_is_no_trace_gets_one_of_its_own() {
        let zero = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let bad = ["", "00", zero, &TEXT.to_uppercase(), &format!("{TEXT}-x"), &TEXT.replacen("00-", "ff-", 1)];
        assert!(bad.iter().all(|text| parse(text).is_none()));
        let [one, other] = [(); 2].map(|()| begin(&[("traceparent", "x"), ("x-request-id", "a b")]));
        assert!(one.trace != other.trace && one.parent.is_none() && one.request == hex(one.trace));
    }

    #[test]
    fn times_of_one_step_add_up() {
        let trace = Trace::none();
        let start = Instant::now();
        for item in 0..2 {
            trace.step("evaluate", start, start + Duration::from_millis(5), Some(item));
        }
        let notes = trace.learned();
        assert_eq!((notes.spans.len(), notes.steps), (2, vec![("evaluate", Duration::from_millis(10))]));
    }

    proptest! {
        #[test]
        fn no_header_panics(text in proptest::collection::vec(any::<char>(), 0..60)) {
            let _ = parse(&text.into_iter().collect::<String>());
        }
    }
}
