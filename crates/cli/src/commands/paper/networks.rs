//! The networks that come with the program, made again.
//!
//! Equal seeds give equal drawings and trainings, so that this ends with the same files up to the rounding of
//! sums on another processor.

use std::path::Path;

use anyhow::{Context, Result, bail};
use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use encoder::EncoderOptions;
use leakage::{AuditOptions, AuditReport, Observations};
use model::CompiledNetwork;
use serde::Serialize;
use training::{Checkpoint, CompileOptions, Defence, MatchOptions, Network, Precision, TrainOptions};

use super::studies;
use crate::commands::audit::finding;
use crate::console::{self, Console};
use crate::files;
use crate::observe::observations;

/// One network of the folder.
struct Recipe {
    name: &'static str,
    audit: AuditOptions,
    /// Pairs of drawings for matching, single ones otherwise; how many images.
    images: usize,
    options: TrainOptions,
    compile: CompileOptions,
}

/// Bits of an encoded input.
const INPUT_BITS: u32 = 4;

/// The deviation of the noise of `digits-match-noise`, as a share of each output's own: what it costs the digits is
/// less when they learned with it.
const NOISE: f32 = 0.1;

/// Seeds of pairs, of single drawings, of test and of attack images.
const SEEDS: [u64; 4] = [100, 10, 1, 2];

#[derive(Serialize)]
struct Built {
    name: &'static str,
    main_accuracy_float: f64,
    main_accuracy_integer: f64,
    report: AuditReport,
}

fn recipes() -> [Recipe; 4] {
    let precision = Precision { left: 4, right: 4, combine: 5, input: Some(INPUT_BITS) };
    let options = |standard| CompileOptions { precision, seed: 1, drop_dead: false, ..standard };
    let (quick, thorough) = (options(CompileOptions::quick()), options(CompileOptions::thorough()));
    // Fine-tuning has no adversary, and would undo half of the paper's defence.
    let only_rounded = Precision { left: 6, right: 6, combine: 7, input: Some(INPUT_BITS) };
    let rounded = CompileOptions { precision: only_rounded, steps: 0, ..quick.clone() };
    let encoder = EncoderOptions { bits: INPUT_BITS, ..EncoderOptions::default() };
    let seeded = |options: TrainOptions| TrainOptions { seed: 1, encoder: encoder.clone(), ..options };
    let matching = seeded(TrainOptions::thorough(Defence::matching(MatchOptions::default())));
    let audit = AuditOptions { seeds: vec![0], ..AuditOptions::full() };
    let recipe = |name, images, options, compile| Recipe { name, audit: audit.clone(), images, options, compile };
    [
        recipe("digits-none", 60_000, seeded(studies::bare(800)), quick),
        recipe("digits-paper", 60_000, seeded(studies::paper(1.7, (10, 50))), rounded),
        recipe("digits-match", 960_000, matching.clone(), thorough.clone()),
        recipe("digits-match-noise", 960_000, TrainOptions { noise: NOISE, ..matching }, thorough),
    ]
}

