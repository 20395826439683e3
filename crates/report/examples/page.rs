//! Writes the report of a strong and a weak leak side by side.
//!
//! `cargo run -p halflight-report --example page -- report.html`

use host::Silent;
use leakage::{AuditOptions, AuditReport, Observations, audit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use report::{Page, Picture, Section, Table};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name the file to write")?;
    let run = |name: &str, shift: f64| -> Result<AuditReport, Box<dyn std::error::Error>> {
        let options = AuditOptions { network: name.into(), attribute: "font".into(), ..AuditOptions::default() };
        let bar = Silent;
        Ok(audit(&observe(12_000, shift, 1), &observe(8_000, shift, 2), &options, &bar)?)
    };
    let (open, closed) = (run("undefended", 1.6)?, run("defended", 0.22)?);
    let pixels: Vec<u8> = (0..28 * 28).map(|i| ((i % 28) * 9) as u8).collect();
    let pictures = (0..6).filter_map(|i| Picture::grey(&pixels, 28, 28, &format!("item {i}")));
    let table = Table::new(["step", "ms", "bytes"]).row(["encrypt", "412", "226128"]).row(["evaluate", "96", "–"]);
    let section = Section::new("Encrypted predictions")
        .text("Twenty images encrypted, evaluated and decoded; every output equals the integer network's.")
        .table(table)
        .pictures(pictures.collect());
    let page = Page::new("What the outputs reveal").report(&open).report(&closed).section(section).html();
    std::fs::write(&path, page)?;
    std::fs::write(format!("{path}.one.html"), Page::new("One network").report(&closed).html())?;
    Ok(())
}

/// Ten classes on a ring; the attribute turns each cluster into two that lie `shift` apart.
fn observe(items: usize, shift: f64, seed: u64) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || {
        let (a, b): (f64, f64) = (rng.random(), rng.random());
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    };
    let mut data = Observations {
        width: 4,
        main_classes: (0..10).map(|m| m.to_string()).collect(),
        collateral_classes: vec!["cursive".into(), "serif".into()],
        ..Observations::default()
    };
    let mut outputs: Vec<f32> = Vec::new();
    for i in 0..items {
        let (m, c) = (i % 10, i / 10 % 2);
        let angle = m as f64 * std::f64::consts::TAU / 10.0;
        let strength = shift * (0.5 + m as f64 / 9.0) * if c == 1 { 0.5 } else { -0.5 };
        outputs.extend([
            (9.0 * angle.cos() + normal()) as f32,
            (9.0 * angle.sin() + normal()) as f32,
            (strength + normal()) as f32,
            (normal() * if c == 1 { 1.0 + 0.1 * shift } else { 1.0 }) as f32,
        ]);
        data.main.push(m as u32);
        data.collateral.push(c as u32);
    }
    data.outputs = outputs.into();
    data
}
