//! Clocks that are robust on a shared machine.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::{BenchError, OperationReport};
use crate::raw::{Coordinate, Fp, ifma::Ifma};

/// Threads and clock of one series of measurements.
pub(super) struct Clock {
    pub(super) pool: rayon::ThreadPool,
    pub(super) threads: usize,
    pub(super) runs: usize,
}

impl Clock {
    pub(super) fn new(threads: usize, runs: usize) -> Result<Self, BenchError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| BenchError::Threads { threads, reason: error.to_string() })?;
        Ok(Self { pool, threads, runs: runs.max(1) })
    }

    /// The fastest run; `prepare` is not timed.
    pub(super) fn time<P: Send, T: Send>(
        &self,
        name: &str,
        (estimate, bytes): (f64, usize),
        prepare: impl Fn() -> P + Sync,
        work: impl Fn(P) -> T + Sync,
    ) -> (OperationReport, T) {
        let once = || {
            self.pool.install(|| {
                let prepared = prepare();
                let before = field_mul_ns();
                let (cpu, wall) = (self.thread_times(), Instant::now());
                let value = work(prepared);
                let wall = wall.elapsed();
                let spent = self.thread_times().into_iter().zip(cpu);
                let spent: Vec<f64> = spent.map(|(end, start)| (end - start).as_secs_f64()).collect();
                let busiest = spent.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
                let after = field_mul_ns();
                let ms = 1e3 * if self.threads == 1 { busiest } else { wall.as_secs_f64() };
                let parallelism = spent.iter().sum::<f64>() / busiest;
                ((ms, ms * 1e6 / before.min(after), parallelism), value)
            })
        };
        let mut best = once();
        for _ in 1..self.runs {
            let next = once();
            let ((ms, muls, parallelism), (a, b, c)) = (best.0, next.0);
            best = ((ms.min(a), muls.min(b), parallelism.max(c)), next.1);
        }
        let ((ms, field_muls, parallelism), value) = best;
        let report = OperationReport {
            name: name.to_owned(),
            threads: self.threads,
            ms,
            field_muls,
            parallelism,
            estimate_field_muls: estimate / self.threads as f64,
            bytes,
        };
        (report, value)
    }
    /// CPU time of every thread so far.
    fn thread_times(&self) -> Vec<Duration> {
        self.pool.broadcast(|_| thread_time())
    }
}

/// CPU time of this thread.
pub(crate) fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Nanoseconds of CPU time of one field multiplication: the least of many batches.
pub fn field_mul_ns() -> f64 {
    let mut x = Fp::generator().x;
    let y = x;
    let batch = 2000;
    let least = (0..12)
        .map(|_| {
            let start = thread_time();
            for _ in 0..batch {
                x = x.mul_plain(&y);
            }
            thread_time() - start
        })
        .min()
        .unwrap_or_default();
    std::hint::black_box(x);
    least.as_secs_f64() * 1e9 / f64::from(batch)
}

pub(super) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|line| line.starts_with("model name"));
    let model = line.and_then(|line| line.split(':').nth(1)).map_or(std::env::consts::ARCH, str::trim);
    let vector = if Ifma::detect().is_some() { ", AVX-512 IFMA" } else { "" };
    format!("{model}{vector}")
}
