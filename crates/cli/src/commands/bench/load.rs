//! `halflight bench --load`: how much load a predictor can bear, and what it does beyond that.
//!
//! A predictor is started as a process of its own on loopback. A few clients keep every core busy, then a crowd comes.
//! Last, requests arrive at a fixed multiple of the rate that the few clients got, whether earlier ones are answered or
//! not.
//! With `--triton`, processes of Triton's client ask as well, over REST and over gRPC: in two rounds, the second the other
//! way round, so that what changes on the machine meanwhile falls on both.
//!
//! Before and after the steady load, one thread validates and evaluates ciphertexts: by the mean of both,
//! `cores / (validation + evaluation)` is the capacity. On a machine that others use too, processor time says what wall
//! time cannot: `efficiency` is the processor time that the answers are worth, by that mean, in that of the whole server.
//! Triton's client shares the cores with the server: `of_remaining` counts as capacity what it leaves of them.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use model::CompiledNetwork;
use qfe::{Ciphertext, Evaluator};
use rayon::ThreadPoolBuilder;
use roles::Authority;
use serde::Serialize;

use super::clients::{MODEL, Pace, Server, Tally, client};
use super::process;
use super::stock::{Protocol, Workers};
use crate::console::{self, Console};
use crate::{files, keys};

/// Ciphertexts that are sent repeatedly.
const CIPHERTEXTS: usize = 16;
/// Runs of the measurement of one evaluation.
const RUNS: usize = 3;

/// A load test of a predictor.
#[derive(Args)]
#[command(next_help_heading = "Load test of a predictor")]
pub struct Load {
    /// Instead, load a predictor of this compiled network, below and above its capacity
    #[arg(long, value_name = "NETWORK", requires = "data",
          conflicts_with_all = ["shapes", "runs", "threads", "explain", "timing_test"])]
    load: Option<PathBuf>,
    /// Data set whose first items are sent
    #[arg(long, value_name = "FILE", requires = "load")]
    data: Option<PathBuf>,
    /// Seconds of each kind of load
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Clients of the crowd
    #[arg(long, default_value_t = 200)]
    crowd: usize,
    /// In the last phase requests arrive this many times as fast as they were answered under steady load
    #[arg(long, default_value_t = 4.0, value_name = "FACTOR")]
    overload: f64,
    /// Also send requests from this many processes of Triton's Python client, over REST and over gRPC. HALFLIGHT_PYTHON
    /// names an interpreter that has tritonclient
    #[arg(long, value_name = "CLIENTS", default_value_t = 0, hide_default_value = true, requires = "load")]
    triton: usize,
}

/// The findings.
#[derive(Serialize)]
struct Report {
    cores: usize,
    ciphertext_bytes: usize,
    validation_ms: f64,
    evaluation_ms: f64,
    /// Predictions a second if nothing but validation and evaluation took time.
    capacity: f64,
    steady: Phase,
    crowd: Phase,
    /// Predictions a second in the crowd, relative to those under steady load.
    crowd_to_steady: f64,
    /// Requests that arrive at a multiple of the steady rate.
    overload: Overload,
    /// Triton's client.
    #[serde(skip_serializing_if = "Option::is_none")]
    triton: Option<Stock>,
    peak_bytes: [Option<u64>; 3],
    /// No error below capacity; above it, only predictions and refusals with a time to retry.
    clean: bool,
}

/// One kind of load.
#[derive(Default, Serialize)]
struct Phase {
    clients: usize,
    seconds: f64,
    answered: u64,
    per_second: f64,
    /// `per_second / capacity`.
    of_capacity: f64,
    efficiency: Option<f64>,
    server_cpu_seconds: Option<f64>,
    /// Of third-party clients on the same cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    clients_cpu_seconds: Option<f64>,
    /// `per_second`, relative to the capacity of what such clients leave of the cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_remaining: Option<f64>,
    turned_away: u64,
    without_time: u64,
    other: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    health: Health,
    /// Of each answer.
    #[serde(skip)]
    micros: Vec<u64>,
}

