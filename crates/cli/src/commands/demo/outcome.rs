//! The findings of the demo, as the JSON contract and as the table at the end.

use std::fmt;
use std::path::{Path, PathBuf};

use leakage::Finding;
use leakage::certificate::Certificate;
use serde::Serialize;

use super::clock::{Clock, Step};
use super::trained::Trained;
use crate::commands::audit::finding;
use crate::console;

/// The results under encryption.
pub struct Scene {
    /// Ciphertexts evaluated.
    pub images: usize,
    /// Those with any output other than the integer network's.
    pub mismatches: usize,
    /// Those predicted correctly.
    pub right: usize,
}

/// Everything that the demo prints.
#[derive(Serialize)]
pub struct Outcome {
    networks: Vec<Row>,
    /// In order of time.
    pub steps: Vec<Step>,
    report: PathBuf,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    data: &'static str,
    outputs: usize,
    units: usize,
    inputs: (usize, usize),
    main_accuracy_float: f64,
    main_accuracy_integer: f64,
    encrypted: Encrypted,
    attribute: String,
    strongest: Finding,
    /// Bound for every attacker, over all items, percent; absent without noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate>,
}

#[derive(Serialize)]
struct Encrypted {
    images: usize,
    mismatches: usize,
    accuracy: f64,
}

impl Outcome {
    /// One row per network with its results under encryption.
    pub fn new(networks: &[Trained], scenes: &[Scene], clock: Clock, report: &Path) -> Self {
        let row = |(trained, scene): (&Trained, &Scene)| Row {
            name: trained.name,
            data: trained.data,
            outputs: trained.network.outputs(),
            units: trained.network.units(),
            inputs: trained.network.inputs(),
            main_accuracy_float: trained.accuracy_float,
            main_accuracy_integer: trained.accuracy_integer,
            encrypted: Encrypted {
                images: scene.images,
                mismatches: scene.mismatches,
                accuracy: 100.0 * scene.right as f64 / scene.images.max(1) as f64,
            },
            attribute: trained.audit.attribute.clone(),
            strongest: trained.audit.strongest.clone(),
            certificate: trained.certificate.clone(),
        };
        let networks = networks.iter().zip(scenes).map(row).collect();
        Self { networks, steps: clock.steps(), report: report.to_owned() }
    }

    /// Header and rows of the table of networks.
    pub fn table(&self) -> ([&'static str; 8], Vec<[String; 8]>) {
        let header = [
            "network",
            "data",
            "main %, float",
            "main %, integer",
            "encrypted: images, mismatches",
            "right under encryption",
            "strongest attacker on the collateral attribute",
            "proved for every attacker",
        ];
        let row = |row: &Row| {
            [
                row.name.to_owned(),
                row.data.to_owned(),
                format!("{:.2}", row.main_accuracy_float),
                format!("{:.2}", row.main_accuracy_integer),
                format!("{}, {}", row.encrypted.images, row.encrypted.mismatches),
                format!("{:.0} %", row.encrypted.accuracy),
                format!("{}: {}", row.attribute, finding(&row.strongest)),
                row.certificate.as_ref().map_or("nothing".into(), proved),
            ]
        };
        (header, self.networks.iter().map(row).collect())
    }

    /// Header and rows of the table of steps.
    pub fn timings(&self) -> ([&'static str; 3], Vec<[String; 3]>) {
        let bytes = |step: &Step| if step.bytes == 0 { String::new() } else { console::bytes(step.bytes) };
        let row = |step: &Step| [step.name.clone(), format!("{:.0}", step.ms), bytes(step)];
        (["step", "ms", "size"], self.steps.iter().map(row).collect())
    }
}

/// Bounds are never rounded down.
fn proved(certificate: &Certificate) -> String {
    let above = |bound: f64| (10.0 * bound).ceil() / 10.0;
    let worst = certificate.classes.iter().map(|class| class.bound).fold(0.0, f64::max);
    format!("at most {:.1} %, {:.1} % within one digit", above(certificate.pooled.bound), above(worst))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, rows) = self.timings();
        writeln!(f, "{}\n", console::table(header, rows))?;
        let (header, rows) = self.table();
        writeln!(f, "{}\n", console::table(header, rows))?;
        write!(f, "The whole audit, with pictures: {}", self.report.display())
    }
}
