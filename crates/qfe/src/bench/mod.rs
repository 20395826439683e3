//! Measurements of every operation, as multiples of one field multiplication.
//!
//! Clocks differ and machines are shared, so each figure is also divided by the cost of one blst multiplication in the
//! 381-bit field, timed in the same process right before and after. Single-threaded figures use the thread's CPU time,
//! others the wall clock; each is the least of a few runs. The threads' CPU times show how evenly they share the work.
//! Next to each figure is the prediction of the operation counts.

mod ceremony;
mod clock;
mod error;
mod measure;
mod paper;
mod shapes;

use serde::{Deserialize, Serialize};

pub use ceremony::ceremony;
pub use error::BenchError;
pub use measure::{BenchOptions, run};
pub use paper::{PAPER, PaperFigure};
pub use shapes::{Shape, shape_names};

/// All measurements of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BenchReport {
    /// Model name of the processor.
    pub cpu: String,
    /// Threads of the many-threaded figures.
    pub threads: usize,
    /// Nanoseconds of one multiplication in the 381-bit field, by blst.
    pub field_mul_ns: f64,
    /// Whether the eight-lane vector instructions (AVX-512 IFMA) were used.
    pub vector: bool,
    /// One entry per shape.
    pub shapes: Vec<ShapeReport>,
    /// What the paper and others measured, with sources.
    pub published: Vec<PaperFigure>,
}

/// Measurements of one shape.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShapeReport {
    /// Name of the shape.
    pub name: String,
    /// Inputs of the left side.
    pub n: usize,
    /// Inputs of the right side.
    pub m: usize,
    /// Units `d`.
    pub units: usize,
    /// Outputs `S`.
    pub outputs: usize,
    /// Bits of a weight of `P` and `R`, sign included.
    pub weight_bits: f64,
    /// Measurements.
    pub operations: Vec<OperationReport>,
    /// How the function is evaluated and what was considered, for people.
    pub explain: Vec<String>,
}

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OperationReport {
    /// `setup`, `tables`, `issue`, `encrypt`, `encrypt_online`, `read`, `evaluate`
    /// (without logarithms), `dlog` (all outputs) or `batch` (read, evaluate and logarithms of many, for one of them).
    pub name: String,
    /// Threads.
    pub threads: usize,
    /// Milliseconds: of CPU time for one thread, of the wall clock for several.
    pub ms: f64,
    /// Milliseconds in field multiplications.
    pub field_muls: f64,
    /// CPU time of all threads over that of the busiest one: how well the work is split,
    /// whatever else the machine does.
    pub parallelism: f64,
    /// What the operation counts predict.
    pub estimate_field_muls: f64,
    /// Bytes of the object made or read, zero if none.
    pub bytes: usize,
}
