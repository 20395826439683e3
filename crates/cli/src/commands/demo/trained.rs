//! From data to a compiled, audited network.

use anyhow::Result;
use experiments::{Certifier, ExperimentError, Source, observations};
use leakage::certificate::{Certificate, CertificateError, CertificateOptions};
use leakage::{AuditOptions, AuditReport};
use model::CompiledNetwork;
use training::{CompileOptions, Precision, TrainOptions};

use super::clock::Clock;
use super::splits::Splits;
use crate::console::Console;

/// Evaluation points of a certificate for every main class.
const POINTS: usize = 4000;

/// A network to train.
pub struct Trial<'a> {
    /// Its name in the table.
    pub name: &'static str,
    /// Its data for training, tests and attacks.
    pub data: &'a Splits,
    /// How it is trained.
    pub options: TrainOptions,
    /// Gradient steps of the fine-tuning to integers.
    pub compile_steps: usize,
    /// What a certificate needs; none without noise.
    pub certified: Option<Certification>,
}

/// The noise that owners add, and the images that prove what it hides.
#[derive(Clone, Copy)]
pub struct Certification {
    /// Its deviation, as a fraction of each output's.
    pub noise: f32,
    /// Images to draw.
    pub images: usize,
    /// Their random seed.
    pub seed: u64,
}

/// A trained, compiled and audited network.
pub struct Trained {
    /// As in [`Trial`].
    pub name: &'static str,
    /// Name of the data.
    pub data: &'static str,
    /// The integer network.
    pub network: CompiledNetwork,
    /// Main accuracy in floating point, percent.
    pub accuracy_float: f64,
    /// Main accuracy in integers, percent.
    pub accuracy_integer: f64,
    /// What its outputs reveal.
    pub audit: AuditReport,
    /// The certificate; absent without noise.
    pub certificate: Option<Certificate>,
}

impl Trial<'_> {
    /// Trains, compiles, audits.
    pub fn run(&self, console: &Console, clock: &mut Clock) -> Result<Trained> {
        let Splits { train, test, attack, main, collateral, .. } = self.data;
        let float = clock.step(&format!("train {}", self.name), console, || {
            let bar = console.bar("training");
            let network = training::train(train, test, &self.options, &bar)?;
            bar.finish_and_clear();
            Ok((network, 0))
        })?;
        let network = clock.step(&format!("compile {}", self.name), console, || {
            let precision = Precision { left: 5, right: 5, combine: 6, input: None };
            let (noise, steps) = (self.certified.map(|certified| certified.noise), self.compile_steps);
            // Training's own noise if it is larger: main classes stay further apart.
            let learned_noise = noise.map(|_| self.options.noise);
            let standard = CompileOptions::default();
            let options = CompileOptions { precision, steps, noise, learned_noise, drop_dead: false, ..standard };
            let bar = console.bar("compiling");
            let (network, _) = training::compile(&float, train, &options, &bar)?;
            bar.finish_and_clear();
            Ok((network, 0))
        })?;
        let audit = clock.step(&format!("audit {}", self.name), console, || {
            let options = AuditOptions {
                network: self.name.to_owned(),
                attribute: (*collateral).to_owned(),
                noise: experiments::noise_of(&network),
                ..AuditOptions::default()
            };
            let bar = console.bar("auditing");
            let report = leakage::audit(
                &observations(&network, attack, main, collateral)?,
                &observations(&network, test, main, collateral)?,
                &options,
                &bar,
            )?;
            bar.finish_and_clear();
            Ok((report, 0))
        })?;
        let certified = self.certified.map(|drawn| self.certify(&network, drawn, console, clock)).transpose()?;
        let certificate = match certified {
            None => None,
            Some(Ok(certificate)) => Some(certificate),
            // The rest of the demo is still worth showing.
            Some(Err(refused)) => {
                console.warn(&format!("nothing is proved: {refused}"));
                None
            }
        };
        Ok(Trained {
            name: self.name,
            data: self.data.name,
            accuracy_float: float.accuracy(test)?,
            accuracy_integer: training::accuracy(&network, test)?,
            network,
            audit,
            certificate,
        })
    }

    /// The certificate from images that nothing else has used: they are drawn, evaluated and dropped. The inner error
    /// says why nothing can be proved.
    fn certify(
        &self,
        network: &CompiledNetwork,
        Certification { images: count, seed, .. }: Certification,
        console: &Console,
        clock: &mut Clock,
    ) -> Result<Result<Certificate, CertificateError>> {
        clock.step(&format!("certify {}", self.name), console, || {
            let certifier = Certifier::new(vec![network])?;
            let bar = console.bar("certifying");
            let items = certifier.items(Source::Drawn { count, seed }, self.data.collateral, &bar)?;
            bar.finish_and_clear();
            let options = CertificateOptions { points: POINTS, seed, ..CertificateOptions::default() };
            match certifier.certify(&items, &options, None) {
                Ok(certified) => Ok((Ok(certified.certificate), 0)),
                Err(ExperimentError::Certificate(refused)) => Ok((Err(refused), 0)),
                Err(error) => Err(error.into()),
            }
        })
    }
}
