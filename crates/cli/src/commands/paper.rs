//! `halflight paper`: the experiments of the paper, repeated, with our results next to the paper's.

use std::fs;
use std::num::NonZeroU64;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use experiments::paper::{self, Drawings, Measured, Recipe, Setting, Sizes, Study};
use leakage::AttackerConfig;
use serde::Serialize;

use super::audit::finding;
use super::train::epochs;
use crate::console::{self, Console};
use crate::files;

/// Repeats the paper's figures and tables; the results stay in a folder, and a stopped run resumes.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight paper --out paper --study alpha\n  halflight paper --out networks --networks"
)]
pub struct Paper {
    /// Folder of the results
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    /// Studies to run; all of them by default, which takes many hours
    #[arg(long, value_parser = studies(), value_delimiter = ',')]
    study: Vec<Study>,
    /// Build the networks of the folder `networks/` instead: digits-none, -paper, -match, -match-noise,
    /// -certified, -small
    #[arg(long)]
    networks: bool,
    /// Only these of the networks
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "networks")]
    only: Vec<String>,
    /// Trainings of each row; figures are means over them
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u64).range(1..=20).try_map(NonZeroU64::try_from))]
    seeds: NonZeroU64,
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
    /// Few images, steps and rows: only to check that everything runs
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
    pub fn run(self, console: &Console) -> Result<()> {
        fs::create_dir_all(&self.out).with_context(|| format!("{}: cannot be used as a folder", self.out.display()))?;
        if self.networks {
            return self.build(console);
        }
        let sizes = self.sizes();
        let setting = Setting::draw(sizes, &console.bar("drawing"))?;
        let attackers = if self.quick { AttackerConfig::quick() } else { AttackerConfig::full() };
        let studies = if self.study.is_empty() { Study::ALL.to_vec() } else { self.study };
        let mut rows = Vec::new();
        for study in studies {
            let all = study.rows(&sizes, &attackers);
            for row in all.iter().take(if self.quick { 2 } else { usize::MAX }) {
                console.step(&format!("{}: {}", study.name(), row.name));
                rows.push(setting.row(study, row, self.seeds, &self.out, &console.bar("measuring"))?);
            }
        }
        let page = self.out.join("paper.html");
        files::write(&page, paper::html(&rows).as_bytes())?;
        let outcome = Outcome { page, rows };
        files::write(&self.out.join("paper.json"), &serde_json::to_vec_pretty(&outcome)?)?;
        console.result(&outcome, || {
            let (header, rows) = paper::table(&outcome.rows);
            format!("{}\n\n{}", console::table(header, rows), outcome.page.display())
        })
    }

    fn sizes(&self) -> Sizes {
        if self.quick {
            return Sizes::quick();
        }
        let [initial, sabotage] = self.epochs;
        Sizes {
            images: self.images,
            attack: self.attack_size,
            test: self.test_size,
            epochs: (initial, sabotage),
            steps: self.steps,
        }
    }

    /// Makes the named networks, or all.
    fn build(&self, console: &Console) -> Result<()> {
        let named = |name: &String| Recipe::named(name).with_context(|| format!("--only {name}"));
        let recipes = match self.only.as_slice() {
            [] => Recipe::all().to_vec(),
            names => names.iter().map(named).collect::<Result<Vec<_>>>()?,
        };
        let sizes = if self.quick { Sizes::quick() } else { Sizes::default() };
        let drawings = Drawings::new(&sizes, &console.bar("drawing"))?;
        let mut built = Vec::new();
        for recipe in recipes {
            let recipe = if self.quick { recipe.quick() } else { recipe };
            console.step(&format!("make {}", recipe.name()));
            built.push(recipe.build(&drawings, &self.out, &console.bar("making"))?);
        }
        console.result(&built, || {
            let rows = built.iter().map(|built| {
                let (float, integer) = (built.main_accuracy_float, built.main_accuracy_integer);
                let strongest = finding(&built.report.highest_pooled);
                let proved = built.certificate.as_ref().map(|certified| certified.certificate.pooled.bound);
                let proved = proved.map_or("-".into(), |bound| format!("{:.2}", (100.0 * bound).ceil() / 100.0));
                [built.name.to_owned(), format!("{float:.2}"), format!("{integer:.2}"), strongest, proved]
            });
            console::table(
                ["network", "main %, float", "main %, integer", "strongest attacker, font", "no attacker above %"],
                rows,
            )
        })
    }
}

/// Reads the name of a study.
fn studies() -> impl TypedValueParser<Value = Study> {
    let values = Study::ALL.map(|study| PossibleValue::new(study.name()).help(study.about()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Study>())
}
