//! Training for a certificate: outputs that no attacker can use, and that few samples prove to be so.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::defence::{Defence, Kind, Method, Options, Penalty};
use super::loss::discrepancy::{Discriminant, Layout, Matched, Measure, matching};
use super::loss::{Noise, chi_square, radius, volume};
use super::matched;
use crate::TrainOptions;
use crate::train::TrainError;

/// How much more weight it has with rounded weights than it had with floats.
const HEAVIER: f32 = 2.0;

/// Widths at which distributions are compared, in deviations of the noise. The first is what attackers see; the wider
/// ones guide training while classes are still wider than the noise.
const WIDTHS: [f32; 2] = [1.0, 2.5];

pub(super) static KIND: Kind = Kind {
    name: "certify",
    title: "Certify",
    text: "Equal distributions under the owners' noise, in classes that are narrow against it",
    standard: || Defence::certify(CertifyOptions::default()),
    preset: TrainOptions::quick,
    read: Some(|stored| erased_serde::deserialize(stored).map(Defence::certify)),
};

/// Options of [`Defence::certify`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CertifyOptions {
    /// Weight λ of all terms below but the width and the radius.
    pub weight: f32,
    /// Weight of the logarithm of the classes' mean volume in units of the noise, in addition to the main loss.
    pub width: f32,
    /// Weight of `χ²` under the noise, in addition to λ's squared maximum mean discrepancy.
    pub sharp: f32,
    /// Weight of the pairing loss, in addition to λ's discrepancy; used only with paired data.
    pub pairing: f32,
    /// Tilt `t` of the mean over main classes: one whose leak is `ℓ` times the mean counts in proportion to `exp(t·ℓ)`.
    /// A certificate's worst class is one of them; 0 counts all alike.
    #[serde(skip_serializing_if = "is_zero")]
    pub tilt: f32,
    /// Weight of the spread of squared distances from the centre, in addition to the main loss: keeps any class from lying
    /// far out, where it takes most of the deviation that the noise is proportional to.
    #[serde(skip_serializing_if = "is_zero")]
    pub radius: f32,
    /// Number of kernel widths of the discrepancy, each a third of the previous one (in squared distance).
    pub scales: usize,
    /// Whether to use pairs; `None` to follow the data set.
    pub paired: Option<bool>,
    /// Fractions of the run between which the weights rise from 0 to their full values.
    pub ramp: (f64, f64),
}

/// Files of networks without it keep their form.
fn is_zero(weight: &f32) -> bool {
    *weight == 0.0
}

impl Default for CertifyOptions {
    fn default() -> Self {
        Self {
            weight: 30.0,
            width: 0.005,
            sharp: 0.2,
            pairing: 0.3,
            tilt: 0.0,
            radius: 0.0,
            scales: 5,
            paired: None,
            ramp: (0.03, 0.23),
        }
    }
}

impl Defence {
    /// Training for a certificate: the distributions of the outputs within every main class are matched as far as the
    /// owners' noise shows them. Classes are kept narrow compared with the noise, because the number of samples that a
    /// certificate needs grows with their volume. Requires noise.
    pub fn certify(options: CertifyOptions) -> Self {
        Self::new(options)
    }
}

impl Method for CertifyOptions {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn copy(&self) -> Box<dyn Method> {
        Box::new(self.clone())
    }

    fn options(&self) -> Option<&dyn Options> {
        Some(self)
    }

    fn check(&self) -> Result<(), TrainError> {
        let weights = [
            ("defence.weight", self.weight),
            ("defence.width", self.width),
            ("defence.sharp", self.sharp),
            ("defence.pairing", self.pairing),
            ("defence.tilt", self.tilt),
            ("defence.radius", self.radius),
        ];
        matched::check(&weights, self.scales, self.ramp)
    }

    fn weight(&self) -> f32 {
        self.weight
    }

    fn set_weight(&mut self, weight: f32) {
        self.weight = weight;
    }

    fn needs_noise(&self) -> bool {
        true
    }

    fn quick(&self, options: &mut TrainOptions) {
        (options.steps, options.batch, options.rate, options.noise) = (1200, 2000, 6e-3, 0.2);
    }

    fn thorough(&self, options: &mut TrainOptions) {
        options.noise = 0.2;
    }

    fn penalty(&self) -> Option<&dyn Penalty> {
        Some(self)
    }

    fn fine_tuning(&self) -> Option<f32> {
        Some(HEAVIER)
    }
}

impl Penalty for CertifyOptions {
    fn name(&self) -> &'static str {
        "leak"
    }

    fn paired(&self) -> Option<bool> {
        self.paired
    }

    fn ramp(&self, done: f64) -> f32 {
        matched::ramp(self.ramp, done)
    }

    fn takes_discriminant(&self) -> bool {
        true
    }

    fn tilt(&self) -> f32 {
        self.tilt
    }

    fn descend(
        &self,
        q: &[f32],
        outputs: usize,
        layout: Layout,
        weight: f32,
        noise: Noise,
        discriminant: Option<Discriminant>,
    ) -> (Vec<f64>, Vec<f32>) {
        let share = |part: f32| if self.weight > 0.0 { part / self.weight } else { 0.0 };
        let floor = noise.deviation * noise.deviation;
        let measure = Measure { scales: self.scales, pairing: share(self.pairing), whiten: true, floor, discriminant };
        let (matched, mut gradient) = matching(q, outputs, layout, measure, weight);
        let leaks = sharp(q, outputs, layout, noise, weight * self.sharp, &mut gradient);
        volume(q, outputs, layout, noise.deviation, weight * share(self.width), &mut gradient);
        radius(q, outputs, weight * share(self.radius), &mut gradient);
        let leak = |(matched, leak): (&Matched, f64)| matched.mmd + f64::from(self.sharp) * leak;
        (matched.iter().zip(leaks).map(leak).collect(), gradient)
    }
}

/// The `χ²` of every class under the noise, a mean over [`WIDTHS`]; adds the gradient of `weight` times their mean.
fn sharp(q: &[f32], outputs: usize, layout: Layout, noise: Noise, weight: f32, gradient: &mut [f32]) -> Vec<f64> {
    let active = layout.cells.iter().filter(|&&cells| cells > 1).count().max(1) as f32;
    let (mut rest, mut start, mut classes) = (gradient, 0, Vec::new());
    for (number, &cells) in (0..).zip(layout.cells) {
        let length = cells * layout.items * outputs;
        let (head, tail) = rest.split_at_mut(length);
        classes.push((number, cells, &q[start..start + length], head));
        (rest, start) = (tail, start + length);
    }
    let widths = WIDTHS.len() as f32;
    let values = classes.into_par_iter().map(|(number, cells, q, gradient): (u64, _, _, _)| {
        let at = |(place, width): (u64, &f32), gradient: &mut [f32]| {
            let named = (width * noise.deviation, noise.draw, number * WIDTHS.len() as u64 + place);
            chi_square(q, outputs, (cells, layout), named, weight / (active * widths), gradient)
        };
        (0..).zip(&WIDTHS).map(|width| at(width, gradient)).sum::<f64>() / f64::from(widths)
    });
    values.collect()
}
