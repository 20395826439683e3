//! Prints the measurements of the library as JSON.
//!
//! `cargo run --release -p halflight-qfe --example figures -- [--scalar] [--one-thread] [--batch] [shape …]`

use host::Silent;
use qfe::bench::{BenchOptions, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = BenchOptions::default();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut take = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name);
        place.map(|place| arguments.remove(place)).is_some()
    };
    options.vector = !take("--scalar");
    if take("--one-thread") {
        options.threads = 1;
    }
    if take("--batch") {
        options.batch = 64;
    }
    if !arguments.is_empty() {
        options.shapes = arguments;
    }
    let report = run(&options, &Silent)?;
    println!("{} · {} threads · field multiplication {:.1} ns", report.cpu, report.threads, report.field_mul_ns);
    for shape in &report.shapes {
        println!("{}: n={} m={} d={} S={}", shape.name, shape.n, shape.m, shape.units, shape.outputs);
        for line in &shape.explain {
            println!("  {line}");
        }
        for op in &shape.operations {
            println!(
                "  {:15} {} thread(s) {:9.2} ms, split {:4.2}, {:8.3} M field muls (estimate {:8.3} M) {} bytes",
                op.name,
                op.threads,
                op.ms,
                op.parallelism,
                op.field_muls / 1e6,
                op.estimate_field_muls / 1e6,
                op.bytes
            );
        }
    }
    Ok(())
}
