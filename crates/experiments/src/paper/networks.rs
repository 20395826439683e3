//! The networks that come with the program, made again.
//!
//! Equal seeds give equal drawings and trainings, so the resulting files are the same up to the rounding of sums on
//! another processor.

use std::fs;
use std::path::Path;

use encoder::{EncoderOptions, Transform};
use host::Progress;
use leakage::certificate::CertificateOptions;
use leakage::{AuditOptions, AuditReport};
use model::CompiledNetwork;
use serde::Serialize;
use training::{
    CertifyOptions, Checkpoint, CompileDefence, CompileOptions, Defence, MatchOptions, Network, Precision, TrainOptions,
};

use super::drawings::{COLLATERAL, Drawings, MAIN};
use super::sizes::Sizes;
use super::studies;
use crate::ExperimentError;
use crate::certify::{Certified, Certifier, Source};
use crate::kept::kept;
use crate::observe::{noise_bound, noise_of, observations};

/// How one of the networks is made.
#[derive(Clone, Debug)]
pub struct Recipe {
    name: &'static str,
    audit: AuditOptions,
    /// Pairs of drawings for matching, otherwise single ones; how many images.
    images: usize,
    options: TrainOptions,
    compile: CompileOptions,
    /// Images drawn for a certificate, if owners add noise.
    certified: usize,
}

/// Bits of an encoded input.
const INPUT_BITS: u32 = 4;

/// Bits of an encoded principal component, which has no level for the absence of ink: with 4, rounding to them costs a
/// tenth of a point.
const COMPONENT_BITS: u32 = 5;

/// The deviation of the noise of `digits-match-noise`, as a fraction of each output's own: it costs less main accuracy
/// if the network was trained with it.
const NOISE: f32 = 0.1;

/// What networks for a certificate learn with: more than owners add, so that main classes stay further apart and coarser
/// differences are matched first.
const LEARNED_NOISE: f32 = 0.33;

/// Images for a certificate: 300,000 of every digit in every font.
const CERTIFIED_IMAGES: usize = 6_000_000;

/// Random seed of those images.
const CERTIFIED_SEED: u64 = 2;

/// Evaluation points for every digit.
const CERTIFIED_POINTS: usize = 20_000;

/// A finished network and its figures; accuracies in percent.
#[derive(Clone, Debug, Serialize)]
pub struct Built {
    /// Its name.
    pub name: &'static str,
    /// Main accuracy of the floats.
    pub main_accuracy_float: f64,
    /// Main accuracy of the integers.
    pub main_accuracy_integer: f64,
    /// What its outputs reveal.
    pub report: AuditReport,
    /// The certificate; absent without noise.
    pub certificate: Option<Certified>,
}

fn recipes() -> [Recipe; 6] {
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
    let recipe =
        |name, images, options, compile| Recipe { name, audit: audit.clone(), images, options, compile, certified: 0 };
    [
        recipe("digits-none", 60_000, seeded(studies::bare(800)), quick),
        recipe("digits-paper", 60_000, seeded(studies::paper(1.7, (10, 50))), rounded),
        recipe("digits-match", 960_000, matching.clone(), thorough.clone()),
        recipe("digits-match-noise", 960_000, TrainOptions { noise: NOISE, ..matching }, thorough),
        certified("digits-certified", 9_600_000, audit.clone(), (120, 120), 208, (0.22, 60.0)),
        certified("digits-small", 9_600_000, audit.clone(), (92, 32), 128, (0.22, 30.0)),
    ]
}

/// A network trained for its certificate on so many images, with this many principal components on either side, this many
/// units, and the owners' noise and the weight of the penalty in compilation. An eighth of the images and
/// steps costs a tenth of a point of main accuracy.
fn certified(
    name: &'static str,
    images: usize,
    audit: AuditOptions,
    (left, right): (usize, usize),
    units: usize,
    (noise, weight): (f32, f32),
) -> Recipe {
    // Equally wide, uncorrelated inputs train in fewer steps than cosines, and leak less.
    let transform = Transform::Pca { components: left };
    let encoder = EncoderOptions { bits: COMPONENT_BITS, transform, right: Some(right), ..EncoderOptions::default() };
    let defence = CertifyOptions { weight: 20.0, width: 0.015, tilt: 1.0, radius: 0.05, ..CertifyOptions::default() };
    let defence = Defence::certify(defence);
    let tuned = CompileDefence::with_weight(&defence, weight);
    let options = TrainOptions {
        seed: 1,
        encoder,
        units,
        steps: 24_000,
        noise: LEARNED_NOISE,
        ..TrainOptions::thorough(defence)
    };
    let compile = CompileOptions {
        precision: Precision { left: 5, right: 5, combine: 5, input: None },
        defence: tuned,
        steps: 2000,
        batch: 12_000,
        settle: 0.3,
        noise: Some(noise),
        learned_noise: Some(LEARNED_NOISE),
        seed: 1,
        ..CompileOptions::thorough()
    };
    Recipe { name, audit, images, options, compile, certified: CERTIFIED_IMAGES }
}

