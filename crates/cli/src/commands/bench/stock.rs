//! Third-party clients: processes of Triton's Python client, over REST or gRPC.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::clients::{MODEL, Server, Tally};
use super::process;

/// The program that the processes run.
const SCRIPT: &str = include_str!("triton.py");

/// Their protocol.
#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    Rest,
    Grpc,
}

/// Processes that have sent one request, and wait to continue.
pub struct Workers(Vec<(Child, BufReader<ChildStdout>)>);

#[derive(Deserialize)]
struct Said {
    micros: Vec<u64>,
    turned_away: u64,
    other: u64,
    said: Option<String>,
}

impl Workers {
    /// Starts this many, which send the files in a folder.
    pub fn start(protocol: Protocol, count: usize, server: &Server, items: &Path) -> Result<Self> {
        let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
        let protocol = if protocol == Protocol::Grpc { "grpc" } else { "http" };
        let mut workers = Self(Vec::new());
        for _ in 0..count {
            let mut child = Command::new(&python)
                .args(["-c", SCRIPT, protocol, server.address(), MODEL])
                .arg(items)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| python.clone())?;
            let out = BufReader::new(child.stdout.take().context("no output")?);
            workers.0.push((child, out));
        }
        for (_, out) in &mut workers.0 {
            let mut line = String::new();
            out.read_line(&mut line)?;
            if line.trim() != "ready" {
                bail!(
                    "{python} could not ask the predictor by {protocol}: install tritonclient[all], or name in \
                     HALFLIGHT_PYTHON an interpreter that has it"
                );
            }
        }
        Ok(workers)
    }

    /// Seconds of processor time that they have used.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.0.iter().map(|(child, _)| process::cpu_seconds(child.id())).sum()
    }

    /// Lets all of them send requests for this long.
    pub fn ask(&mut self, length: Duration, tally: &Tally) -> Result<()> {
        for (child, _) in &mut self.0 {
            let mut input = child.stdin.take().context("no input")?;
            writeln!(input, "{}", length.as_secs_f64())?;
        }
        for (_, out) in &mut self.0 {
            let mut line = String::new();
            out.read_line(&mut line)?;
            let said: Said = serde_json::from_str(&line).context("a client ended early")?;
            if let Some(said) = said.said {
                eprintln!("{said}");
            }
            tally.answered.fetch_add(said.micros.len() as u64, Ordering::Relaxed);
            tally.turned_away.fetch_add(said.turned_away, Ordering::Relaxed);
            tally.other.fetch_add(said.other, Ordering::Relaxed);
            tally.micros.lock().unwrap_or_else(PoisonError::into_inner).extend(said.micros);
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for (child, _) in &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
