//! `halflight page`: what the predictor's page shows of a network besides its public parameters.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use dataset::{Dataset, Schema};
use items::Form;
use model::CompiledNetwork;
use serde_json::json;
use service::page::{Label, Labelled, PageFile};

use super::matching;
use crate::console::{self, Console};
use crate::files::{self, Output};

/// Writes what the page of a predictor shows: samples to pick, a cloud of outputs, and the columns of a table or the
/// analysis of sound. The content becomes public.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight page compiled.safetensors --data train.safetensors --collateral font \\\n    \
    --out models/digits/page.json"
)]
pub struct Page {
    #[command(flatten)]
    output: Output,
    /// Compiled network that the predictor serves
    network: PathBuf,
    /// Data set for the cloud: the training data, or similar data that may be public
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Data set to take samples from, instead of the same one
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    /// Collateral attribute that colours the points
    #[arg(long)]
    collateral: String,
}

impl Page {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let network = CompiledNetwork::load(&self.network)?;
        let data = Dataset::load(&self.data)?;
        let samples = self.samples.as_deref().map(Dataset::load).transpose()?;
        for (path, data) in std::iter::once((&self.data, &data)).chain(self.samples.iter().zip(&samples)) {
            matching::encoder((path, data), network.encoder())?;
        }
        let form = form(&data);
        let labelled = |data| labelled(data, form.as_ref(), network.main(), &self.collateral);
        let page =
            PageFile::new(&network, labelled(&data)?, labelled(samples.as_ref().unwrap_or(&data))?, &self.collateral)?;
        let bytes = page.to_bytes();
        files::write(path, &bytes)?;
        let (points, samples) = page.counts();
        console.result(&json!({ "file": path, "points": points, "samples": samples, "bytes": bytes.len() }), || {
            format!("{}: {points} points, {samples} samples, {}", path.display(), console::bytes(bytes.len()))
        })
    }
}

/// How owners make an item, where the data set has no pictures and says it. The labels do not belong to it.
fn form(data: &Dataset) -> Option<Form> {
    let table = data.schema().map(|schema| Form::Table(Schema { columns: schema.columns.clone(), labels: vec![] }));
    let sound = || data.features().and_then(|features| features.sound.clone()).map(Form::Sound);
    table.or_else(sound)
}

/// The items of a data set with both labels.
pub fn labelled<'a>(data: &'a Dataset, form: Option<&'a Form>, main: &str, collateral: &str) -> Result<Labelled<'a>> {
    let label = |name| {
        let labels = data.labels(name)?;
        anyhow::Ok(Label { classes: &labels.classes, values: &labels.values })
    };
    Ok(Labelled { images: data, form, main: label(main)?, collateral: label(collateral)? })
}
