//! Certificates of compiled networks, from data sets or from images drawn on the way.

use std::collections::BTreeSet;

use dataset::Dataset;
use dataset::draw::{DrawSpec, FontSource, Generator};
use host::{Progress, Silent};
use leakage::certificate::{Certificate, CertificateOptions, CertificateSamples, Growth, NoisyOutput, certify, growth};
use model::{CompiledNetwork, output_noise};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use training::History;

use crate::ExperimentError;
use crate::seen::{Seen, coincidence, seen};

/// Images drawn at a time: the outputs are kept, the images are not.
const BLOCK: usize = 20_000;

/// A certificate, its subject, and its growth if requested.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Certified {
    /// Hashes of the networks.
    pub networks: Vec<String>,
    /// The attribute that attackers try to learn.
    pub attribute: String,
    /// Evaluation points for every main class.
    pub points: usize,
    /// Random seed of the evaluation points.
    pub seed: u64,
    /// The certificate.
    #[serde(flatten)]
    pub certificate: Certificate,
    /// Certificates of parts of the samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
}

/// Where the items of a certificate come from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Data sets that no network saw.
    Data {
        /// The data sets, with the same columns and classes.
        sets: &'a [&'a Dataset],
        /// Whether the population has few distinct values, so that repeated items are still independent draws.
        repeated: bool,
    },
    /// This many images, drawn by the specification that the networks record for their training data.
    Drawn {
        /// The number of images.
        count: usize,
        /// Their random seed.
        seed: u64,
    },
}

/// Outputs and labels, with the assumptions they rest on.
#[derive(Clone, Debug, Default)]
pub struct Items {
    samples: CertificateSamples,
    attribute: String,
    assumptions: Vec<String>,
}

/// Networks that open the same ciphertexts, to be certified together: an attacker sees all their outputs at once.
#[derive(Debug)]
pub struct Certifier<'a> {
    networks: Vec<&'a CompiledNetwork>,
    noise: Vec<NoisyOutput>,
    /// Whether all main classes are taken together.
    overall: bool,
}

impl<'a> Certifier<'a> {
    /// Reads the noise of every output.
    ///
    /// # Errors
    /// No network, another encoder than the first one's, or an output without its own noise.
    pub fn new(networks: Vec<&'a CompiledNetwork>) -> Result<Self, ExperimentError> {
        let noise = output_noise(&networks)?.into_iter().map(|noise| NoisyOutput {
            low: noise.low,
            high: noise.high,
            step: noise.step,
            deviation: noise.deviation,
            tail: noise.tail,
        });
        Ok(Self { noise: noise.collect(), networks, overall: false })
    }

    /// The same over all items at once, without the main label. Its total variation then also bounds how much
    /// predictions of any kind can differ between two values (demographic parity). What the main label reveals about
    /// the attribute counts.
    #[must_use]
    pub fn overall(self) -> Self {
        Self { overall: true, ..self }
    }

    /// The outputs and labels that attackers of `attribute` would see.
    ///
    /// # Errors
    /// A network has seen some of the items, or they repeat each other, or do not fit the networks; data sets have
    /// different classes; images cannot be drawn ([`Certifier::specification`]).
    pub fn items(
        &self,
        source: Source<'_>,
        attribute: &str,
        progress: &dyn Progress,
    ) -> Result<Items, ExperimentError> {
        let mut items = Items { attribute: attribute.to_owned(), ..Items::default() };
        match source {
            Source::Data { sets, repeated } => {
                for data in sets {
                    items.assumptions.extend(self.check_unseen(data, repeated)?);
                    sets[0].check_classes(data, self.networks[0].main())?;
                    sets[0].check_classes(data, attribute)?;
                    items.extend(self.samples(data, attribute)?);
                }
                items.assumptions.dedup();
                match (check_distinct(sets), repeated) {
                    (Err(ExperimentError::Repeated { repeated, count }), true) => items.assumptions.push(format!(
                        "{repeated} of {count} items repeat another one because the population has few values, not because \
                         they were copied"
                    )),
                    (checked, _) => checked?,
                }
            }
            Source::Drawn { count, seed } => {
                let specification = self.specification()?;
                let told = serde_json::to_string(&specification).map_err(|_| ExperimentError::NotDrawn)?;
                items.assumptions.push(format!("items will look as the network's own record says: {told}"));
                self.draw(&mut items, &specification, (count, seed), progress)?;
            }
        }
        Ok(items)
    }

    /// Items of both data sets of an audit, or of the test set alone if a network was trained on the other: attackers
    /// may learn from what a network has seen, a certificate may not. `repeated` is that of [`Source::Data`].
    ///
    /// # Errors
    /// As [`Certifier::items`].
    pub fn unseen(
        &self,
        train: &Dataset,
        test: &Dataset,
        attribute: &str,
        repeated: bool,
    ) -> Result<Items, ExperimentError> {
        let items = |sets: &[&Dataset]| self.items(Source::Data { sets, repeated }, attribute, &Silent);
        match items(&[test, train]) {
            Err(ExperimentError::Seen { .. }) => items(&[test]),
            items => items,
        }
    }

