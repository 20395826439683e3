//! A predictor in a separate process, and clients that send requests to it repeatedly.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use service::owner::{ClientError, Connection, ConnectionOptions};

/// Name of the model.
pub const MODEL: &str = "load";

/// A predictor in a separate process.
pub struct Server {
    child: Child,
    url: String,
    admin: String,
}

impl Server {
    /// Starts it over a folder of models.
    pub fn start(models: &Path, table_bits: u32) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([
                "serve",
                "predictor",
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "127.0.0.1:0",
                "--table-bits",
                &table_bits.to_string(),
                // All clients come from this machine.
                "--connections",
                "4096",
                "--connections-per-address",
                "4096",
                "--queue-per-caller",
                "128",
                "--models",
            ])
            .arg(models)
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().context("the predictor has no stderr")?;
        let mut server = Self { child, url: String::new(), admin: String::new() };
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let mut find = |says: &str| {
            let found = lines.find_map(|line| line.strip_prefix(says).map(str::to_owned));
            found.context("the predictor did not start")
        };
        server.admin = find("health and metrics at ")?;
        server.url = find("predictor at ")?;
        std::thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap_or(&self.url)
    }

    /// Requests its health ten times a second until `end`; milliseconds of each answer, and how many failed.
    pub fn health(&self, end: Instant) -> (Vec<f64>, u64) {
        let (mut millis, mut failed) = (Vec::new(), 0);
        while Instant::now() < end {
            let start = Instant::now();
            // A new connection each time, as a probe makes it.
            let options = ConnectionOptions { url: self.admin.clone(), ..ConnectionOptions::default() };
            match Connection::new(options).and_then(|connection| connection.get(&["health"], 1 << 16)) {
                Ok(_) => millis.push(start.elapsed().as_secs_f64() * 1e3),
                Err(_) => failed += 1,
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        (millis, failed)
    }

    /// A connection to it.
    pub fn connection(&self) -> Result<Connection, ClientError> {
        Connection::new(ConnectionOptions { url: self.url.clone(), ..ConnectionOptions::default() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answers.
#[derive(Default)]
pub struct Tally {
    pub answered: AtomicU64,
    /// Refused with a time to retry.
    pub turned_away: AtomicU64,
    /// Refused without one.
    pub without_time: AtomicU64,
    pub other: AtomicU64,
    /// Milliseconds of each answer.
    pub micros: Mutex<Vec<u64>>,
}

/// When clients send requests.
#[derive(Clone, Copy)]
pub enum Pace {
    /// As soon as they have an answer.
    AtOnce,
    /// This many requests a second from a moment on, whether earlier ones were answered or not.
    Arrivals(f64, Instant),
}

/// Sends requests until the end.
pub fn client(server: &Server, items: &[Vec<u8>], next: &AtomicUsize, tally: &Tally, pace: Pace, end: Instant) {
    let Ok(connection) = server.connection() else {
        tally.other.fetch_add(1, Ordering::Relaxed);
        return;
    };
    while Instant::now() < end {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let item = &items[number % items.len()];
        if let Pace::Arrivals(per_second, start) = pace {
            let due = start + Duration::from_secs_f64(number as f64 / per_second);
            if due >= end {
                return;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let begin = Instant::now();
        let count = match connection.infer(MODEL, std::slice::from_ref(item)) {
            Ok(_) => {
                tally.micros.lock().unwrap_or_else(PoisonError::into_inner).push(begin.elapsed().as_micros() as u64);
                &tally.answered
            }
            Err(ClientError::Refused { status: 429 | 503, retry_after, .. }) => {
                if let Pace::AtOnce = pace {
                    // Clients that wait as told would not be a crowd: only a short pause.
                    std::thread::sleep(Duration::from_millis(20));
                }
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
