//! Load test of a predictor: steady load below its capacity, then far above it.
//!
//! ```text
//! cargo run --release -p service --example load -- http://127.0.0.1:8481 MODEL SECONDS CIPHERTEXT...
//! ```
//!
//! Prints one JSON object: throughput and latencies with as many clients as keep every core busy, and what a crowd of
//! clients is answered. Exits with 1 if anything but predictions and clean refusals came back.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::owner::{ClientError, Connection, ConnectionOptions};

/// What one kind of load gave.
#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    turned_away: AtomicU64,
    without_time: AtomicU64,
    other: AtomicU64,
    micros: std::sync::Mutex<Vec<u64>>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, model, seconds, files @ ..] = arguments.as_slice() else {
        eprintln!("usage: load URL MODEL SECONDS CIPHERTEXT...");
        return ExitCode::FAILURE;
    };
    let seconds: u64 = seconds.parse().unwrap_or(10);
    let ciphertexts: Result<Vec<Vec<u8>>, _> = files.iter().map(std::fs::read).collect();
    let ciphertexts = match ciphertexts {
        Ok(ciphertexts) if !ciphertexts.is_empty() => ciphertexts,
        other => {
            eprintln!("no ciphertexts: {:?}", other.err());
            return ExitCode::FAILURE;
        }
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    // One request more than cores keeps every core busy while answers travel.
    let steady = run(url, model, &ciphertexts, cores + 1, Duration::from_secs(seconds));
    let crowd = run(url, model, &ciphertexts, 200, Duration::from_secs(seconds));
    let clean = steady["turned_away"] == 0 && steady["other"] == 0 && crowd["other"] == 0 && crowd["without_time"] == 0;
    println!("{:#}", json!({ "cores": cores, "steady": steady, "crowd": crowd, "clean": clean }));
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(url: &str, model: &str, ciphertexts: &[Vec<u8>], clients: usize, length: Duration) -> Value {
    let tally = Tally::default();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| client(url, model, ciphertexts, &next, &tally, start + length));
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let answered = tally.answered.load(Ordering::Relaxed);
    let mut micros = tally.micros.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    micros.sort_unstable();
    let quantile = |share: f64| {
        let index = ((micros.len() as f64 * share) as usize).min(micros.len().saturating_sub(1));
        micros.get(index).map(|&micros| micros as f64 / 1e3)
    };
    json!({
        "clients": clients,
        "seconds": seconds,
        "per_second": answered as f64 / seconds,
        "answered": answered,
        "turned_away": tally.turned_away.into_inner(),
        "without_time": tally.without_time.into_inner(),
        "other": tally.other.into_inner(),
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
    })
}

fn client(url: &str, model: &str, items: &[Vec<u8>], next: &AtomicUsize, tally: &Tally, end: Instant) {
    let options = ConnectionOptions { url: url.to_owned(), ..ConnectionOptions::default() };
    let connection = match Connection::new(options) {
        Ok(connection) => connection,
        Err(error) => {
            eprintln!("{error}");
            tally.other.fetch_add(1, Ordering::Relaxed);
            return;
        }
    };
    while Instant::now() < end {
        let item = &items[next.fetch_add(1, Ordering::Relaxed) % items.len()];
        let begin = Instant::now();
        let count = match connection.infer(model, std::slice::from_ref(item)) {
            Ok(_) => {
                let mut micros = tally.micros.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                micros.push(begin.elapsed().as_micros() as u64);
                &tally.answered
            }
            Err(ClientError::Refused { status: 429 | 503, retry_after, .. }) => {
                // A crowd that waits as told would be no crowd: a short pause only.
                std::thread::sleep(Duration::from_millis(20));
                if retry_after.is_some() { &tally.turned_away } else { &tally.without_time }
            }
            Err(error) => {
                eprintln!("{error}");
                &tally.other
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
