//! What a load test finds, and what is measured of each phase beside its clients.

use std::sync::PoisonError;
use std::time::Instant;

use serde::Serialize;

use super::clients::{Server, Tally};
use super::process;
use crate::console;

/// The findings.
#[derive(Serialize)]
pub struct Report {
    pub cores: usize,
    pub ciphertext_bytes: usize,
    pub validation_ms: f64,
    pub evaluation_ms: f64,
    /// Predictions a second if nothing but validation and evaluation took time.
    pub capacity: f64,
    pub steady: Phase,
    pub crowd: Phase,
    /// Predictions a second in the crowd, relative to those under steady load.
    pub crowd_to_steady: f64,
    /// Requests that arrive at a multiple of the steady rate.
    pub overload: Overload,
    /// Triton's client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triton: Option<Stock>,
    pub peak_bytes: [Option<u64>; 3],
    /// No error below capacity; above it, only predictions and refusals with a time to retry.
    pub clean: bool,
}

/// One kind of load.
#[derive(Default, Serialize)]
pub struct Phase {
    pub clients: usize,
    pub seconds: f64,
    pub answered: u64,
    pub per_second: f64,
    /// `per_second / capacity`.
    pub of_capacity: f64,
    pub efficiency: Option<f64>,
    pub server_cpu_seconds: Option<f64>,
    /// Of the clients, on the same cores.
    pub clients_cpu_seconds: Option<f64>,
    /// Of the whole machine that nobody used. What is missing in the sum, other programs took.
    pub idle_cpu_seconds: Option<f64>,
    /// `per_second`, relative to the capacity of what the clients leave of the cores.
    pub of_remaining: Option<f64>,
    pub turned_away: u64,
    pub without_time: u64,
    pub other: u64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub health: Health,
    /// Of each answer.
    #[serde(skip)]
    pub micros: Vec<u64>,
}

/// More requests than can be answered, and their outcome.
#[derive(Serialize)]
pub struct Overload {
    /// The multiple of the steady rate.
    pub factor: f64,
    pub arrivals_per_second: f64,
    #[serde(flatten)]
    pub phase: Phase,
    /// Predictions a second, relative to those under steady load.
    pub goodput: f64,
    pub peak_bytes: Option<u64>,
}

/// Triton's client over both protocols.
#[derive(Serialize)]
pub struct Stock {
    pub rest: Phase,
    pub grpc: Phase,
    /// Predictions a second over gRPC, in those over REST.
    pub grpc_to_rest: f64,
    /// Processor time of the server for one answer over gRPC, in that over REST.
    pub grpc_to_rest_cpu: Option<f64>,
}

/// How long `/health` took meanwhile, at a separate address.
#[derive(Default, Serialize)]
pub struct Health {
    pub asked: usize,
    pub failed: u64,
    pub p99_ms: Option<f64>,
    pub worst_ms: Option<f64>,
    #[serde(skip)]
    pub millis: Vec<f64>,
}

impl Phase {
    /// Compares with the throughput of the cores if one answer took `each` seconds of one core.
    pub fn judge(&mut self, each: f64, cores: usize) {
        self.of_capacity = self.per_second * each / cores as f64;
        let left = self.clients_cpu_seconds.map(|used| cores as f64 * self.seconds - used);
        self.of_remaining = left.filter(|&left| left > 0.0).map(|left| self.answered as f64 * each / left);
        let used = self.server_cpu_seconds.filter(|&used| used > 0.0);
        self.efficiency = used.map(|used| self.answered as f64 * each / used);
    }

    /// Takes in one more stretch of the same load.
    pub fn add(&mut self, watch: Watch, tally: Tally, server: &Server) {
        let add = |before: Option<f64>, now: Option<f64>, sum: &mut Option<f64>| {
            *sum = now.zip(before).map(|(now, before)| now - before + sum.unwrap_or(0.0));
        };
        add(watch.cpu, process::cpu_seconds(server.id()), &mut self.server_cpu_seconds);
        add(watch.own_cpu, process::cpu_seconds(std::process::id()), &mut self.clients_cpu_seconds);
        add(watch.idle, process::idle_seconds(), &mut self.idle_cpu_seconds);
        self.seconds += watch.start.elapsed().as_secs_f64();
        self.answered += tally.answered.into_inner();
        self.turned_away += tally.turned_away.into_inner();
        self.without_time += tally.without_time.into_inner();
        self.other += tally.other.into_inner();
        self.per_second = self.answered as f64 / self.seconds;
        self.micros.extend(tally.micros.into_inner().unwrap_or_else(PoisonError::into_inner));
        self.micros.sort_unstable();
        let quantile = |share: f64| {
            let index = ((self.micros.len() as f64 * share) as usize).min(self.micros.len().saturating_sub(1));
            self.micros.get(index).map(|&micros| micros as f64 / 1e3)
        };
        (self.p50_ms, self.p99_ms) = (quantile(0.5), quantile(0.99));
        self.health.add(watch.health, watch.failed);
    }
}

