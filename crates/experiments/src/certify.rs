//! Certificates of compiled networks, from data sets or from images drawn on the way.

use std::collections::BTreeSet;

use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use host::{Progress, Silent};
use leakage::certificate::{Certificate, CertificateOptions, CertificateSamples, Growth, NoisyOutput, certify, growth};
use model::{CompiledNetwork, output_noise};
use serde::Serialize;
use sha2::{Digest, Sha256};
use training::History;

use crate::ExperimentError;

/// What is drawn at a time: the outputs are kept, the images are not.
const BLOCK: usize = 20_000;

/// A certificate, and how it grew where that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Certified {
    /// The certificate.
    #[serde(flatten)]
    pub certificate: Certificate,
    /// Certificates of parts of the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
}

/// Networks that open the same ciphertexts, to be certified together: an attacker sees all their outputs at once.
#[derive(Debug)]
pub struct Certifier<'a> {
    networks: Vec<&'a CompiledNetwork>,
    noise: Vec<NoisyOutput>,
}

impl<'a> Certifier<'a> {
    /// Reads the noise of every output.
    ///
    /// # Errors
    /// No network, another encoder than the first one's, or an output without noise of its own.
    pub fn new(networks: Vec<&'a CompiledNetwork>) -> Result<Self, ExperimentError> {
        let noise = output_noise(&networks)?.into_iter().map(|noise| NoisyOutput {
            low: noise.low,
            high: noise.high,
            step: noise.step,
            deviation: noise.deviation,
            tail: noise.tail,
        });
        Ok(Self { noise: noise.collect(), networks })
    }

    /// The certificate of some samples, and of `steps` growing parts of them.
    ///
    /// # Errors
    /// As [`certify`].
    pub fn certify(
        &self,
        samples: &CertificateSamples,
        options: &CertificateOptions,
        steps: Option<u32>,
    ) -> Result<Certified, ExperimentError> {
        let certificate = certify(samples, &self.noise, options)?;
        let growth = steps.map(|steps| growth(samples, &self.noise, options, steps)).transpose()?;
        Ok(Certified { certificate, growth })
    }

    /// The outputs without noise and the labels of a data set, main label and classes as the first network has them.
    ///
    /// # Errors
    /// There is no such label, or a network does not take these items.
    pub fn samples(&self, data: &Dataset, collateral: &str) -> Result<CertificateSamples, ExperimentError> {
        let (main, collateral) = (data.labels(self.networks[0].main())?, data.labels(collateral)?);
        let outputs = self.networks.iter().map(|network| network.evaluate_all_without_noise(data));
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        let widths = self.networks.iter().map(|network| network.outputs());
        let mut rows: Vec<_> = outputs.iter().zip(widths).map(|(outputs, width)| outputs.chunks_exact(width)).collect();
        let mut joint = Vec::with_capacity(data.len() * self.noise.len());
        for _ in 0..data.len() {
            joint.extend(rows.iter_mut().flat_map(|rows| rows.next().unwrap_or_default()));
        }
        Ok(CertificateSamples {
            outputs: joint,
            main: main.values.clone(),
            collateral: collateral.values.clone(),
            main_classes: main.classes.clone(),
            collateral_classes: collateral.classes.clone(),
        })
    }

    /// The outputs of `count` images, drawn as those that the networks were trained on, from seeds of their own.
    ///
    /// # Errors
    /// The first network was not trained on drawn images, or a font of theirs cannot be read.
    pub fn drawn(
        &self,
        count: usize,
        seed: u64,
        collateral: &str,
        progress: &dyn Progress,
    ) -> Result<CertificateSamples, ExperimentError> {
        let generator = Generator::new(&self.specification()?)?;
        let mut all = CertificateSamples::default();
        progress.begin(count as u64);
        for block in 0..count.div_ceil(BLOCK) {
            let count = BLOCK.min(count - block * BLOCK);
            let part = self.samples(&generator.draw(count, block_seed(seed, block as u64), &Silent), collateral)?;
            all.outputs.extend(part.outputs);
            all.main.extend(part.main);
            all.collateral.extend(part.collateral);
            (all.main_classes, all.collateral_classes) = (part.main_classes, part.collateral_classes);
            progress.advance(count as u64);
        }
        Ok(all)
    }

    fn specification(&self) -> Result<DrawSpec, ExperimentError> {
        let history = History::of(self.networks[0])?;
        let text = history.as_ref().and_then(|history| history.record.data.get("specification"));
        serde_json::from_str(text.ok_or(ExperimentError::NotDrawn)?).map_err(|_| ExperimentError::NotDrawn)
    }

    /// Refuses items that trained, selected or tuned one of the networks, as far as their own records say.
    ///
    /// # Errors
    /// A network has seen the data, or some of its items; or its record cannot be read.
    pub fn check_unseen(&self, data: &Dataset) -> Result<(), ExperimentError> {
        for network in &self.networks {
            let Some(History { record, report }) = History::of(network)? else { continue };
            let same = [training::data_hash(data), training::data_hash(&training::hold_out(data).0)];
            let sketches = [&record.seen, &report.seen].into_iter().flatten();
            let found = sketches.map(|sketch| sketch.found_in(data)).max().unwrap_or(0);
            if found > 0 || same.contains(&record.data_hash) {
                return Err(ExperimentError::Seen { found });
            }
        }
        Ok(())
    }
}

/// Refuses items that repeat each other, within a data set or between two: they are no independent draws.
///
/// # Errors
/// Some do.
pub fn check_distinct(sets: &[&Dataset]) -> Result<(), ExperimentError> {
    let items = sets.iter().flat_map(|data| (0..data.len()).map(|item| data.image(item)));
    let count = sets.iter().map(|data| data.len()).sum::<usize>();
    let repeated = count - items.collect::<BTreeSet<_>>().len();
    if repeated > 0 { Err(ExperimentError::Repeated { repeated, count }) } else { Ok(()) }
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
