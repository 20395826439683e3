//! `halflight paper`: the experiments of the paper again, with what this program makes of them beside.
//!
//! | study | in the paper | here |
//! |---|---|---|
//! | `size` | main and collateral accuracy against the private output size, no defence (tutorial 4) | the same squares by the quick optimiser, every family of attackers |
//! | `alpha` | accuracies against α, S = 4 (tutorial 5) | the same phases, attacked afresh by every family |
//! | `defended` | output size with the defence at α = 1.7 (tutorial 11) | the same, and matching at every size: the Pareto front |
//! | `panel` | all families of attackers at S = 4 (tutorials 6 and 8) | the full panel on the paper's defence and on matching |
//! | `integers` | what rounding costs (tutorial 9) | by precision, with leak and cost |
//!
//! Every row is a file of the folder: a run that was stopped goes on, and another study adds to it.

mod measure;
mod networks;
mod page;
mod published;
mod studies;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use leakage::AttackerConfig;
use serde::Serialize;

use crate::commands::train::epochs;
use crate::console::{self, Console};
use crate::files;
use measure::{Ground, Measured};
use studies::{Row, Study};

/// Repeats the paper's figures and tables; the results stay in a folder, and a stopped run goes on.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight paper --out paper --study alpha\n  halflight paper --out networks --networks"
)]
pub struct Paper {
    /// Folder of the results
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    /// Studies to run; all of them by default, which takes many hours
    #[arg(long, value_enum, value_delimiter = ',')]
    study: Vec<Study>,
    /// Build the networks of the folder `networks/` instead: digits-none, -paper, -match, -match-noise
    #[arg(long)]
    networks: bool,
    /// Only these of the networks
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "networks")]
    only: Vec<String>,
    /// Trainings of each row; figures are means over them
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=20))]
    seeds: u64,
    /// Images to train on
    #[arg(long, default_value_t = 60_000)]
    images: usize,
    /// Images that attackers learn from
    #[arg(long, default_value_t = 60_000)]
    attack_size: usize,
    /// Images that networks are tested and attackers scored on
    #[arg(long, default_value_t = 10_000)]
    test_size: usize,
    /// Epochs of the paper's phases
    #[arg(long, value_name = "INITIAL,SABOTAGE", value_parser = epochs::<2>, default_value = "10,50")]
    epochs: [usize; 2],
    /// Steps of the trainings without phases
    #[arg(long, default_value_t = 3000)]
    steps: usize,
    /// Few images, steps and rows: to see that everything runs
    #[arg(long)]
    quick: bool,
}

#[derive(Serialize)]
struct Outcome {
    page: PathBuf,
    rows: Vec<Measured>,
}

impl Paper {
    /// Runs the verb.
    pub fn run(mut self, console: &Console) -> Result<()> {
        fs::create_dir_all(&self.out).with_context(|| format!("{}: cannot be a folder", self.out.display()))?;
        if self.quick {
            (self.images, self.attack_size, self.test_size) = (400, 600, 300);
            (self.epochs, self.steps) = ([1, 1], 20);
        }
        if self.networks {
            return networks::build(&self.out, &self.only, self.quick, console);
        }
        let ground = Ground::draw(self.images, self.test_size, self.attack_size, console)?;
        let mut rows = Vec::new();
        for study in self.studies() {
            let attackers = if self.quick { AttackerConfig::quick() } else { AttackerConfig::full() };
            let all = study.rows((self.epochs[0], self.epochs[1]), self.steps, &attackers);
            for row in all.iter().take(if self.quick { 2 } else { usize::MAX }) {
                rows.push(self.row(study, row, &ground, console)?);
            }
        }
        let page = self.out.join("paper.html");
        files::write(&page, page::html(&rows).as_bytes())?;
        let outcome = Outcome { page, rows };
        files::write(&self.out.join("paper.json"), &serde_json::to_vec_pretty(&outcome)?)?;
        console.result(&outcome, || {
            let table = console::table(page::HEADER, outcome.rows.iter().map(page::cells));
            format!("{table}\n\n{}", outcome.page.display())
        })
    }

    fn studies(&self) -> Vec<Study> {
        if self.study.is_empty() { Study::all() } else { self.study.clone() }
    }

    /// One row, from its file if it was measured with the same sizes before.
    fn row(&self, study: Study, row: &Row, ground: &Ground, console: &Console) -> Result<Measured> {
        let Self { images, attack_size, test_size, steps, epochs: [initial, sabotage], .. } = self;
        let sizes = format!("{images}-{attack_size}-{test_size}-{steps}-{initial}x{sabotage}");
        let mut found = Vec::new();
        for seed in 0..self.seeds {
            let path = self.out.join(format!("{}-{}-{sizes}-{seed}.json", study.name(), row.name));
            found.push(match fs::read(&path) {
                Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?,
                Err(_) => {
                    console.step(&format!("{}: {}, seed {seed}", study.name(), row.name));
                    let measured = ground.measure(study, row, seed, console)?;
                    files::write(&path, &serde_json::to_vec_pretty(&measured)?)?;
                    measured
                }
            });
        }
        Ok(Measured::mean(found))
    }
}