    /// The certificate of some items, and of `steps` growing parts of them.
    ///
    /// # Errors
    /// As [`certify`].
    pub fn certify(
        &self,
        items: &Items,
        options: &CertificateOptions,
        steps: Option<u32>,
    ) -> Result<Certified, ExperimentError> {
        let mut certificate = certify(&items.samples, &self.noise, options)?;
        certificate.assumptions.extend(items.assumptions.iter().cloned());
        let growth = steps.map(|steps| growth(&items.samples, &self.noise, options, steps)).transpose()?;
        let hex = |network: &&CompiledNetwork| network.hash().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Certified {
            networks: self.networks.iter().map(hex).collect(),
            attribute: items.attribute.clone(),
            points: options.points,
            seed: options.seed,
            certificate,
            growth,
        })
    }

    /// The outputs without noise and the labels of a data set: the first network's main label, or one label for all.
    ///
    /// # Errors
    /// There is no such label, or the data have other columns than a network takes.
    fn samples(&self, data: &Dataset, collateral: &str) -> Result<CertificateSamples, ExperimentError> {
        data.check_encoder(self.networks[0].encoder())?;
        let (main, collateral) = (data.labels(self.networks[0].main())?, data.labels(collateral)?);
        let outputs = self.networks.iter().map(|network| network.evaluate_all_without_noise(data));
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        let widths = self.networks.iter().map(|network| network.outputs());
        let mut rows: Vec<_> = outputs.iter().zip(widths).map(|(outputs, width)| outputs.chunks_exact(width)).collect();
        let mut joint = Vec::with_capacity(data.len() * self.noise.len());
        for _ in 0..data.len() {
            joint.extend(rows.iter_mut().flat_map(|rows| rows.next().unwrap_or_default()));
        }
        let (main, main_classes) = match self.overall {
            true => (vec![0; data.len()], vec!["all items".to_owned()]),
            false => (main.values.clone(), main.classes.clone()),
        };
        Ok(CertificateSamples {
            outputs: joint,
            main,
            collateral: collateral.values.clone(),
            main_classes,
            collateral_classes: collateral.classes.clone(),
        })
    }

    /// Draws images from fresh seeds and keeps their outputs.
    fn draw(
        &self,
        items: &mut Items,
        specification: &DrawSpec,
        (count, seed): (usize, u64),
        progress: &dyn Progress,
    ) -> Result<(), ExperimentError> {
        let generator = Generator::new(specification)?;
        progress.begin(count as u64);
        for block in 0..count.div_ceil(BLOCK) {
            let count = BLOCK.min(count - block * BLOCK);
            let part = generator.draw(count, block_seed(seed, block as u64), &Silent);
            items.extend(self.samples(&part, &items.attribute)?);
            progress.advance(count as u64);
        }
        Ok(())
    }

    /// The specification by which the networks record that their training images were drawn. No hash covers the record:
    /// a certificate that relies on it repeats it among its assumptions.
    ///
    /// # Errors
    /// They were not drawn, or by different specifications, or with equal fonts or fonts from files.
    pub fn specification(&self) -> Result<DrawSpec, ExperimentError> {
        let mut told = Vec::new();
        for network in &self.networks {
            let history = History::of(network)?;
            let text = history.as_ref().and_then(|history| history.record.data.get("specification"));
            let text = text.ok_or(ExperimentError::NotDrawn)?;
            told.push(serde_json::from_str::<DrawSpec>(text).map_err(|_| ExperimentError::NotDrawn)?);
        }
        let specification = told.pop().ok_or(ExperimentError::NotDrawn)?;
        let fonts = &specification.fonts;
        let doubtful = fonts.iter().enumerate().any(|(index, font)| {
            matches!(font.source, FontSource::File(_)) || fonts[..index].iter().any(|other| other.source == font.source)
        });
        if doubtful || told.iter().any(|other| *other != specification) {
            return Err(ExperimentError::Drawing);
        }
        Ok(specification)
    }

    /// Refuses items that trained, selected or tuned one of the networks, according to their own records, and returns
    /// what must be assumed instead. Where the population has few values, items that merely look like those are
    /// accepted.
    ///
    /// # Errors
    /// A network has seen the data, or some of its items; or its record cannot be read.
    fn check_unseen(&self, data: &Dataset, repeated: bool) -> Result<Vec<String>, ExperimentError> {
        let mut assumed = Vec::new();
        for network in &self.networks {
            match seen(network, data)? {
                None => assumed.push(
                    "no record says which items the network has seen: you must know that these are fresh".to_owned(),
                ),
                Some(Seen { found: 0, same: false, .. }) => {}
                Some(found) if repeated && coincidence(found, data) => assumed.push(format!(
                    "{} of {} marks of the network's training items are found among these by coincidence, about as often as \
                     the population repeats itself",
                    found.found, found.kept
                )),
                Some(Seen { found, .. }) => return Err(ExperimentError::Seen { found }),
            }
        }
        assumed.dedup();
        Ok(assumed)
    }
}

impl Items {
    fn extend(&mut self, more: CertificateSamples) {
        let all = &mut self.samples;
        all.outputs.extend(more.outputs);
        all.main.extend(more.main);
        all.collateral.extend(more.collateral);
        (all.main_classes, all.collateral_classes) = (more.main_classes, more.collateral_classes);
    }
}

/// Refuses items that repeat each other, within a data set or between two: they are not independent draws.
///
/// # Errors
/// Some items do.
fn check_distinct(sets: &[&Dataset]) -> Result<(), ExperimentError> {
    let items = sets.iter().flat_map(|data| (0..data.len()).map(|item| data.image(item)));
    let count = sets.iter().map(|data| data.len()).sum::<usize>();
    let repeated = count - items.collect::<BTreeSet<_>>().len();
    if repeated > 0 { Err(ExperimentError::Repeated { repeated, count }) } else { Ok(()) }
}

/// Seeds that nobody chooses, so that no image of a training set is drawn again.
fn block_seed(seed: u64, block: u64) -> u64 {
    let mut hash = Sha256::new_with_prefix("halflight certificate images v1");
    hash.update(seed.to_le_bytes());
    hash.update(block.to_le_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    u64::from_le_bytes(first)
}