/// More requests than can be answered, and their outcome.
#[derive(Serialize)]
struct Overload {
    /// The multiple of the steady rate.
    factor: f64,
    arrivals_per_second: f64,
    #[serde(flatten)]
    phase: Phase,
    /// Predictions a second, relative to those under steady load.
    goodput: f64,
    peak_bytes: Option<u64>,
}

/// Triton's client over both protocols.
#[derive(Serialize)]
struct Stock {
    rest: Phase,
    grpc: Phase,
    /// Predictions a second over gRPC, in those over REST.
    grpc_to_rest: f64,
    /// Processor time of the server for one answer over gRPC, in that over REST.
    grpc_to_rest_cpu: Option<f64>,
}

/// How long `/health` took meanwhile, at a separate address.
#[derive(Default, Serialize)]
struct Health {
    asked: usize,
    failed: u64,
    p99_ms: Option<f64>,
    worst_ms: Option<f64>,
    #[serde(skip)]
    millis: Vec<f64>,
}

impl Load {
    /// Whether it was requested.
    pub fn is_wanted(&self) -> bool {
        self.load.is_some()
    }

    /// Runs the test.
    pub fn run(&self, console: &Console) -> Result<()> {
        let (Some(network_path), Some(data_path)) = (&self.load, &self.data) else {
            bail!("--load and --data name what to send");
        };
        let network = CompiledNetwork::load(network_path)?;
        let data = Dataset::load(data_path)?;
        let models = tempfile::tempdir()?;
        let bench =
            Bench::prepare(&network, &data, models.path(), console).with_context(|| data_path.display().to_string())?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        console.step("one thread alone");
        let before = bench.measure()?;
        let server = Server::start(models.path(), bench.table_bits)?;
        let length = Duration::from_secs(self.seconds.max(1));
        let mut peak_bytes = [process::peak_bytes(server.id()); 3];
        console.step("steady load");
        // Two requests for each core: one in evaluation, one in transit.
        let mut steady = bench.phase(&server, 2 * cores, None, length);
        let mut triton = if self.triton > 0 { Some(bench.stock(&server, self.triton, length, console)?) } else { None };
        peak_bytes[1] = process::peak_bytes(server.id());
        console.step("one thread alone");
        let after = bench.measure()?;
        console.step("a crowd");
        let mut crowd = bench.phase(&server, self.crowd, None, length);
        peak_bytes[2] = process::peak_bytes(server.id());
        console.step("more than it can bear");
        let arrivals = self.overload * steady.per_second;
        let mut phase = bench.phase(&server, self.crowd, Some(arrivals), length);
        let overload_peak = process::peak_bytes(server.id());
        let answers_again = server.connection()?.infer(MODEL, &bench.ciphertexts[..1]).is_ok();
        let (validation_ms, evaluation_ms) = ((before.0 + after.0) / 2.0, (before.1 + after.1) / 2.0);
        let each = (validation_ms + evaluation_ms) / 1e3;
        [&mut steady, &mut crowd, &mut phase].into_iter().for_each(|phase| phase.judge(each, cores));
        for phase in triton.iter_mut().flat_map(|stock| [&mut stock.rest, &mut stock.grpc]) {
            phase.judge(each, cores);
        }
        let stock: u64 = triton.iter().flat_map(|stock| [&stock.rest, &stock.grpc]).map(|phase| phase.other).sum();
        let beyond: u64 = [&crowd, &phase].iter().map(|phase| phase.without_time + phase.other).sum();
        let refused = steady.turned_away + steady.without_time + steady.other + beyond + stock;
        let unwell = steady.health.failed + crowd.health.failed + phase.health.failed;
        let in_steady =
            |phase: &Phase| if steady.per_second > 0.0 { phase.per_second / steady.per_second } else { 0.0 };
        let overload = Overload {
            factor: self.overload,
            arrivals_per_second: arrivals,
            goodput: in_steady(&phase),
            phase,
            peak_bytes: overload_peak,
        };
        let report = Report {
            cores,
            ciphertext_bytes: bench.ciphertexts[0].len(),
            validation_ms,
            evaluation_ms,
            capacity: cores as f64 / each,
            crowd_to_steady: in_steady(&crowd),
            overload,
            triton,
            steady,
            crowd,
            peak_bytes,
            clean: refused == 0 && answers_again && unwell == 0,
        };
        console.result(&report, || text(&report))?;
        if report.clean { Ok(()) } else { bail!("the predictor gave unexpected answers") }
    }
}

