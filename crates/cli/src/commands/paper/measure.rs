//! Training and attacking one row.

use anyhow::Result;
use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use leakage::{AuditOptions, AuditReport, Observations};
use serde::{Deserialize, Serialize};
use training::TrainOptions;

use super::studies::{Row, Study};
use crate::console::Console;
use crate::observe::observations;

/// Seeds that name the drawings: training (in pairs, and one by one), test, attack.
const SEEDS: [u64; 4] = [100, 10, 1, 2];

/// Drawn digits in two fonts, split.
pub struct Ground {
    pairs: Dataset,
    single: Dataset,
    test: Dataset,
    attack: Dataset,
}

/// What came out of a row; percent, means over the seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// The study.
    pub study: String,
    /// The row.
    pub row: String,
    /// Main and collateral accuracy in the paper.
    pub published: Option<(f64, Option<f64>)>,
    /// Trainings that the figures are means of.
    pub seeds: usize,
    /// Main accuracy of the floats, or of the integers where they are what is measured.
    pub main: f64,
    /// Largest accuracy of any attacker over all items, the main label given; its family.
    pub pooled: f64,
    /// The family of the first seed.
    pub family: String,
    /// Largest accuracy of any attacker within any class.
    pub worst_class: f64,
    /// One subject from 20 and from 140 items.
    pub vote: (f64, f64),
    /// Items that attackers learned from and were scored on.
    pub attack_items: (usize, usize),
    /// An encrypted evaluation in multiplications of the base field, for integers.
    pub field_muls: Option<f64>,
    /// Bits of the widest output over the data.
    pub output_bits: Option<f64>,
    /// Accuracy over all items by family, of the first seed.
    pub attackers: Vec<(String, f64)>,
}

impl Ground {
    /// Draws everything; seeds of the data are fixed, so that a row is one and the same for ever.
    pub fn draw(images: usize, test: usize, attack: usize, console: &Console) -> Result<Self> {
        let generator = Generator::new(&DrawSpec::default())?;
        let bar = console.bar("drawing");
        let ground = Self {
            pairs: generator.draw_pairs(images / 2, SEEDS[0], &bar),
            single: generator.draw(images, SEEDS[1], &bar),
            test: generator.draw(test, SEEDS[2], &bar),
            attack: generator.draw(attack, SEEDS[3], &bar),
        };
        bar.finish_and_clear();
        Ok(ground)
    }

    /// Trains, compiles where asked, attacks.
    pub fn measure(&self, study: Study, row: &Row, seed: u64, console: &Console) -> Result<Measured> {
        let train = if row.options.defence.takes_pairs() { &self.pairs } else { &self.single };
        let bar = console.bar("training");
        let options = TrainOptions { seed, ..row.options.clone() };
        let network = training::train(train, &self.test, &options, &bar)?;
        bar.finish_and_clear();
        let (main, seen, cost) = match &row.compile {
            None => {
                let seen = |data: &Dataset| {
                    let labels = (data.labels("character")?, data.labels("font")?);
                    anyhow::Ok(Observations {
                        outputs: network.outputs(data)?,
                        width: network.width(),
                        main: labels.0.values.clone(),
                        collateral: labels.1.values.clone(),
                        main_classes: labels.0.classes.clone(),
                        collateral_classes: labels.1.classes.clone(),
                    })
                };
                (network.accuracy(&self.test)?, [seen(&self.attack)?, seen(&self.test)?], None)
            }
            Some(compile) => {
                let bar = console.bar("compiling");
                let (compiled, report) = training::compile(&network, train, compile, &bar)?;
                bar.finish_and_clear();
                let seen = |data: &Dataset| observations(&compiled, data, "character", "font");
                let cost = qfe::Plan::choose(compiled.map()).field_muls();
                let bits =
                    |range: &training::OutputRange| ((range.empirical.1 - range.empirical.0) as f64 + 1.0).log2();
                let bits = report.outputs.iter().map(bits).fold(0.0, f64::max);
                (
                    training::accuracy(&compiled, &self.test)?,
                    [seen(&self.attack)?, seen(&self.test)?],
                    Some((cost, bits)),
                )
            }
        };
        let options = AuditOptions {
            network: row.name.clone(),
            attribute: "font".into(),
            families: row.families.clone(),
            shuffled_control: false,
            vote: vec![20, 140],
            ..AuditOptions::default()
        };
        let bar = console.bar("attacking");
        let report = leakage::audit(&seen[0], &seen[1], &options, &bar)?;
        bar.finish_and_clear();
        Ok(Measured::new(study, row, main, &report, cost))
    }
}

impl Measured {
    fn new(study: Study, row: &Row, main: f64, report: &AuditReport, cost: Option<(f64, f64)>) -> Self {
        let pooled = report.attackers.iter().filter(|attacker| attacker.class.is_none());
        let vote = |k: usize| report.vote.iter().find(|vote| vote.k == k).map_or(0.0, |vote| vote.accuracy);
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

    /// The mean over seeds.
    pub fn mean(found: Vec<Self>) -> Self {
        let count = found.len().max(1) as f64;
        let mean = |part: fn(&Self) -> f64| found.iter().map(part).sum::<f64>() / count;
        let (main, pooled, worst_class) = (mean(|x| x.main), mean(|x| x.pooled), mean(|x| x.worst_class));
        let vote = (mean(|x| x.vote.0), mean(|x| x.vote.1));
        Self { seeds: found.len(), main, pooled, worst_class, vote, ..found[0].clone() }
    }
}