impl Recipe {
    /// The recipes of all networks.
    pub fn all() -> [Self; 6] {
        recipes()
    }

    /// The recipe of the network of this name.
    ///
    /// # Errors
    /// No network has this name.
    pub fn named(name: &str) -> Result<Self, ExperimentError> {
        let known = recipes().map(|recipe| recipe.name).join(", ");
        let found = recipes().into_iter().find(|recipe| recipe.name == name);
        found.ok_or_else(|| ExperimentError::UnknownNetwork { name: name.to_owned(), known })
    }

    /// Name of the network.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The same with few images and steps, to check that everything runs.
    pub fn quick(mut self) -> Self {
        let sizes = Sizes::quick();
        self.images = sizes.images;
        self.options.steps = sizes.steps;
        // Barely trained weights give wide outputs.
        self.compile = CompileOptions { steps: self.compile.steps.min(5), log_bits: 63, ..self.compile };
        self.audit = AuditOptions::default();
        self.certified = self.certified.min(4000);
        self.options.defence.set_epochs((sizes.epochs.0, sizes.epochs.1, 0));
        self
    }

    /// Trains, compiles and audits the network, as far as the folder lacks results.
    ///
    /// # Errors
    /// A step fails, or a file of the folder cannot be read or written.
    pub fn build(&self, drawings: &Drawings, folder: &Path, progress: &dyn Progress) -> Result<Built, ExperimentError> {
        let name = self.name;
        let train = match self.options.defence.takes_pairs() {
            true => drawings.pairs(self.images, progress),
            false => drawings.single(self.images, progress),
        };
        let float = folder.join(format!("{name}.float.safetensors"));
        let network = match float.exists() {
            true => Network::load(&float)?,
            false => {
                // The paper's network takes more than an hour.
                let unfinished = folder.join(format!("{name}.unfinished"));
                let checkpoint = Some(Checkpoint { path: unfinished.clone(), every: 1000 });
                let fitted = match self.options.encoder.transform {
                    Transform::Cells => self.options.encoder.clone(),
                    _ => self.options.encoder.clone().with_fitted_range(&train)?,
                };
                let options = TrainOptions { checkpoint, encoder: fitted, ..self.options.clone() };
                progress.note("training");
                let network = training::train(&train, &drawings.test, &options, progress)?;
                network.save(&float)?;
                let _ = fs::remove_file(unfinished);
                network
            }
        };
        let path = folder.join(format!("{name}.safetensors"));
        if !path.exists() {
            progress.note("compiling");
            training::compile(&network, &train, &self.compile, progress)?.0.save(&path)?;
        }
        let compiled = CompiledNetwork::load(&path)?;
        let audit = || self.audit(&compiled, drawings, progress);
        let certify = || self.certify(&compiled, progress);
        Ok(Built {
            name,
            main_accuracy_float: network.accuracy(&drawings.test)?,
            main_accuracy_integer: training::accuracy(&compiled, &drawings.test)?,
            report: kept(&folder.join(format!("{name}.json")), serde_json::to_vec, audit)?,
            certificate: match self.certified {
                0 => None,
                _ => Some(kept(&folder.join(format!("{name}.certificate.json")), serde_json::to_vec_pretty, certify)?),
            },
        })
    }

    /// Evaluates images that are drawn and dropped.
    fn certify(&self, compiled: &CompiledNetwork, progress: &dyn Progress) -> Result<Certified, ExperimentError> {
        let certifier = Certifier::new(vec![compiled])?;
        progress.note("certifying");
        let source = Source::Drawn { count: self.certified, seed: CERTIFIED_SEED };
        let items = certifier.items(source, COLLATERAL, progress)?;
        let options =
            CertificateOptions { points: CERTIFIED_POINTS, seed: CERTIFIED_SEED, ..CertificateOptions::default() };
        certifier.certify(&items, &options, None)
    }

    fn audit(
        &self,
        compiled: &CompiledNetwork,
        Drawings { test, attack, .. }: &Drawings,
        progress: &dyn Progress,
    ) -> Result<AuditReport, ExperimentError> {
        let options = AuditOptions {
            network: self.name.into(),
            attribute: COLLATERAL.into(),
            noise: noise_of(compiled),
            ..self.audit.clone()
        };
        let seen = |data| observations(compiled, data, MAIN, COLLATERAL);
        let (learned, scored) = (seen(attack)?, seen(test)?);
        progress.note("attacking");
        let mut report = leakage::audit(&learned, &scored, &options, progress)?;
        // Points of plots, a third of the file.
        (report.cloud.overall, report.cloud.class) = Default::default();
        report.noise = noise_bound(compiled, test, &scored, 0)?;
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_are_found_by_name() {
        assert_eq!(Recipe::named("digits-match").unwrap().name(), "digits-match");
        let refused = Recipe::named("letters").unwrap_err().to_string();
        assert!(refused.contains("`letters`") && refused.contains("digits-paper"), "{refused}");
    }
}
