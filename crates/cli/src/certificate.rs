//! Certificates of compiled networks, from data sets or from images drawn on the way.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use leakage::certificate::{Certificate, CertificateOptions, CertificateSamples, Growth, NoisyOutput, certify, growth};
use model::{CompiledNetwork, output_noise};
use serde::Serialize;
use sha2::{Digest, Sha256};
use training::History;

use crate::commands::train;
use crate::console::Console;

/// What is drawn at a time: the outputs are kept, the images are not.
const BLOCK: usize = 20_000;

/// A certificate, and how it grew where that was asked for.
#[derive(Serialize)]
pub struct Certified {
    /// The certificate.
    #[serde(flatten)]
    pub certificate: Certificate,
    /// Certificates of parts of the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
}

/// Networks that open the same ciphertexts, and the noise of all their outputs.
pub struct Opened<'a> {
    networks: &'a [CompiledNetwork],
    noise: Vec<NoisyOutput>,
}

impl<'a> Opened<'a> {
    /// Reads the noise of every output.
    pub fn new(networks: &'a [CompiledNetwork]) -> Result<Self> {
        let noise = output_noise(&networks.iter().collect::<Vec<_>>())?;
        let noise = noise.into_iter().map(|noise| NoisyOutput {
            low: noise.low,
            high: noise.high,
            step: noise.step,
            deviation: noise.deviation,
            tail: noise.tail,
        });
        Ok(Self { networks, noise: noise.collect() })
    }

    /// The certificate of some samples, and of `steps` growing parts of them.
    pub fn certify(
        &self,
        samples: &CertificateSamples,
        options: &CertificateOptions,
        steps: Option<u32>,
    ) -> Result<Certified> {
        let certificate = certify(samples, &self.noise, options)?;
        let growth = steps.map(|steps| growth(samples, &self.noise, options, steps)).transpose()?;
        Ok(Certified { certificate, growth })
    }

    /// The outputs and labels of a data set.
    pub fn samples(&self, data: &Dataset, collateral: &str) -> Result<CertificateSamples> {
        let (main, collateral) = (data.labels(self.networks[0].main())?, data.labels(collateral)?);
        let outputs = self.networks.iter().map(|network| network.evaluate_all_without_noise(data));
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        let widths = self.networks.iter().map(CompiledNetwork::outputs);
        let mut rows: Vec<_> = outputs.iter().zip(widths).map(|(outputs, width)| outputs.chunks_exact(width)).collect();
        let joint = (0..data.len()).flat_map(|_| {
            let row = rows.iter_mut().flat_map(|rows| rows.next().unwrap_or_default());
            row.copied().collect::<Vec<_>>()
        });
        Ok(CertificateSamples {
            outputs: joint.collect(),
            main: main.values.clone(),
            collateral: collateral.values.clone(),
            main_classes: main.classes.clone(),
            collateral_classes: collateral.classes.clone(),
        })
    }

    /// The outputs of `count` images, drawn as those that the networks were trained on, from seeds of their own.
    pub fn drawn(&self, count: usize, seed: u64, collateral: &str, console: &Console) -> Result<CertificateSamples> {
        let generator = Generator::new(&self.specification()?)?;
        let mut all = CertificateSamples::default();
        let bar = console.bar("drawing");
        host::Progress::begin(&bar, count as u64);
        for block in 0..count.div_ceil(BLOCK) {
            let count = BLOCK.min(count - block * BLOCK);
            let part = generator.draw(count, block_seed(seed, block as u64), &host::Silent);
            let part = self.samples(&part, collateral)?;
            all.outputs.extend(part.outputs);
            all.main.extend(part.main);
            all.collateral.extend(part.collateral);
            (all.main_classes, all.collateral_classes) = (part.main_classes, part.collateral_classes);
            host::Progress::advance(&bar, count as u64);
        }
        bar.finish_and_clear();
        Ok(all)
    }

    fn specification(&self) -> Result<DrawSpec> {
        let history = History::of(&self.networks[0])?;
        let text = history.as_ref().and_then(|history| history.record.data.get("specification"));
        let text =
            text.context("the network was not trained on images drawn by `halflight dataset draw`: give --data")?;
        serde_json::from_str(text).context("the training record of the network, `specification`")
    }

    /// Refuses items that trained, selected or tuned one of the networks.
    pub fn unseen(&self, path: &Path, data: &Dataset) -> Result<()> {
        let check = |network| unseen(network, data).with_context(|| path.display().to_string());
        self.networks.iter().try_for_each(check)
    }
}

/// Refuses items that repeat each other: they are no independent draws.
pub fn distinct(sets: &[&Dataset]) -> Result<()> {
    let items = sets.iter().flat_map(|data| (0..data.len()).map(|item| data.image(item)));
    let count = sets.iter().map(|data| data.len()).sum::<usize>();
    let again = count - items.collect::<BTreeSet<_>>().len();
    ensure!(
        again == 0,
        "{again} of {count} items repeat another one, so that they are no independent draws; leave them out, or say \
         --repeated where the population itself has few values"
    );
    Ok(())
}

/// Refuses data that the network's own record names: the whole, by its hash, or single items.
fn unseen(network: &CompiledNetwork, data: &Dataset) -> Result<()> {
    let Some(History { record, report }) = History::of(network)? else { return Ok(()) };
    let same = [training::data_hash(data), training::data_hash(&train::hold_out(data).0)];
    ensure!(!same.contains(&record.data_hash), "the network was trained on this data; certify it on fresh items");
    for (sketch, what) in [(&record.seen, "trained or selected"), (&report.seen, "compiled")] {
        let found = sketch.as_ref().map_or(0, |sketch| sketch.found_in(data));
        if found > 0 {
            bail!("some of these items {what} the network ({found} of its {} marks); certify it on fresh items", {
                sketch.as_ref().map_or(0, |sketch| sketch.hashes.len())
            });
        }
    }
    Ok(())
}

/// Seeds that no person chooses, so that no image of a training set comes again.
fn block_seed(seed: u64, block: u64) -> u64 {
    let mut hash = Sha256::new_with_prefix("halflight certificate images v1");
    hash.update(seed.to_le_bytes());
    hash.update(block.to_le_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    u64::from_le_bytes(first)
}