impl Phase {
    /// Compares with the throughput of the cores if one answer took `each` seconds of one core.
    fn judge(&mut self, each: f64, cores: usize) {
        self.of_capacity = self.per_second * each / cores as f64;
        let left = self.clients_cpu_seconds.map(|used| cores as f64 * self.seconds - used);
        self.of_remaining = left.filter(|&left| left > 0.0).map(|left| self.answered as f64 * each / left);
        let used = self.server_cpu_seconds.filter(|&used| used > 0.0);
        self.efficiency = used.map(|used| self.answered as f64 * each / used);
    }
}

/// The requests, and the model that opens them.
struct Bench {
    ciphertexts: Vec<Vec<u8>>,
    evaluator: Evaluator,
    table_bits: u32,
}

impl Bench {
    /// Draws keys, writes the model, encrypts, and measures.
    fn prepare(network: &CompiledNetwork, data: &Dataset, models: &Path, console: &Console) -> Result<Self> {
        console.step("keys and ciphertexts");
        let authority = Authority::setup(network.encoder().clone())?;
        let owner = keys::owner(authority.published(), None, console)?;
        let encrypt = |item: usize| -> Result<Vec<u8>> { Ok(owner.encrypt(data.image(item))?.to_bytes()) };
        let ciphertexts = (0..data.len().min(CIPHERTEXTS)).map(encrypt).collect::<Result<Vec<_>>>()?;
        if ciphertexts.is_empty() {
            bail!("no items to send");
        }
        let key = authority.issue(network)?;
        let folder = models.join(MODEL);
        std::fs::create_dir(&folder)?;
        network.save(&folder.join("network.safetensors"))?;
        files::write(&folder.join("functional.key"), &key.to_bytes())?;

        let table_bits = roles::table_bits([network]);
        let evaluator = Evaluator::new(&key, keys::log_table([network], None, console)?, network.bounds())?;
        Ok(Self { ciphertexts, evaluator, table_bits })
    }

    /// Milliseconds of one validation and one evaluation on one thread, in processor time if the system reports it.
    fn measure(&self) -> Result<(f64, f64)> {
        let alone = ThreadPoolBuilder::new().num_threads(1).build()?;
        alone.install(|| measure(&self.evaluator, &self.ciphertexts))
    }

    /// `arrivals`: how many requests a second arrive, if they do not wait for answers.
    fn phase(&self, server: &Server, clients: usize, arrivals: Option<f64>, length: Duration) -> Phase {
        let (tally, next) = (Tally::default(), AtomicUsize::new(0));
        let mut watch = Watch::begin(server);
        let (start, end) = (watch.start, watch.start + length);
        let pace = arrivals.filter(|&rate| rate > 0.0).map_or(Pace::AtOnce, |rate| Pace::Arrivals(rate, start));
        std::thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| client(server, &self.ciphertexts, &next, &tally, pace, end));
            }
            watch.health(server, end);
        });
        let mut phase = Phase { clients, ..Phase::default() };
        phase.add(watch, tally, server);
        phase
    }

    /// Triton's client, over REST, gRPC, gRPC and REST.
    fn stock(&self, server: &Server, clients: usize, length: Duration, console: &Console) -> Result<Stock> {
        let items = tempfile::tempdir()?;
        for (number, item) in self.ciphertexts.iter().enumerate() {
            files::write(&items.path().join(format!("{number:02}")), item)?;
        }
        let [mut rest, mut grpc] = [(); 2].map(|()| Phase { clients, ..Phase::default() });
        for protocol in [Protocol::Rest, Protocol::Grpc, Protocol::Grpc, Protocol::Rest] {
            let (name, phase) = match protocol {
                Protocol::Rest => ("REST", &mut rest),
                Protocol::Grpc => ("gRPC", &mut grpc),
            };
            console.step(&format!("Triton's client over {name}"));
            let mut workers = Workers::start(protocol, clients, server, items.path())?;
            let (tally, mut watch) = (Tally::default(), Watch::begin(server));
            let before = workers.cpu_seconds();
            std::thread::scope(|scope| {
                let asking = scope.spawn(|| workers.ask(length, &tally));
                watch.health(server, watch.start + length);
                asking.join().unwrap_or_else(|_| bail!("a client could not be asked"))
            })?;
            let used = workers.cpu_seconds().zip(before).map(|(after, before)| after - before);
            phase.clients_cpu_seconds = used.map(|used| used + phase.clients_cpu_seconds.unwrap_or(0.0));
            phase.add(watch, tally, server);
        }
        let each = |phase: &Phase| phase.server_cpu_seconds.map(|used| used / phase.answered.max(1) as f64);
        let share = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        Ok(Stock {
            grpc_to_rest: share(grpc.per_second, rest.per_second),
            grpc_to_rest_cpu: each(&grpc).zip(each(&rest)).map(|(grpc, rest)| share(grpc, rest)),
            rest,
            grpc,
        })
    }
}

