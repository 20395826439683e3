//! The texts of `/metrics`: OpenMetrics for clients that accept it, otherwise the older Prometheus format.

use std::fmt::Write;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use super::process::Process;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counts of a registry and of this process, in the format that the headers of the request ask for.
pub(crate) fn answer(registry: &Registry, headers: &HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let open = accepted.into_iter().any(|accepted| accepted.contains("application/openmetrics-text"));
    let text = render(registry);
    match open {
        true => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        false => ([(header::CONTENT_TYPE, PLAIN)], plain(&text)).into_response(),
    }
}

/// OpenMetrics.
pub fn render(registry: &Registry) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = text::encode_registry(&mut out, registry);
    if let Some(process) = Process::read() {
        process.write(&mut out);
    }
    let _ = text::encode_eof(&mut out);
    out
}

/// The same in the text format 0.0.4, where a counter is called as its value is, and an info is a gauge.
pub fn plain(open: &str) -> String {
    let mut out = String::with_capacity(open.len());
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for line in open.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kinds.push((name, kind));
        }
    }
    let spelled = |name: &str| match kinds.iter().find(|(known, _)| *known == name) {
        Some((_, "counter")) => (format!("{name}_total"), "counter"),
        Some((_, "info")) => (format!("{name}_info"), "gauge"),
        Some((_, kind)) => (name.to_owned(), *kind),
        None => (name.to_owned(), "untyped"),
    };
    for line in open.lines() {
        let mut words = line.splitn(4, ' ');
        let written = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(help)) => writeln!(out, "# HELP {} {help}", spelled(name).0),
            (Some("#"), Some("TYPE"), Some(name), _) => {
                let (name, kind) = spelled(name);
                writeln!(out, "# TYPE {name} {kind}")
            }
            (Some("#"), ..) => Ok(()),
            _ => writeln!(out, "{line}"),
        };
        // Writing to a string cannot fail.
        let _ = written;
    }
    out
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::info::Info;

    use super::*;

    #[test]
    fn counters_and_infos_are_called_as_their_values() {
        let mut registry = Registry::with_prefix("h");
        registry.register("asked", "How many asked", Counter::<u64>::default());
        registry.register("build", "Which build", Info::new([("version", "1 # TYPE")]));
        registry.register("depth", "How deep", Gauge::<i64>::default());
        let mut open = String::new();
        text::encode(&mut open, &registry).unwrap();
        assert!(open.ends_with("# EOF\n"));
        let plain = plain(&open);
        for line in [
            "# TYPE h_asked_total counter",
            "# HELP h_asked_total How many asked.",
            "h_asked_total 0",
            "# TYPE h_build_info gauge",
            "h_build_info{version=\"1 # TYPE\"} 1",
            "# TYPE h_depth gauge",
            "h_depth 0",
        ] {
            assert!(plain.lines().any(|found| found == line), "{line}: {plain}");
        }
        assert_eq!(plain.lines().count(), 9);
    }
}
