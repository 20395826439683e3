//! What `/metrics` says: its format by a strict reader, its names by those that alerts and dashboard use, and by promtool.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{BEARER, World, get, identity, image, infer, issuer, loopback, predictor, send, serve};
use service::authority::{AuthorityServer, router};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

/// Families of the text format 0.0.4: type and samples by name.
fn read(text: &str) -> BTreeMap<String, (String, Vec<(String, f64)>)> {
    let mut families: BTreeMap<String, (String, Vec<(String, f64)>)> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}: once, with words");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helped.contains(name), "{line}: no help before it");
            assert!(families.insert(name.to_owned(), (kind.to_owned(), Vec::new())).is_none(), "{line}: twice");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            current = name.to_owned();
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let (name, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = if value == "+Inf" { f64::INFINITY } else { value.parse().unwrap() };
            let (base, labels) = name.split_once('{').unwrap_or((name, "}"));
            let (kind, samples) = families.get_mut(&current).unwrap_or_else(|| panic!("{line}: of no family"));
            let suffix = base.strip_prefix(current.as_str()).unwrap_or_else(|| panic!("{line}: not of {current}"));
            let known: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(known.contains(&suffix), "{line}");
            assert!(labels.ends_with('}') && labels.matches('"').count() % 2 == 0, "{line}");
            assert!(samples.iter().all(|(other, _)| other != name), "{line}: twice");
            samples.push((name.to_owned(), value));
        }
    }
    families
}

/// Buckets grow, and the last one holds all.
fn check_histogram(samples: &[(String, f64)]) {
    let mut last = BTreeMap::new();
    for (name, value) in samples.iter().filter(|(name, _)| name.contains("_bucket{")) {
        // The bound of the bucket is a label among others.
        let (before, rest) = name.split_once("le=\"").unwrap();
        let series = format!("{before}{}", rest.split_once('"').unwrap().1);
        let smaller = last.insert(series, *value);
        assert!(smaller.is_none_or(|smaller| smaller <= *value), "{name}");
    }
    let all: f64 = last.values().sum();
    let counted: f64 = samples.iter().filter(|(name, _)| name.contains("_count")).map(|(_, value)| value).sum();
    assert_eq!(all, counted, "{samples:?}");
}