/// Trains, compiles and audits what the folder lacks of the networks named, or of all.
pub fn build(folder: &Path, only: &[String], quick: bool, console: &Console) -> Result<()> {
    let known = recipes().map(|recipe| recipe.name);
    if let Some(name) = only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("--only {name}: there are {}", known.join(", "));
    }
    let generator = Generator::new(&DrawSpec::default())?;
    let bar = console.bar("drawing");
    let (tests, attacks) = if quick { (300, 600) } else { (10_000, 60_000) };
    let test = generator.draw(tests, SEEDS[2], &bar);
    let attack = generator.draw(attacks, SEEDS[3], &bar);
    let mut built = Vec::new();
    let wanted = |recipe: &Recipe| only.is_empty() || only.iter().any(|name| name == recipe.name);
    for mut recipe in recipes().into_iter().filter(wanted) {
        if quick {
            recipe.images = 400;
            recipe.options.steps = 20;
            // Hardly trained weights make wide outputs.
            recipe.compile = CompileOptions { steps: recipe.compile.steps.min(5), log_bits: 63, ..recipe.compile };
            recipe.audit = AuditOptions::default();
            recipe.options.defence.set_epochs((1, 1, 0));
        }
        let train = match recipe.options.defence.takes_pairs() {
            true => generator.draw_pairs(recipe.images / 2, SEEDS[0], &bar),
            false => generator.draw(recipe.images, SEEDS[1], &bar),
        };
        bar.finish_and_clear();
        built.push(one(folder, &recipe, [&train, &test, &attack], console)?);
    }
    let rows = built.iter().map(|built| {
        let (float, integer) = (built.main_accuracy_float, built.main_accuracy_integer);
        let strongest = finding(&built.report.highest_pooled);
        [built.name.to_owned(), format!("{float:.2}"), format!("{integer:.2}"), strongest]
    });
    let rows: Vec<[String; 4]> = rows.collect();
    console.result(&built, || {
        console::table(["network", "main %, float", "main %, integer", "strongest attacker, font"], rows)
    })
}

fn one(folder: &Path, recipe: &Recipe, [train, test, attack]: [&Dataset; 3], console: &Console) -> Result<Built> {
    let Recipe { name, .. } = *recipe;
    let float = folder.join(format!("{name}.float.safetensors"));
    let network = match float.exists() {
        true => Network::load(&float)?,
        false => {
            console.step(&format!("train {name}"));
            let bar = console.bar("training");
            // The paper's takes more than an hour.
            let unfinished = folder.join(format!("{name}.unfinished"));
            let checkpoint = Some(Checkpoint { path: unfinished.clone(), every: 1000 });
            let options = TrainOptions { checkpoint, ..recipe.options.clone() };
            let network = training::train(train, test, &options, &bar)?;
            bar.finish_and_clear();
            network.save(&float)?;
            if unfinished.exists() {
                std::fs::remove_file(unfinished)?;
            }
            network
        }
    };
    let path = folder.join(format!("{name}.safetensors"));
    if !path.exists() {
        console.step(&format!("compile {name}"));
        let bar = console.bar("compiling");
        training::compile(&network, train, &recipe.compile, &bar)?.0.save(&path)?;
        bar.finish_and_clear();
    }
    let compiled = CompiledNetwork::load(&path)?;
    let json = folder.join(format!("{name}.json"));
    let report = match std::fs::read(&json) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| json.display().to_string())?,
        Err(_) => {
            console.step(&format!("audit {name}"));
            let bar = console.bar("auditing");
            let report = audit(recipe, &compiled, test, attack, &bar)?;
            bar.finish_and_clear();
            files::write(&json, &serde_json::to_vec(&report)?)?;
            report
        }
    };
    let (main_accuracy_float, main_accuracy_integer) = (network.accuracy(test)?, training::accuracy(&compiled, test)?);
    Ok(Built { name, main_accuracy_float, main_accuracy_integer, report })
}

fn audit(
    recipe: &Recipe,
    compiled: &CompiledNetwork,
    test: &Dataset,
    attack: &Dataset,
    bar: &dyn host::Progress,
) -> Result<AuditReport> {
    let options = AuditOptions { network: recipe.name.to_owned(), attribute: "font".into(), ..recipe.audit.clone() };
    let seen = |data| observations(compiled, data, "character", "font");
    let (learned, scored) = (seen(attack)?, seen(test)?);
    let mut report = leakage::audit(&learned, &scored, &options, bar)?;
    // Points of pictures, a third of the file.
    (report.cloud.overall, report.cloud.class) = Default::default();
    if let Some(noise) = compiled.encoder().noise() {
        let outputs = compiled.evaluate_all_without_noise(test)?.into_iter().map(|output| output as f32);
        let clean = Observations { outputs: outputs.collect(), ..scored };
        let deviations: Vec<f64> = noise.deviations.iter().copied().map(f64::from).collect();
        report.noise = Some(leakage::pair_bound(&clean, &deviations, 0)?);
    }
    Ok(report)
}
