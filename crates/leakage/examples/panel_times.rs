//! CPU time and accuracy of every family alone on synthetic outputs shaped like those of a defended network: ten main
//! classes, S = 4 integers of some 28 bits, a weak leak with fine structure.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p halflight-leakage --example panel_times -- 60000 10000 [family…]`
//! prints `family,cpu_s,accuracy`; with `--write FOLDER` it writes the rows for
//! `benches/scikit/compare.py` and stops.

use host::Silent;
use leakage::{AttackerConfig, AuditOptions, Observations, Scope, audit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size =
        |at: usize| arguments.get(at).ok_or("give the numbers of training and test items")?.parse().map_err(to_box);
    let (train, test) = (observe(size(0)?, 1), observe(size(1)?, 2));
    if arguments.get(2).is_some_and(|a| a == "--write") {
        let folder = arguments.get(3).ok_or("name a folder")?;
        write(&format!("{folder}/train"), &train)?;
        return Ok(write(&format!("{folder}/test"), &test)?);
    }
    let named = arguments.iter().skip(2).map(|name| name.parse());
    let mut families: Vec<AttackerConfig> = named.collect::<Result<_, _>>()?;
    if families.is_empty() {
        families = AttackerConfig::full();
    }
    println!("family,cpu_s,accuracy");
    for family in families {
        let options = AuditOptions {
            families: vec![family],
            vote: Vec::new(),
            shuffled_control: false,
            ..AuditOptions::default()
        };
        let start = cpu_seconds()?;
        let report = audit(&train, &test, &options, &Silent)?;
        let seconds = cpu_seconds()? - start;
        let rows = report.attackers.iter().filter(|r| r.scope == Scope::Pooled);
        rows.for_each(|row| println!("{},{seconds:.2},{:.2}", row.family, row.accuracy));
    }
    Ok(())
}

fn to_box(error: std::num::ParseIntError) -> Box<dyn Error> {
    error.into()
}

/// User and system time of this process so far, from Linux's /proc.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks =
        |at: usize| fields.get(at).ok_or("no times in /proc/self/stat")?.parse::<f64>().map_err(|e| e.to_string());
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn write(path: &str, data: &Observations) -> std::io::Result<()> {
    let values = (0..data.outputs.len()).map(|at| data.outputs.value(at) as f32);
    let rows: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    let labels = data.main.iter().zip(&data.collateral).flat_map(|(m, c)| [m, c]);
    let labels: Vec<u8> = labels.flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(format!("{path}.f32"), rows)?;
    std::fs::write(format!("{path}.u32"), labels)
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
    let mut outputs: Vec<i64> = Vec::new();
    for _ in 0..items {
        let [m, c, part] = [10, 2, 8].map(|n| rng.random_range(0..n));
        let centres = if c == 0 { &centres } else { &moved };
        for axis in 0..4 {
            let centre = centres[(m * 8 + part) * 4 + axis];
            let far = if axis < 2 { 8.0 * (m as f64 * 2.4 + axis as f64).sin() } else { 0.0 };
            outputs.push(((far + centre + 0.35 * normal(&mut rng)) * f64::from(1 << 24)).round() as i64);
        }
        data.main.push(m as u32);
        data.collateral.push(c as u32);
    }
    data.outputs = outputs.into();
    data
}
