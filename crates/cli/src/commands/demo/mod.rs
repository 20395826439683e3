//! `halflight demo`: the whole flow in one process, on data that everybody has.
//!
//! Drawn digits in two fonts: an undefended and a defended network, compiled, audited by fresh attackers, and
//! evaluated under encryption by two functional keys of one public key. Real handwriting: a network of its own.

mod encrypted;
mod outcome;
mod page;
mod serve;
mod trained;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use training::{Defence, MatchOptions, TrainOptions};

use crate::console::Console;
use crate::files;
use outcome::{Clock, Outcome};
use serve::Serve;
use trained::{Trained, Trial};

/// Draws, trains, compiles, audits, issues, encrypts and predicts in a few minutes.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight demo --report report.html\n  halflight demo --serve\n  halflight demo --serve --ready"
)]
pub struct Demo {
    /// HTML page to write at the end
    #[arg(long, default_value = "report.html", value_name = "FILE")]
    report: PathBuf,
    /// Replace the page if it exists
    #[arg(long)]
    force: bool,
    /// Drawn images to train on; attackers get up to 40,000 others, and 10,000 more are for tests
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(400..=1_000_000))]
    images: u64,
    /// Gradient steps of each training, instead of the preset's
    #[arg(long)]
    steps: Option<usize>,
    /// Drawn test images to encrypt
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100))]
    encrypt: u64,
    /// Names the run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    serve: Serve,
}

/// Name of the network that is served.
const SERVED: &str = "defended";
/// Handwritten test images to encrypt.
const HANDWRITTEN: usize = 10;

impl Demo {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        if self.serve.serve && self.serve.is_prepared() {
            return self.serve.run(console);
        }
        if self.serve.serve {
            self.serve.check()?;
        }
        if self.serve.ready {
            self.serve.prepare_ready()?;
            return self.serve.run(console);
        }
        files::check_writable(&self.report, self.force)?;
        let mut clock = Clock::default();

        let drawn = self.draw(console, &mut clock)?;
        let steps = |standard: usize| self.steps.unwrap_or(standard);
        // Rounding undoes part of the matching, so that the defended network is fine-tuned longer.
        let [undefended, defended] = [Defence::none(), Defence::matching(MatchOptions::default())];
        let trials = [
            Trial {
                name: "undefended",
                data: &drawn,
                options: self.options(undefended, steps(800)),
                compile_steps: steps(400),
            },
            Trial {
                name: SERVED,
                data: &drawn,
                options: self.options(defended, steps(3000)),
                compile_steps: steps(2500),
            },
        ];
        let mut networks = Vec::new();
        for trial in &trials {
            networks.push(trial.run(console, &mut clock)?);
        }
        let handwriting = handwriting(self.seed)?;
        let trial = Trial {
            name: "handwriting",
            data: &handwriting,
            options: self.handwriting_options(steps(800)),
            compile_steps: steps(400),
        };
        let written = [trial.run(console, &mut clock)?];

        let mut scenes = encrypted::scenes(&networks, &drawn, self.encrypt as usize, console, &mut clock)?;
        scenes.extend(encrypted::scenes(&written, &handwriting, HANDWRITTEN, console, &mut clock)?);
        let networks: Vec<Trained> = networks.into_iter().chain(written).collect();

        let outcome = Outcome::new(&networks, &scenes, clock, &self.report);
        files::write(&self.report, page::html(&outcome, &networks, &[&drawn, &handwriting])?.as_bytes())?;
        console.result(&outcome, || outcome.to_string())?;
        match networks.iter().find(|trained| self.serve.serve && trained.name == SERVED) {
            None => Ok(()),
            Some(Trained { network, audit, .. }) => {
                self.serve.prepare(network, audit, &drawn.test)?;
                self.serve.run(console)
            }
        }
    }

    fn draw(&self, console: &Console, clock: &mut Clock) -> Result<Splits> {
        let images = self.images as usize;
        clock.step("draw", console, || {
            let generator = Generator::new(&DrawSpec::default())?;
            let bar = console.bar("drawing");
            let splits = Splits {
                name: "drawn digits",
                main: "character",
                collateral: "font",
                train: generator.draw_pairs(images / 2, self.seed, &bar),
                test: generator.draw(images.min(10_000), self.seed.wrapping_add(1), &bar),
                attack: generator.draw(images.min(40_000), self.seed.wrapping_add(2), &bar),
            };
            bar.finish_and_clear();
            let bytes = [&splits.train, &splits.test, &splits.attack].map(|data| data.images().len()).iter().sum();
            Ok((splits, bytes))
        })
    }

    fn options(&self, defence: Defence, steps: usize) -> TrainOptions {
        TrainOptions { steps, seed: self.seed, ..TrainOptions::quick(defence) }
    }

    /// 1,437 images of 64 pixels: a smaller network, smaller batches.
    fn handwriting_options(&self, steps: usize) -> TrainOptions {
        TrainOptions {
            main: "digit".into(),
            collateral: vec!["ink".into()],
            units: 32,
            outputs: 8,
            batch: 100,
            ..self.options(Defence::none(), steps)
        }
    }
}

/// One kind of data, split: what the network learns from, what everyone is tested on, what attackers learn from.
pub struct Splits {
    name: &'static str,
    main: &'static str,
    collateral: &'static str,
    train: Dataset,
    test: Dataset,
    attack: Dataset,
}

/// One image in five is for testing; attackers learn from the training images, since there are no others.
fn handwriting(seed: u64) -> Result<Splits> {
    let (train, test) = dataset::handwriting::digits().split(0.2, &["digit"], seed)?;
    Ok(Splits { name: "real handwriting", main: "digit", collateral: "ink", attack: train.clone(), train, test })
}