/// What is measured beside the clients.
pub struct Watch {
    pub start: Instant,
    pub cpu: Option<f64>,
    /// Of this process: its clients and the probes.
    pub own_cpu: Option<f64>,
    pub idle: Option<f64>,
    pub health: Vec<f64>,
    pub failed: u64,
}

impl Watch {
    pub fn begin(server: &Server) -> Self {
        let (cpu, own_cpu) = (process::cpu_seconds(server.id()), process::cpu_seconds(std::process::id()));
        Self { cpu, own_cpu, idle: process::idle_seconds(), start: Instant::now(), health: Vec::new(), failed: 0 }
    }

    pub fn health(&mut self, server: &Server, end: Instant) {
        (self.health, self.failed) = server.health(end);
    }
}

impl Health {
    fn add(&mut self, millis: Vec<f64>, failed: u64) {
        self.millis.extend(millis);
        self.millis.sort_by(f64::total_cmp);
        self.failed += failed;
        self.asked = self.millis.len() + self.failed as usize;
        self.p99_ms = self.millis.get((self.millis.len() as f64 * 0.99) as usize).copied();
        self.worst_ms = self.millis.last().copied();
    }
}

pub fn text(report: &Report) -> String {
    let ms = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
    let percent = |share: Option<f64>| share.map_or_else(|| "?".to_owned(), |share| format!("{:.0} %", 100.0 * share));
    let row = |name: &str, phase: &Phase| {
        [
            name.to_owned(),
            phase.clients.to_string(),
            phase.answered.to_string(),
            format!("{:.2}", phase.per_second),
            format!("{:.0} %", 100.0 * phase.of_capacity),
            percent(phase.of_remaining),
            percent(phase.efficiency),
            phase.turned_away.to_string(),
            (phase.without_time + phase.other).to_string(),
            format!("{} / {}", ms(phase.p50_ms), ms(phase.p99_ms)),
        ]
    };
    let header = [
        "load",
        "clients",
        "answers",
        "per s",
        "of capacity",
        "beside clients",
        "of CPU",
        "turned away",
        "errors",
        "p50 / p99 ms",
    ];
    let [idle, steady, crowd] = report.peak_bytes;
    let peaks = [idle, steady, crowd, report.overload.peak_bytes]
        .map(|peak| peak.map_or_else(|| "?".to_owned(), |peak| console::bytes(peak as usize)));
    let mut rows = vec![row("steady", &report.steady)];
    if let Some(stock) = &report.triton {
        rows.extend([row("Triton, REST", &stock.rest), row("Triton, gRPC", &stock.grpc)]);
    }
    rows.extend([
        row("crowd", &report.crowd),
        row(&format!("{} times", report.overload.factor), &report.overload.phase),
    ]);
    format!(
        "validation {:.1} ms, evaluation {:.1} ms on one thread; capacity of {} cores {:.2} per second\n{}\n\
         the crowd gets {:.0} % of the predictions of the steady load; health took at most {} ms, {} ms in the crowd\n\
         of {:.0} arrivals a second, as many are answered as {:.0} % of the steady load; health took at most {} ms\n\
         memory at most: {} idle, {} under steady load, {} in the crowd, {} in the end",
        report.validation_ms,
        report.evaluation_ms,
        report.cores,
        report.capacity,
        console::table(header, rows),
        100.0 * report.crowd_to_steady,
        ms(report.steady.health.worst_ms),
        ms(report.crowd.health.worst_ms),
        report.overload.arrivals_per_second,
        100.0 * report.overload.goodput,
        ms(report.overload.phase.health.worst_ms),
        peaks[0],
        peaks[1],
        peaks[2],
        peaks[3]
    )
}
