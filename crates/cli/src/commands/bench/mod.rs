//! `halflight bench`.

mod clients;
mod found;
mod load;
mod process;
mod stock;

use anyhow::Result;
use clap::Args;
use host::Progress;
use qfe::bench::{self, BenchOptions, BenchReport, Shape, ShapeReport};
use qfe::{Subject, TimingReport};

use crate::console::{self, Console};
use load::Load;

/// Times every operation of the encryption, in milliseconds and in field multiplications.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight bench --shape paper --explain\n  \
    halflight bench --shape 65,65,64,4,4 --batch 64\n  \
    halflight bench --load compiled.safetensors --data test.safetensors --seconds 30\n  \
    halflight bench --load compiled.safetensors --data test.safetensors --triton 4")]
pub struct Bench {
    /// Shape to measure: paper, dense, ternary, three-bit, eight-bit, bilinear, sparse, or a custom one as n,m,d,S,bits
    /// (inputs of either side, units, outputs, bits of a weight); repeat for more [default: paper and dense]
    #[arg(long = "shape", value_name = "SHAPE", value_parser = parse_shape)]
    shapes: Vec<String>,
    /// Runs of every operation; the fastest counts
    #[arg(long)]
    runs: Option<usize>,
    /// Threads of the multi-threaded figures
    #[arg(long)]
    threads: Option<usize>,
    /// Also read, evaluate and search for this many ciphertexts as one batch; the figure is per ciphertext
    #[arg(long, value_name = "ITEMS", default_value_t = 0, hide_default_value = true)]
    batch: usize,
    /// Instead, test in this many runs whether time depends on secrets (dudect)
    #[arg(long, value_name = "RUNS", conflicts_with_all = ["shapes", "runs", "threads", "explain", "ceremony", "batch"])]
    timing_test: Option<usize>,
    /// Also time a whole ceremony in which five servers make a key together, all in this process
    #[arg(long)]
    ceremony: bool,
    /// Print how the function is evaluated, and the alternatives considered
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    load: Load,
}

/// A shape as written, once it has been checked.
fn parse_shape(text: &str) -> Result<String, String> {
    Shape::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl Bench {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        if let Some(runs) = self.timing_test {
            return timing_test(runs, console);
        }
        if self.load.is_wanted() {
            return self.load.run(console);
        }
        let standard = BenchOptions::default();
        let options = BenchOptions {
            shapes: if self.shapes.is_empty() { standard.shapes.clone() } else { self.shapes },
            runs: self.runs.unwrap_or(standard.runs),
            threads: self.threads.unwrap_or(standard.threads),
            batch: self.batch,
            ceremony: self.ceremony,
            ..standard
        };
        let bar = console.bar("measuring");
        let report = bench::run(&options, &bar)?;
        bar.finish_and_clear();
        console.result(&report, || text(&report, self.explain))
    }
}

fn timing_test(runs: usize, console: &Console) -> Result<()> {
    let bar = console.bar("timing");
    bar.begin(Subject::ALL.len() as u64);
    let mut reports: Vec<TimingReport> = Vec::new();
    for subject in Subject::ALL {
        reports.push(qfe::timing_test(subject, runs, 0)?);
        bar.advance(1);
    }
    bar.finish_and_clear();
    console.result(&serde_json::json!({ "timing": reports, "threshold": qfe::LEAK }), || {
        let rows = reports.iter().map(|report| {
            let verdict = if report.leak { "time depends on the secret" } else { "no dependence found" };
            [format!("{:?}", report.subject), report.runs.to_string(), format!("{:.2}", report.t), verdict.to_owned()]
        });
        console::table(["operation", "runs", "largest |t|", "verdict"], rows)
    })
}

fn text(report: &BenchReport, explain: bool) -> String {
    let lanes = if report.vector { ", eight-lane vectors" } else { "" };
    let mut text = format!(
        "{}, {} threads{lanes}, one field multiplication {:.1} ns (1 M = {:.1} ms)\n",
        report.cpu, report.threads, report.field_mul_ns, report.field_mul_ns
    );
    for shape in &report.shapes {
        text += &shape_text(report, shape);
        if explain {
            shape.explain.iter().for_each(|line| text += &format!("  {line}\n"));
        }
    }
    text
}

fn shape_text(report: &BenchReport, shape: &ShapeReport) -> String {
    let rows = shape.operations.iter().map(|operation| {
        let published = report
            .published
            .iter()
            .filter(|figure| figure.shape == shape.name && figure.operation == operation.name && operation.threads == 1)
            .map(|figure| format!("{} ms, {}", figure.ms, figure.source))
            .collect::<Vec<_>>();
        [
            operation.name.clone(),
            operation.threads.to_string(),
            format!("{:.2}", operation.ms),
            format!("{:.2}", operation.parallelism),
            format!("{:.3} M", operation.field_muls / 1e6),
            format!("{:.3} M", operation.estimate_field_muls / 1e6),
            if operation.bytes == 0 { String::new() } else { console::bytes(operation.bytes) },
            published.join("; "),
        ]
    });
    format!(
        "\n{}: n = {}, m = {}, {} units, {} outputs, weights of {:.1} bits\n{}\n",
        shape.name,
        shape.n,
        shape.m,
        shape.units,
        shape.outputs,
        shape.weight_bits,
        console::table(["operation", "threads", "ms", "split", "measured", "by counts", "size", "published"], rows)
    )
}
