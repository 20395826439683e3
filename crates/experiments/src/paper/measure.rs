//! Training and attacking one row.

use std::num::NonZeroU64;
use std::path::Path;

use dataset::Dataset;
use host::Progress;
use leakage::{AuditOptions, AuditReport};
use serde::{Deserialize, Serialize};
use training::{MeasureError, TrainOptions};

use super::drawings::{COLLATERAL, Drawings, MAIN};
use super::sizes::Sizes;
use super::studies::{Row, Study};
use crate::ExperimentError;
use crate::kept::kept;
use crate::observe::{observations, with_labels};

/// Everything that rows are trained, tested and attacked on.
#[derive(Debug)]
pub struct Setting {
    sizes: Sizes,
    drawings: Drawings,
    pairs: Dataset,
    single: Dataset,
}

/// The results of a row; percent, means over the seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// The study.
    pub study: String,
    /// The row.
    pub row: String,
    /// Main and collateral accuracy in the paper.
    pub published: Option<(f64, Option<f64>)>,
    /// Number of trainings that the means are taken over.
    pub seeds: usize,
    /// Main accuracy of the floats, or of the integers if those are measured.
    pub main: f64,
    /// Largest accuracy of any attacker over all items, the main label given; its family.
    pub pooled: f64,
    /// The family of the first seed.
    pub family: String,
    /// Largest accuracy of any attacker within any class.
    pub worst_class: f64,
    /// Accuracy on one subject from 20 and from 140 items; absent if some value has fewer test items.
    pub vote: (Option<f64>, Option<f64>),
    /// Items that attackers learned from and were scored on.
    pub attack_items: (usize, usize),
    /// An encrypted evaluation in multiplications of the base field, for integers.
    pub field_muls: Option<f64>,
    /// Bits of the widest output over the data.
    pub output_bits: Option<f64>,
    /// Accuracy over all items by family, of the first seed.
    pub attackers: Vec<(String, f64)>,
}

impl Setting {
    /// Draws everything.
    ///
    /// # Errors
    /// The fonts cannot be read.
    pub fn draw(sizes: Sizes, progress: &dyn Progress) -> Result<Self, ExperimentError> {
        let drawings = Drawings::new(&sizes, progress)?;
        let (pairs, single) = (drawings.pairs(sizes.images, progress), drawings.single(sizes.images, progress));
        Ok(Self { sizes, drawings, pairs, single })
    }

    /// The means over trainings from this many seeds; results already in the folder are read.
    ///
    /// # Errors
    /// A step fails, or a file of the folder cannot be read or written.
    pub fn row(
        &self,
        study: Study,
        row: &Row,
        seeds: NonZeroU64,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Measured, ExperimentError> {
        let found = (0..seeds.get()).map(|seed| {
            let path = folder.join(format!("{}-{}-{}-{seed}.json", study.name(), row.name, self.sizes.name()));
            kept(&path, serde_json::to_vec_pretty, || self.measure(study, row, seed, progress))
        });
        Ok(Measured::mean(&found.collect::<Result<Vec<_>, _>>()?))
    }

    /// Trains, compiles if requested, attacks.
    fn measure(
        &self,
        study: Study,
        row: &Row,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Measured, ExperimentError> {
        let Drawings { test, attack, .. } = &self.drawings;
        let train = if row.options.defence.takes_pairs() { &self.pairs } else { &self.single };
        let options = TrainOptions { seed, ..row.options.clone() };
        progress.note("training");
        let network = training::train(train, test, &options, progress)?;
        let (main, seen, cost) = match &row.compile {
            None => {
                let seen = |data: &Dataset| {
                    let outputs = network.outputs(data).map_err(MeasureError::from)?;
                    Ok::<_, ExperimentError>(with_labels(outputs.into(), network.width(), data, MAIN, COLLATERAL)?)
                };
                (network.accuracy(test)?, [seen(attack)?, seen(test)?], None)
            }
            Some(compile) => {
                progress.note("compiling");
                let (compiled, report) = training::compile(&network, train, compile, progress)?;
                let seen = |data: &Dataset| observations(&compiled, data, MAIN, COLLATERAL);
                let cost = qfe::Plan::choose(compiled.map()).field_muls();
                let bits =
                    |range: &training::OutputRange| ((range.empirical.1 - range.empirical.0) as f64 + 1.0).log2();
                let bits = report.outputs.iter().map(bits).fold(0.0, f64::max);
                (training::accuracy(&compiled, test)?, [seen(attack)?, seen(test)?], Some((cost, bits)))
            }
        };
        let options = AuditOptions {
            network: row.name.clone(),
            attribute: COLLATERAL.into(),
            families: row.families.clone(),
            shuffled_control: false,
            vote: vec![20, 140],
            ..AuditOptions::default()
        };
        progress.note("attacking");
        let report = leakage::audit(&seen[0], &seen[1], &options, progress)?;
        Ok(Measured::new(study, row, main, &report, cost))
    }
}

impl Measured {
    fn new(study: Study, row: &Row, main: f64, report: &AuditReport, cost: Option<(f64, f64)>) -> Self {
        let pooled = report.attackers.iter().filter(|attacker| attacker.class.is_none());
        let vote = |k: usize| report.vote.iter().find(|vote| vote.k == k).map(|vote| vote.accuracy);
        Self {
            study: study.name().into(),
            row: row.name.clone(),
            published: row.published,
            seeds: 1,
            main,
            pooled: report.highest_pooled.accuracy,
            family: report.highest_pooled.family.clone(),
            worst_class: report.highest_class.as_ref().map_or(report.highest_pooled.accuracy, |found| found.accuracy),
            vote: (vote(20), vote(140)),
            attack_items: (report.items.train, report.items.test),
            field_muls: cost.map(|(muls, _)| muls),
            output_bits: cost.map(|(_, bits)| bits),
            attackers: pooled.map(|attacker| (attacker.family.clone(), attacker.accuracy)).collect(),
        }
    }

    /// The mean over seeds, at least one.
    fn mean(found: &[Self]) -> Self {
        let count = found.len() as f64;
        let mean = |part: fn(&Self) -> f64| found.iter().map(part).sum::<f64>() / count;
        let (main, pooled, worst_class) = (mean(|x| x.main), mean(|x| x.pooled), mean(|x| x.worst_class));
        let votes = |part: fn(&Self) -> Option<f64>| found.iter().map(part).sum::<Option<f64>>().map(|sum| sum / count);
        let vote = (votes(|x| x.vote.0), votes(|x| x.vote.1));
        Self { seeds: found.len(), main, pooled, worst_class, vote, ..found[0].clone() }
    }
}
