//! Going from point to point.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use dataset::Dataset;
use leakage::{AttackerConfig, AuditOptions};
use model::CompiledNetwork;
use serde::Serialize;
use sha2::{Digest, Sha256};
use training::{Checkpoint, CompileOptions, Network, TrainOptions};

use super::arguments::Space;
use super::point::{Found, Point};
use super::{front, page};
use crate::commands::matching;
use crate::console::{self, Console};
use crate::files;
use crate::observe::observations;

/// Data and options that all points share.
pub struct Ground<'a> {
    /// What networks learn from.
    pub train: &'a Dataset,
    /// What they are measured on, and attackers scored on.
    pub validation: &'a Dataset,
    /// The training that points vary.
    pub options: TrainOptions,
    /// Where everything is kept.
    pub folder: &'a Path,
}

/// The result of a search.
#[derive(Serialize)]
struct Outcome {
    folder: PathBuf,
    page: PathBuf,
    points: Vec<Found>,
}

/// Walks all points of `space` and writes `front.html` and `front.json`.
pub fn run(ground: &Ground, space: &Space, console: &Console) -> Result<()> {
    let Some(collateral) = ground.options.collateral.first() else {
        bail!("--search measures a leak: name the label that outputs should not tell by --collateral");
    };
    let attackers = Dataset::load(&space.attackers)?;
    let labels = std::iter::once(&ground.options.main).chain(&ground.options.collateral);
    matching::pair((Path::new("--data"), ground.train), (&space.attackers, &attackers), labels)?;
    claim(ground, space, &attackers)?;
    let mut found = Vec::new();
    for (number, point) in space.points.iter().enumerate() {
        console.step(&format!("point {} of {}: {}", number + 1, space.points.len(), point.name()));
        let path = ground.folder.join(format!("{}.json", point.name()));
        found.push(match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?,
            Err(_) => {
                let found = visit(ground, space, point, &attackers, collateral, console)?;
                files::write(&path, &serde_json::to_vec_pretty(&found)?)?;
                found
            }
        });
    }
    front::mark(&mut found);
    let page = ground.folder.join("front.html");
    files::write(&page, page::html(&found).as_bytes())?;
    let outcome = Outcome { folder: ground.folder.to_owned(), page, points: found };
    files::write(&ground.folder.join("front.json"), &serde_json::to_vec_pretty(&outcome)?)?;
    console.result(&outcome, || {
        let (header, rows) = front::table(&outcome.points);
        format!("{}\n\n{}", console::table(header, rows), outcome.page.display())
    })
}

/// Trains (unless another precision of it was), compiles, attacks and prices one point.
fn visit(
    ground: &Ground,
    space: &Space,
    point: &Point,
    attackers: &Dataset,
    collateral: &str,
    console: &Console,
) -> Result<Found> {
    let network = trained(ground, point, console)?;
    let path = ground.folder.join(format!("{}.safetensors", point.name()));
    let compiled = match path.exists() {
        true => CompiledNetwork::load(&path)?,
        false => {
            let (precision, seed) = (point.precision, ground.options.seed);
            let options = CompileOptions {
                precision,
                steps: space.compile_steps,
                log_bits: 63,
                seed,
                ..CompileOptions::default()
            };
            let bar = console.bar("compiling");
            let compiled = training::compile(&network, ground.train, &options, &bar)?.0;
            bar.finish_and_clear();
            compiled.save(&path)?;
            compiled
        }
    };
    let main = &ground.options.main;
    let options = AuditOptions {
        network: point.name(),
        attribute: collateral.to_owned(),
        families: families(),
        shuffled_control: false,
        ..AuditOptions::default()
    };
    let bar = console.bar("attacking");
    let seen = |data| observations(&compiled, data, main, collateral);
    let report = leakage::audit(&seen(attackers)?, &seen(ground.validation)?, &options, &bar)?;
    bar.finish_and_clear();
    let (n, m) = compiled.inputs();
    let width = |&(low, high): &(i64, i64)| ((i128::from(high) - i128::from(low) + 1) as f64).log2();
    Ok(Found {
        point: *point,
        main_float: network.accuracy(ground.validation)?,
        main_integer: training::accuracy(&compiled, ground.validation)?,
        pooled: report.highest_pooled.accuracy,
        family: report.highest_pooled.family,
        worst_class: report.highest_class.map_or(report.highest_pooled.accuracy, |found| found.accuracy),
        vote: report.vote.last().map_or(0.0, |vote| vote.accuracy),
        chance: report.highest_pooled.chance,
        attack_items: (report.items.train, report.items.test),
        field_muls: qfe::Plan::choose(compiled.map()).field_muls(),
        ciphertext: qfe::ciphertext_size(n, m),
        output_bits: compiled.bounds().iter().map(width).fold(0.0, f64::max),
        front: false,
    })
}

/// Those that were strongest somewhere: shape, neighbourhoods and densities fine and coarse, smooth differences, trees.
fn families() -> Vec<AttackerConfig> {
    let mut families = vec![AttackerConfig::qda()];
    families.extend([7, 15, 51, 201].map(AttackerConfig::neighbours));
    families.extend([0.1, 0.2, 0.4].map(AttackerConfig::kernel));
    families.extend([AttackerConfig::fourier(300), AttackerConfig::forest(10), AttackerConfig::boosting()]);
    families
}

fn trained(ground: &Ground, point: &Point, console: &Console) -> Result<Network> {
    let path = ground.folder.join(format!("{}.float.safetensors", point.network()));
    if path.exists() {
        return Ok(Network::load(&path)?);
    }
    let state = ground.folder.join(format!("{}.state", point.network()));
    let checkpoint = Some(Checkpoint { path: state.clone(), every: 200 });
    let options = TrainOptions { checkpoint, ..point.training(&ground.options) };
    let bar = console.bar("training");
    let network = training::train(ground.train, ground.validation, &options, &bar)?;
    bar.finish_and_clear();
    network.save(&path)?;
    let _ = fs::remove_file(state);
    Ok(network)
}

/// Refuses a folder whose points come from other data or options.
fn claim(ground: &Ground, space: &Space, attackers: &Dataset) -> Result<()> {
    // What points vary is in their names, and each keeps its own unfinished state.
    let options = Point { weight: 0.0, noise: 0.0, outputs: 1, units: 1, ..space.points[0] }.training(&ground.options);
    let options = TrainOptions { checkpoint: None, encoder: ground.options.encoder.clone(), ..options };
    let mut hash = Sha256::new();
    hash.update(format!("{options:?} {}", space.compile_steps));
    for data in [ground.train, ground.validation, attackers] {
        hash.update(data.images());
        data.columns().iter().flat_map(|column| &column.values).for_each(|value| hash.update(value.to_le_bytes()));
    }
    let ours = service::hash::Hash(hash.finalize().into()).to_string();
    let path = ground.folder.join("search.txt");
    match fs::read_to_string(&path) {
        Ok(theirs) if theirs.trim() == ours => Ok(()),
        Ok(_) => bail!(
            "{}: its points come from other data or options; name another folder, or repeat what made them",
            ground.folder.display()
        ),
        Err(_) => files::write(&path, ours.as_bytes()),
    }
}
