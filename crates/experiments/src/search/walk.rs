//! Visits the points of a search.

use std::fs;
use std::path::Path;

use dataset::Dataset;
use host::Progress;
use host::files::{self, Access};
use leakage::{AttackerConfig, AuditOptions};
use model::CompiledNetwork;
use sha2::{Digest, Sha256};
use training::{Checkpoint, CompileOptions, Network, TrainOptions};

use super::point::{Found, Point};
use crate::ExperimentError;
use crate::kept::kept;
use crate::observe::observations;

/// Data and options that all points share.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// What networks are trained on.
    pub train: &'a Dataset,
    /// What they are measured on, and attackers scored on.
    pub validation: &'a Dataset,
    /// What attackers learn from, which no network sees.
    pub attackers: &'a Dataset,
    /// The training that points vary.
    pub options: TrainOptions,
    /// Gradient steps of each compilation.
    pub compile_steps: usize,
    /// Where all results are kept.
    pub folder: &'a Path,
}

/// A search whose folder holds nothing of another search.
#[derive(Debug)]
pub struct Search<'a> {
    setting: Setting<'a>,
}

impl<'a> Search<'a> {
    /// Reserves the folder for this search.
    ///
    /// # Errors
    /// The options name no label that outputs must not reveal, the folder belongs to other data or options, or it
    /// cannot be written.
    pub fn open(setting: Setting<'a>) -> Result<Self, ExperimentError> {
        if setting.options.collateral.is_empty() {
            return Err(ExperimentError::NoCollateral);
        }
        reserve(&setting)?;
        Ok(Self { setting })
    }

    /// Trains (unless another precision of the same network was trained), compiles, attacks and prices one point, or
    /// reads its earlier results.
    ///
    /// # Errors
    /// A step fails, or its file cannot be read or written.
    pub fn visit(&self, point: &Point, progress: &dyn Progress) -> Result<Found, ExperimentError> {
        let path = self.setting.folder.join(format!("{}.json", point.name()));
        kept(&path, serde_json::to_vec_pretty, || self.find(point, progress))
    }

    fn find(&self, point: &Point, progress: &dyn Progress) -> Result<Found, ExperimentError> {
        let Setting { validation, attackers, options: TrainOptions { main, collateral, .. }, .. } = &self.setting;
        let network = self.trained(point, progress)?;
        let compiled = self.compiled(point, &network, progress)?;
        let options = AuditOptions {
            network: point.name(),
            attribute: collateral[0].clone(),
            families: families(),
            shuffled_control: false,
            ..AuditOptions::default()
        };
        progress.note("attacking");
        let seen = |data| observations(&compiled, data, main, &collateral[0]);
        let report = leakage::audit(&seen(attackers)?, &seen(validation)?, &options, progress)?;
        let (n, m) = compiled.inputs();
        let width = |&(low, high): &(i64, i64)| ((i128::from(high) - i128::from(low) + 1) as f64).log2();
        Ok(Found {
            point: *point,
            main_float: network.accuracy(validation)?,
            main_integer: training::accuracy(&compiled, validation)?,
            pooled: report.highest_pooled.accuracy,
            family: report.highest_pooled.family,
            worst_class: report.highest_class.map_or(report.highest_pooled.accuracy, |found| found.accuracy),
            vote: report.vote.iter().find(|vote| vote.k == 140).map(|vote| vote.accuracy),
            chance: report.highest_pooled.chance,
            attack_items: (report.items.train, report.items.test),
            field_muls: qfe::Plan::choose(compiled.map()).field_muls(),
            ciphertext: qfe::ciphertext_size(n, m),
            output_bits: compiled.bounds().iter().map(width).fold(0.0, f64::max),
            front: false,
        })
    }

    fn trained(&self, point: &Point, progress: &dyn Progress) -> Result<Network, ExperimentError> {
        let Setting { train, validation, folder, .. } = self.setting;
        let path = folder.join(format!("{}.float.safetensors", point.network()));
        if path.exists() {
            return Ok(Network::load(&path)?);
        }
        let state = folder.join(format!("{}.state", point.network()));
        let checkpoint = Some(Checkpoint { path: state.clone(), every: 200 });
        let options = TrainOptions { checkpoint, ..point.training(&self.setting.options) };
        progress.note("training");
        let network = training::train(train, validation, &options, progress)?;
        network.save(&path)?;
        let _ = fs::remove_file(state);
        Ok(network)
    }

    fn compiled(
        &self,
        point: &Point,
        network: &Network,
        progress: &dyn Progress,
    ) -> Result<CompiledNetwork, ExperimentError> {
        let path = self.setting.folder.join(format!("{}.safetensors", point.name()));
        if path.exists() {
            return Ok(CompiledNetwork::load(&path)?);
        }
        let options = CompileOptions {
            precision: point.precision,
            steps: self.setting.compile_steps,
            log_bits: 63,
            seed: self.setting.options.seed,
            ..CompileOptions::default()
        };
        progress.note("compiling");
        let compiled = training::compile(network, self.setting.train, &options, progress)?.0;
        compiled.save(&path)?;
        Ok(compiled)
    }
}

/// Attackers that were strongest in some case: distribution shape, neighbourhoods and densities fine and coarse, smooth
/// differences, trees.
fn families() -> Vec<AttackerConfig> {
    let mut families = vec![AttackerConfig::qda()];
    families.extend([7, 15, 51, 201].map(AttackerConfig::neighbours));
    families.extend([0.1, 0.2, 0.4].map(AttackerConfig::kernel));
    families.extend([AttackerConfig::fourier(300), AttackerConfig::forest(10), AttackerConfig::boosting()]);
    families
}

/// Refuses a folder whose points come from other data or options.
fn reserve(setting: &Setting) -> Result<(), ExperimentError> {
    // The points' parameters are in their names, and each keeps its own unfinished state.
    let standard = Point { weight: 0.0, noise: 0.0, outputs: 1, units: 1, ..Point::of(&setting.options) };
    let options = standard.training(&setting.options);
    let options = TrainOptions { checkpoint: None, encoder: setting.options.encoder.clone(), ..options };
    let mut hash = Sha256::new();
    hash.update(format!("{options:?} {}", setting.compile_steps));
    for data in [setting.train, setting.validation, setting.attackers] {
        hash.update(data.images());
        data.columns().iter().flat_map(|column| &column.values).for_each(|value| hash.update(value.to_le_bytes()));
    }
    let ours: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let path = setting.folder.join("search.txt");
    if !path.exists() {
        files::make_folder(setting.folder)?;
        return Ok(files::write(&path, ours.as_bytes(), Access::Ordinary)?);
    }
    match files::read_text(&path, 1 << 10)?.trim() == ours {
        true => Ok(()),
        false => Err(ExperimentError::OtherSearch { folder: setting.folder.to_owned() }),
    }
}
