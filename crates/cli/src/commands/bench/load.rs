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
//! Clients share the cores with the server: `of_remaining` counts as capacity what they leave of them.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use model::CompiledNetwork;
use qfe::{Ciphertext, Evaluator};
use rayon::ThreadPoolBuilder;
use roles::Authority;

use super::clients::{MODEL, Pace, Server, Tally, client};
use super::found::{Overload, Phase, Report, Stock, Watch, text};
use super::process;
use super::stock::{Protocol, Workers};
use crate::console::Console;
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
            phase.add(watch, tally, server);
            let used = workers.cpu_seconds().zip(before).map(|(after, before)| after - before);
            phase.clients_cpu_seconds = phase.clients_cpu_seconds.zip(used).map(|(own, used)| own + used);
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
