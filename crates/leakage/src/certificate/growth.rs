//! How a certificate tightens with samples, and an estimate of where it ends.

use super::certify::certify;
use super::error::CertificateError;
use super::input::{CertificateOptions, CertificateSamples};
use super::maximal::NoisyOutput;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Pooled certificates of growing parts of the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The smallest part first, all samples last.
    pub points: Vec<GrowthPoint>,
    /// Where the plug-in would end with samples without end, in percent: an estimate, not a bound. `None` from fewer
    /// than three points.
    pub limit: Option<f64>,
}

/// The pooled certificate of a part of the samples, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GrowthPoint {
    /// Samples.
    pub items: usize,
    /// Estimate, on average at least the truth.
    pub plug_in: f64,
    /// No attacker is right more often. Every point holds by itself; the smallest of several does not.
    pub bound: f64,
}

/// Certifies `1/2^(steps − 1)`, …, `1/2` and all of the samples, drawn by the seed of `options`. Parts that are too small
/// for a bound are left out.
///
/// The limit is that of a least-squares line of the plug-in over `1/√items`, the order of its bias.
///
/// # Errors
/// As [`certify`] for the samples as a whole.
pub fn growth(
    samples: &CertificateSamples,
    noise: &[NoisyOutput],
    options: &CertificateOptions,
    steps: u32,
) -> Result<Growth, CertificateError> {
    let options = CertificateOptions { votes: Vec::new(), prior: None, ..options.clone() };
    let mut order: Vec<usize> = (0..samples.main.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(options.seed));
    let mut points = Vec::new();
    for halvings in (1..steps.clamp(1, 60)).rev() {
        match certify(&part(samples, noise.len(), &order[..order.len() >> halvings]), noise, &options) {
            Ok(certificate) => points.push(GrowthPoint::of(&certificate.pooled)),
            Err(CertificateError::TooFewSamples { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    points.push(GrowthPoint::of(&certify(samples, noise, &options)?.pooled));
    let limit = limit(&points);
    Ok(Growth { points, limit })
}

impl GrowthPoint {
    fn of(pooled: &super::report::PooledBound) -> Self {
        Self { items: pooled.items, plug_in: pooled.plug_in, bound: pooled.bound }
    }
}

fn part(samples: &CertificateSamples, width: usize, rows: &[usize]) -> CertificateSamples {
    let outputs = |row: &usize| samples.outputs.get(row * width..(row + 1) * width).unwrap_or_default();
    CertificateSamples {
        outputs: rows.iter().flat_map(outputs).copied().collect(),
        main: rows.iter().map(|&row| samples.main[row]).collect(),
        collateral: rows.iter().filter_map(|&row| samples.collateral.get(row).copied()).collect(),
        main_classes: samples.main_classes.clone(),
        collateral_classes: samples.collateral_classes.clone(),
    }
}

fn limit(points: &[GrowthPoint]) -> Option<f64> {
    if points.len() < 3 {
        return None;
    }
    let count = points.len() as f64;
    let at = |point: &GrowthPoint| 1.0 / (point.items as f64).sqrt();
    let (x, y) = (points.iter().map(at).sum::<f64>() / count, points.iter().map(|p| p.plug_in).sum::<f64>() / count);
    let slope = points.iter().map(|p| (at(p) - x) * (p.plug_in - y)).sum::<f64>()
        / points.iter().map(|p| (at(p) - x).powi(2)).sum::<f64>();
    Some((y - slope * x).clamp(0.0, 100.0))
}
