//! `halflight demo`: the whole flow in one process, on data that everybody has.
//!
//! Drawn digits in two fonts: an undefended and a defended network, compiled, audited by fresh attackers, the defended
//! one certified against every attacker, and both evaluated under encryption. Real handwriting has its own network.

mod clock;
mod encrypted;
mod outcome;
mod page;
mod serve;
mod splits;
mod trained;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use dataset::Dataset;
use encoder::{EncoderOptions, Transform};
use experiments::audit::Audited;
use tempfile::TempDir;
use training::{CertifyOptions, Defence, TrainOptions};

use crate::console::Console;
use crate::files;
use clock::Clock;
use outcome::Outcome;
use serve::Serve;
use splits::Splits;
use trained::{Certification, Trained, Trial};

/// Draws, trains, compiles, audits, issues, encrypts and predicts in a few minutes.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight demo --report report.html\n  halflight demo --serve\n  halflight demo --serve --ready"
)]
pub struct Demo {
    /// HTML page to write at the end [default: report.html in a new temporary folder, or in that of `--serve`]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
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
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    serve: Serve,
}

/// Name of the page in its own folder.
const PAGE: &str = "report.html";
/// Name of the served network.
const SERVED: &str = "defended";
/// Maximum number of images that are drawn for a certificate.
const CERTIFIED: usize = 200_000;
/// Principal components that the defended network reads, and the bits of each.
const COMPONENTS: usize = 120;
const COMPONENT_BITS: u32 = 5;
/// Noise that the defended network learns with and that owners add, as fractions of each output's deviation.
const LEARNED_NOISE: f32 = 0.33;
const OWNERS_NOISE: f32 = 0.22;
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
        let (report, made) = self.place()?;
        let mut clock = Clock::default();

        let drawn = clock.step("draw", console, || {
            let splits = Splits::drawn(self.images as usize, self.seed, &console.bar("drawing"))?;
            let bytes = splits.bytes();
            Ok((splits, bytes))
        })?;
        let steps = |standard: usize| self.steps.unwrap_or(standard);
        let trials = [
            Trial {
                name: "undefended",
                data: &drawn,
                options: self.options(Defence::none(), steps(800)),
                compile_steps: steps(400),
                certified: None,
            },
            Trial {
                name: SERVED,
                data: &drawn,
                options: self.defended_options(&drawn.train, steps(3000))?,
                // Rounding undoes part of the matching, so the defended network is fine-tuned longer.
                compile_steps: steps(2500),
                certified: Some(Certification {
                    noise: OWNERS_NOISE,
                    images: (self.images as usize).clamp(40_000, CERTIFIED),
                    seed: self.seed,
                }),
            },
        ];
        let mut networks = Vec::new();
        for trial in &trials {
            networks.push(trial.run(console, &mut clock)?);
        }
        let handwriting = Splits::handwriting(self.seed)?;
        let trial = Trial {
            name: "handwriting",
            data: &handwriting,
            options: self.handwriting_options(steps(800)),
            compile_steps: steps(400),
            certified: None,
        };
        let written = [trial.run(console, &mut clock)?];

        // Owners add noise for the defended network, so each network has its own public key.
        let mut scenes = Vec::new();
        for network in networks.chunks(1) {
            scenes.extend(encrypted::scenes(network, &drawn, self.encrypt as usize, console, &mut clock)?);
        }
        scenes.extend(encrypted::scenes(&written, &handwriting, HANDWRITTEN, console, &mut clock)?);
        let networks: Vec<Trained> = networks.into_iter().chain(written).collect();

        let outcome = Outcome::new(&networks, &scenes, clock, &report);
        host::files::make_folder(host::files::folder_of(&report))?;
        files::write(&report, page::html(&outcome, &networks, &[&drawn, &handwriting])?.as_bytes())?;
        made.map(TempDir::keep);
        console.result(&outcome, || outcome.to_string())?;
        match networks.iter().find(|trained| self.serve.serve && trained.name == SERVED) {
            None => Ok(()),
            Some(Trained { network, audit, certificate, .. }) => {
                let (report, certificate) = (audit.clone(), certificate.clone());
                let audited = Audited { report, attributes: Vec::new(), certificate, parity: None };
                self.serve.prepare(network, &audited, &drawn.test)?;
                self.serve.run(console)
            }
        }
    }

    /// Where the page goes, and the folder made for it, which is removed if no page is written.
    fn place(&self) -> Result<(PathBuf, Option<TempDir>)> {
        let (path, made) = match &self.report {
            Some(path) => (path.clone(), None),
            // Made at the end: it is complete or empty.
            None if self.serve.serve => return Ok((self.serve.folder().join(PAGE), None)),
            None => {
                let made = tempfile::Builder::new().prefix("halflight-demo-").tempdir();
                let made = made.context("no temporary folder can be made for the page; name a file with --report")?;
                (made.path().join(PAGE), Some(made))
            }
        };
        files::check_writable(&path, self.force)?;
        Ok((path, made))
    }

    fn options(&self, defence: Defence, steps: usize) -> TrainOptions {
        TrainOptions { steps, seed: self.seed, ..TrainOptions::quick(defence) }
    }

    /// Few inputs, as fine as a certificate likes them, and classes on a sphere.
    fn defended_options(&self, train: &Dataset, steps: usize) -> Result<TrainOptions> {
        let defence = CertifyOptions { weight: 20.0, width: 0.015, radius: 0.05, ..CertifyOptions::default() };
        let transform = Transform::Pca { components: COMPONENTS };
        let encoder = EncoderOptions { bits: COMPONENT_BITS, transform, ..EncoderOptions::default() };
        let encoder = encoder.with_fitted_range(train)?;
        Ok(TrainOptions { encoder, noise: LEARNED_NOISE, ..self.options(Defence::certify(defence), steps) })
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        demo: Demo,
    }

    fn place(arguments: &[&str]) -> (PathBuf, Option<TempDir>) {
        let arguments = std::iter::once(&"demo").chain(arguments);
        Command::parse_from(arguments).demo.place().unwrap()
    }

    #[test]
    fn the_page_goes_where_it_is_told_or_out_of_the_way() {
        let (path, made) = place(&[]);
        let folder = made.unwrap();
        assert!(path.starts_with(std::env::temp_dir()) && folder.path().join(PAGE) == path);
        assert_ne!(place(&[]).0, path, "its own folder each time");
        assert_eq!(place(&["--serve", "--folder", "served"]).0, PathBuf::from("served").join(PAGE));
        let named = folder.path().join("mine.html");
        let (path, made) = place(&["--report", named.to_str().unwrap()]);
        assert!(path == named && made.is_none());
    }
}
