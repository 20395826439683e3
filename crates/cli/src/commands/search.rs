//! `halflight train --search`: which network to take.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use experiments::search::{Found, Front, Point, Search, Setting, Space};
use serde::Serialize;
use training::{Precision, TrainOptions};

use super::matching;
use crate::console::{self, Console};
use crate::files;

/// Values to combine; if none are given, the value of the training alone.
#[derive(Args)]
#[command(next_help_heading = "Search")]
pub struct Arguments {
    /// Train every combination below and draw the Pareto front of accuracy, leak and cost; `--out` names a folder that
    /// keeps every network, so that a stopped search resumes
    #[arg(long, requires = "attackers")]
    search: bool,
    /// Data set that attackers learn from, which no network sees; they are scored on the validation data
    #[arg(long, value_name = "FILE")]
    attackers: Option<PathBuf>,
    /// Outputs S
    #[arg(long, value_delimiter = ',', value_name = "S")]
    search_outputs: Vec<usize>,
    /// Units d
    #[arg(long, value_delimiter = ',', value_name = "UNITS")]
    search_units: Vec<usize>,
    /// Weights of the defence
    #[arg(long, value_delimiter = ',', value_name = "WEIGHT")]
    search_weight: Vec<f32>,
    /// Noise under encryption, as fractions of each output's deviation
    #[arg(long, value_delimiter = ',', value_name = "SHARE")]
    search_noise: Vec<f32>,
    /// Precisions P,R/D/inputs in bits
    #[arg(long, value_delimiter = ',', value_name = "BITS/BITS/BITS", default_value = "4/5/4")]
    search_bits: Vec<String>,
    /// Gradient steps of each compilation
    #[arg(long, value_name = "STEPS", default_value_t = 2500)]
    search_compile_steps: usize,
}

/// The result of a search.
#[derive(Serialize)]
struct Outcome<'a> {
    folder: &'a Path,
    page: PathBuf,
    points: &'a [Found],
}

impl Arguments {
    /// Whether to search at all.
    pub fn asked(&self) -> bool {
        self.search
    }

    /// Visits every combination and writes `front.html` and `front.json`.
    pub fn run(
        self,
        options: TrainOptions,
        (train, path): (&Dataset, &Path),
        validation: &Dataset,
        folder: &Path,
        console: &Console,
    ) -> Result<()> {
        let file = self.attackers.as_deref().context("--search needs --attackers, a data set that no network sees")?;
        if options.collateral.is_empty() {
            bail!("--search measures a leak: name the label that outputs must not reveal with --collateral");
        }
        let points = self.space()?.points(&Point::of(&options));
        let attackers = Dataset::load(file)?;
        let labels = std::iter::once(&options.main).chain(&options.collateral);
        matching::pair((path, train), (file, &attackers), labels)?;
        let compile_steps = self.search_compile_steps;
        let setting = Setting { train, validation, attackers: &attackers, options, compile_steps, folder };
        let search = Search::open(setting)?;
        let mut found = Vec::new();
        for (number, point) in points.iter().enumerate() {
            console.step(&format!("point {} of {}: {}", number + 1, points.len(), point.name()));
            found.push(search.visit(point, &console.bar("searching"))?);
        }
        let front = Front::of(found);
        let page = folder.join("front.html");
        files::write(&page, front.html().as_bytes())?;
        let outcome = Outcome { folder, page, points: front.points() };
        files::write(&folder.join("front.json"), &serde_json::to_vec_pretty(&outcome)?)?;
        console.result(&outcome, || {
            let (header, rows) = front.table();
            format!("{}\n\n{}", console::table(header, rows), outcome.page.display())
        })
    }

    fn space(&self) -> Result<Space> {
        Ok(Space {
            outputs: self.search_outputs.clone(),
            units: self.search_units.clone(),
            weights: self.search_weight.clone(),
            noises: self.search_noise.clone(),
            precisions: self.search_bits.iter().map(|text| precision(text)).collect::<Result<Vec<_>>>()?,
        })
    }
}

/// `4/5/4`: bits of P and R, of D, of the inputs.
fn precision(text: &str) -> Result<Precision> {
    let bits: Option<Vec<u32>> = text.split('/').map(|bits| bits.parse().ok()).collect();
    let Some(&[both, combine, input]) = bits.as_deref() else {
        bail!("--search-bits: `{text}` is not a precision; write bits of P and R, of D and of the inputs, as in 4/5/4");
    };
    Ok(Precision { left: both, right: both, combine, input: Some(input) })
}
