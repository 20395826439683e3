//! Times every family alone on synthetic outputs shaped like a defended network's: ten main
//! classes, S = 4, a weak leak with fine structure.
//!
//! `cargo run --release -p leakage --example panel_times -- 20000 10000 [family…]`

use indicatif::ProgressBar;
use leakage::{AuditOptions, Family, Observations, Scope, audit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = |at: usize, otherwise: usize| match arguments.get(at) {
        Some(text) => text.parse(),
        None => Ok(otherwise),
    };
    let (train, test) = (observe(size(0, 20_000)?, 1), observe(size(1, 10_000)?, 2));
    let named = arguments.iter().skip(2).map(|name| name.parse());
    let mut families: Vec<Family> = named.collect::<Result<_, _>>()?;
    if families.is_empty() {
        families = Family::quick();
    }
    let run = |families: Vec<Family>| -> Result<f64, Box<dyn std::error::Error>> {
        let options = AuditOptions { families, shuffled_control: false, ..AuditOptions::default() };
        let start = Instant::now();
        let report = audit(&train, &test, &options, &ProgressBar::hidden())?;
        let seconds = start.elapsed().as_secs_f64();
        for row in report.attackers.iter().filter(|r| r.scope == Scope::Pooled) {
            println!("{:>16} {:6.2} % (held out {:6.2})", row.family, row.accuracy, row.held_out);
        }
        println!("{:>16} {seconds:6.2} s", "");
        Ok(seconds)
    };
    for family in &families {
        run(vec![family.clone()])?;
    }
    println!("all together:");
    run(families)?;
    Ok(())
}

/// Per class two mixtures of eight Gaussians that share most of their components.
fn observe(items: usize, seed: u64) -> Observations {
    let mut shape = ChaCha8Rng::seed_from_u64(99);
    let normal = |rng: &mut ChaCha8Rng| {
        let (a, b): (f64, f64) = (rng.random(), rng.random());
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    };
    let centres: Vec<f64> = (0..10 * 8 * 4).map(|_| normal(&mut shape)).collect();
    let moved: Vec<f64> = centres.iter().map(|c| c + 0.25 * normal(&mut shape)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut data = Observations {
        width: 4,
        main_classes: (0..10).map(|m| m.to_string()).collect(),
        collateral_classes: vec!["cursive".into(), "serif".into()],
        ..Observations::default()
    };
    for _ in 0..items {
        let [m, c, part] = [10, 2, 8].map(|n| rng.random_range(0..n));
        let centres = if c == 0 { &centres } else { &moved };
        for axis in 0..4 {
            let centre = centres[(m * 8 + part) * 4 + axis];
            let far = if axis < 2 { 8.0 * (m as f64 * 2.4 + axis as f64).sin() } else { 0.0 };
            data.outputs.push((far + centre + 0.35 * normal(&mut rng)) as f32);
        }
        data.main.push(m as u32);
        data.collateral.push(c as u32);
    }
    data
}
