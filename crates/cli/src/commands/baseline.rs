//! `halflight baseline`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::{Dataset, Labels};
use encoder::Encoder;
use leakage::{AttackerConfig, AuditOptions, AuditReport, Observations, Scope};
use serde_json::json;

use super::matching;
use crate::console::{self, Console};
use crate::encoder::EncoderArguments;

/// What unconstrained learners achieve on the inputs in the clear: an upper bound on a private network's main accuracy,
/// and on what it could reveal about another label.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    halflight baseline --train train.safetensors --test test.safetensors --label digit\n  \
    halflight baseline --train train.safetensors --test test.safetensors --label accent --given digit")]
pub struct Baseline {
    /// Data set to learn from
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Data set to be scored on
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// The label to predict
    #[arg(long, value_name = "LABEL")]
    label: String,
    /// A label that the learners know
    #[arg(long, value_name = "LABEL")]
    given: Option<String>,
    /// Learners, by the names of attackers in an audit
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "FAMILY",
        default_value = "logistic,knn-7,forest-1,boosting,mlp-256x128,cnn"
    )]
    families: Vec<AttackerConfig>,
    /// Whole runs
    #[arg(long, value_delimiter = ',', default_value = "0")]
    seeds: Vec<u64>,
    #[command(flatten)]
    encoder: EncoderArguments,
}

impl Baseline {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let [train, test] = [&self.train, &self.test].map(|path| Dataset::load(path));
        let (train, test) = (train?, test?);
        let labels = std::iter::once(&self.label).chain(&self.given);
        matching::pair((&self.train, &train), (&self.test, &test), labels)?;
        let encoder = Encoder::fit(&train, &self.encoder.options(&train)?)?;
        if encoder.features() > leakage::WIDTH_LIMIT {
            bail!(
                "{} inputs are more than {}: use --pooling, --dct or --pca",
                encoder.features(),
                leakage::WIDTH_LIMIT
            );
        }
        let options = AuditOptions {
            network: "inputs in the clear".into(),
            attribute: self.label.clone(),
            families: self.families.clone(),
            seeds: self.seeds.clone(),
            vote: vec![1],
            shuffled_control: false,
            ..AuditOptions::default()
        };
        let bar = console.bar("learning");
        let report = leakage::audit(
            &self.observe(&encoder, &train, &self.train)?,
            &self.observe(&encoder, &test, &self.test)?,
            &options,
            &bar,
        )?;
        bar.finish_and_clear();
        let strongest = &report.strongest_pooled;
        let pooled: Vec<_> = report.attackers.iter().filter(|learner| learner.scope == Scope::Pooled).collect();
        let value = json!({
            "label": self.label, "given": self.given, "inputs": encoder.features(), "items": report.items,
            "strongest": strongest, "learners": pooled,
        });
        console.result(&value, || text(&report))
    }

    /// The encoder's columns in the clear, with the labels.
    fn observe(&self, encoder: &Encoder, data: &Dataset, path: &Path) -> Result<Observations> {
        let mut outputs = vec![0.0; data.len() * encoder.features()];
        for (item, row) in outputs.chunks_exact_mut(encoder.features()).enumerate() {
            encoder.standardise(data.image(item), row).with_context(|| path.display().to_string())?;
        }
        let label = data.labels(&self.label).with_context(|| path.display().to_string())?;
        let given = match &self.given {
            Some(name) => data.labels(name).with_context(|| path.display().to_string())?.clone(),
            None => Labels { name: String::new(), classes: vec!["any".into()], values: vec![0; data.len()] },
        };
        Ok(Observations {
            outputs: outputs.into(),
            width: encoder.features(),
            main: given.values,
            collateral: label.values.clone(),
            main_classes: given.classes,
            collateral_classes: label.classes.clone(),
        })
    }
}

fn text(report: &AuditReport) -> String {
    let pooled = report.attackers.iter().filter(|learner| learner.scope == Scope::Pooled);
    let rows = pooled.map(|learner| {
        [
            learner.family.clone(),
            format!("{:.2}", learner.accuracy),
            format!("{:.1} to {:.1}", learner.low, learner.high),
        ]
    });
    format!(
        "{} from the inputs in the clear; chance {:.1} %; chosen on held-out training items: {}\n{}",
        report.attribute,
        report.strongest_pooled.chance,
        report.strongest_pooled.family,
        console::table(["learner", "right %", "95 %"], rows)
    )
}