fn authority(folder: &Path) -> SocketAddr {
    let (authority, network) = issuer(folder, &identity());
    let tokens = common::tokens(folder);
    let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback());
    let post = |path: &str, body: String| send(address, "POST", path, &[BEARER], body.as_bytes());
    let key = post("/v1/projects/p/keys", format!(r#"{{"network":"{network}","holder":"h"}}"#));
    assert_eq!(key.status, 201, "{key:?}");
    let other = "00".repeat(32);
    assert_eq!(post("/v1/projects/p/keys", format!(r#"{{"network":"{other}","holder":"h"}}"#)).status, 403);
    address
}

fn texts() -> [String; 2] {
    let world = World::new();
    let address = predictor(&world, |_| ());
    assert_eq!(infer(address, "digits", &[world.encrypt(&image(1))]).status, 200);
    assert_eq!(infer(address, "digits", &[b"garbage".to_vec()]).status, 400);
    let folder = tempfile::tempdir().unwrap();
    let issuing = authority(folder.path());
    let texts = [get(address, "/metrics"), send(issuing, "GET", "/metrics", &[BEARER], b"")];
    texts.map(|reply| {
        assert_eq!((reply.status, reply.headers["content-type"].split(';').next()), (200, Some("text/plain")));
        String::from_utf8(reply.body).unwrap()
    })
}

/// Kind and samples of every metric.
type Families = BTreeMap<String, (String, Vec<(String, f64)>)>;

#[test]
fn a_strict_reader_takes_them_and_they_say_what_happened() {
    let [predicting, issuing] = texts().map(|text| read(&text));
    for families in [&predicting, &issuing] {
        for (kind, samples) in families.values() {
            if kind == "histogram" {
                check_histogram(samples);
            }
        }
        // On other systems nothing is known of the process.
        #[cfg(target_os = "linux")]
        assert!(families["process_resident_memory_bytes"].1[0].1 > 1e6);
    }
    let value = |families: &Families, name: &str| {
        let family = &families[name.split('{').next().unwrap()];
        let found = family.1.iter().find(|(found, _)| found == name);
        found.unwrap_or_else(|| panic!("{name}: {family:?}")).1
    };
    let of_predictor = |name: &str| value(&predicting, name);
    assert_eq!(of_predictor("halflight_ciphertexts_total{model=\"digits\",result=\"answered\"}"), 1.0);
    assert_eq!(of_predictor("halflight_ciphertexts_total{model=\"digits\",result=\"refused\"}"), 1.0);
    let caller = "halflight_caller_ciphertexts_total{caller=\"anonymous\",model=\"digits\",result=\"answered\"}";
    assert_eq!(of_predictor(caller), 1.0);
    assert_eq!(of_predictor("halflight_caller_requests_total{caller=\"anonymous\",outcome=\"refused\"}"), 1.0);
    assert_eq!(of_predictor("halflight_queue_limit_ciphertexts"), 128.0);
    assert_eq!(of_predictor("halflight_models_ready"), 1.0);
    let waited = &predicting["halflight_queue_wait_duration_seconds"].1;
    assert!(waited.iter().any(|(name, value)| name.ends_with("_count") && *value == 1.0));
    let steps = &predicting["halflight_evaluation_step_duration_seconds"].1;
    assert_eq!(steps.iter().filter(|(name, _)| name.contains("_sum{")).count(), 4, "points, evaluate, log, head");
    // A refusal has a time of its own: it says nothing about answers.
    let durations = &predicting["halflight_http_request_duration_seconds"].1;
    for outcome in ["answered", "refused"] {
        let name = format!(
            "halflight_http_request_duration_seconds_count{{route=\"/v2/models/{{model}}/infer\",outcome=\"{outcome}\"}}"
        );
        assert!(durations.iter().any(|(found, value)| *found == name && *value == 1.0), "{name}: {durations:?}");
    }
    let of_authority = |name: &str| value(&issuing, name);
    assert_eq!(of_authority("halflight_keys_issued_total{project=\"p\"}"), 1.0);
    assert_eq!(of_authority("halflight_keys_valid{project=\"p\"}"), 1.0);
    assert_eq!(of_authority("halflight_refusals_total"), 1.0);
    assert!(of_authority("halflight_ledger_entries") >= 4.0);
    assert_eq!(of_authority("halflight_ledger_witness_lag_entries"), 0.0);
}

#[test]
fn those_who_ask_for_open_metrics_get_it() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let accept = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")];
    let reply = send(address, "GET", "/metrics", &accept, b"");
    assert!(reply.headers["content-type"].starts_with("application/openmetrics-text"));
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE halflight_spans_dropped counter\n"), "{text}");
}

/// Names in queries, whichever words stand around them.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("halflight_") || word.starts_with("process_")).collect()
}

/// Where the names stand.
const DECLARED: [&str; 3] = [
    include_str!("../src/transport/metrics.rs"),
    include_str!("../src/predictor/metrics.rs"),
    include_str!("../src/authority/metrics.rs"),
];

/// An alert on a name that nobody gives never fires.
#[test]
fn alerts_and_dashboard_ask_for_names_that_are_there() {
    let known: BTreeSet<String> = texts()
        .iter()
        .flat_map(|text| read(text))
        .flat_map(|(name, (kind, _))| match kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"].map(|suffix| format!("{name}{suffix}")).to_vec(),
            _ => vec![name],
        })
        .collect();
    // Families are shown only once they have something to show.
    let declared = |name: &str| {
        let name = name.trim_start_matches("halflight_").trim_end_matches("_total");
        DECLARED.iter().any(|source| source.contains(&format!("\"{name}\"")))
    };
    for file in ["prometheus/rules.yml", "grafana/halflight.json"] {
        let text = std::fs::read_to_string(deploy().join(file)).unwrap();
        let asked = names(&text);
        assert!(asked.len() > 10, "{file}: {asked:?}");
        for name in asked {
            let there = known.contains(name) || declared(name);
            assert!(there, "{file}: {name}");
        }
    }
}

/// From where the other tools of the checks are, or else from the path.
fn promtool() -> Option<PathBuf> {
    let beside = std::env::var_os("HALFLIGHT_PYTHON").map(|python| Path::new(&python).with_file_name("promtool"));
    let tool = beside.filter(|path| path.is_file()).unwrap_or_else(|| "promtool".into());
    let present = Command::new(&tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !present {
        println!("skipped: there is no promtool; .ci/tools brings one");
    }
    present.then_some(tool)
}

#[test]
fn promtool_takes_metrics_and_rules() {
    let Some(tool) = promtool() else { return };
    for text in texts() {
        let mut child = Command::new(&tool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
    for (verb, file) in [("check", "rules.yml"), ("test", "rules_test.yml")] {
        let output = Command::new(&tool).args([verb, "rules"]).arg(deploy().join("prometheus").join(file)).output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
}