/// What is measured beside the clients.
struct Watch {
    start: Instant,
    cpu: Option<f64>,
    health: Vec<f64>,
    failed: u64,
}

impl Watch {
    fn begin(server: &Server) -> Self {
        Self { cpu: process::cpu_seconds(server.id()), start: Instant::now(), health: Vec::new(), failed: 0 }
    }

    fn health(&mut self, server: &Server, end: Instant) {
        (self.health, self.failed) = server.health(end);
    }
}

impl Phase {
    /// Takes in one more stretch of the same load.
    fn add(&mut self, watch: Watch, tally: Tally, server: &Server) {
        let used = watch.cpu.and_then(|before| Some(process::cpu_seconds(server.id())? - before));
        self.server_cpu_seconds = used.map(|used| used + self.server_cpu_seconds.unwrap_or(0.0));
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

/// Milliseconds of one validation and one evaluation: the smallest mean of a few runs.
fn measure(evaluator: &Evaluator, ciphertexts: &[Vec<u8>]) -> Result<(f64, f64)> {
    let mut least = (f64::INFINITY, f64::INFINITY);
    let epoch = Instant::now();
    let now = || process::thread_seconds().unwrap_or_else(|| epoch.elapsed().as_secs_f64());
    for _ in 0..RUNS {
        let start = now();
        let read = ciphertexts.iter().map(|bytes| Ciphertext::from_bytes(bytes)).collect::<Result<Vec<_>, _>>()?;
        let middle = now();
        for ciphertext in &read {
            evaluator.evaluate(ciphertext)?;
        }
        let count = ciphertexts.len() as f64;
        least.0 = f64::min(least.0, 1e3 * (middle - start) / count);
        least.1 = f64::min(least.1, 1e3 * (now() - middle) / count);
    }
    Ok(least)
}

fn text(report: &Report) -> String {
    let ms = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
    let row = |name: &str, phase: &Phase| {
        [
            name.to_owned(),
            phase.clients.to_string(),
            phase.answered.to_string(),
            format!("{:.2}", phase.per_second),
            format!("{:.0} %", 100.0 * phase.of_capacity),
            phase.efficiency.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share)),
            phase.turned_away.to_string(),
            (phase.without_time + phase.other).to_string(),
            format!("{} / {}", ms(phase.p50_ms), ms(phase.p99_ms)),
        ]
    };
    let header =
        ["load", "clients", "answers", "per s", "of capacity", "of CPU", "turned away", "errors", "p50 / p99 ms"];
    let percent = |share: Option<f64>| share.map_or_else(|| "?".to_owned(), |share| format!("{:.0} %", 100.0 * share));
    let beside = report.triton.as_ref().map_or_else(String::new, |stock| {
        let [rest, grpc] = [&stock.rest, &stock.grpc].map(|phase| percent(phase.of_remaining));
        format!("\nof what Triton's clients leave of the cores, answers over REST take {rest}, over gRPC {grpc}")
    });
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
        "validation {:.1} ms, evaluation {:.1} ms on one thread; capacity of {} cores {:.2} per second\n{}{beside}\n\
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
