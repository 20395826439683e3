//! A statistical test for timing leaks, after dudect (Reparaz, Balasch, Verbauwhede,
//! *Dude, is my code constant time?*, 2017).
//!
//! An operation runs on two classes of secrets in random order, one fixed and one random; Welch's t compares the mean
//! times, over all runs and over the runs below several percentiles (the tail is noise of the machine). `|t| > 4.5` in
//! a long run means that time depends on the secret; a small `|t|` proves only that this many runs show no difference.

use std::time::Instant;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::{
    MapError, QuadraticMap,
    constant_time::encrypt_constant_time,
    encrypt::Encryptor,
    keys::{KeyError, PublicKey, setup},
    raw::{Coordinate, Fp, Fp2, Scalar},
    shares::{ShareError, Sharing},
};

/// `|t|` above which a leak is reported.
pub const LEAK: f64 = 4.5;

/// What is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Subject {
    /// Points of the public key from their secret scalars: fixed against random.
    Setup,
    /// A functional key: a fixed master key against random ones.
    Issue,
    /// A partial key: a fixed share against random ones.
    IssuePartial,
    /// Constant-time encryption: input zero against random.
    EncryptConstantTime,
    /// Fast encryption, which is variable-time: the test should tell.
    EncryptVartime,
}

impl Subject {
    /// All subjects.
    pub const ALL: [Self; 5] =
        [Self::Setup, Self::Issue, Self::IssuePartial, Self::EncryptConstantTime, Self::EncryptVartime];
}

/// The outcome of one test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TimingReport {
    /// What was tested.
    pub subject: Subject,
    /// Runs of both classes together.
    pub runs: usize,
    /// The largest `|t|` over all croppings.
    pub t: f64,
    /// Whether it is above [`LEAK`].
    pub leak: bool,
    /// Mean nanoseconds of the fixed and of the random class.
    pub mean_ns: [f64; 2],
}

/// Why a test cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimingError {
    /// Keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The function.
    #[error(transparent)]
    Map(#[from] MapError),
    /// Shares.
    #[error(transparent)]
    Share(#[from] ShareError),
}

/// Times `runs` runs of a subject.
///
/// # Errors
/// None with the sizes that it uses: they are valid.
pub fn timing_test(subject: Subject, runs: usize, seed: u64) -> Result<TimingReport, TimingError> {
    let mut rng = StdRng::seed_from_u64(seed);
    let n = 8;
    let (mut master, public) = setup(n, n, &mut rng)?;
    // Not zero: blst multiplies by zero in another way, and nobody ever draws it.
    let fixed: Vec<Scalar> = (0..2 * n).map(|_| Scalar::random(&mut rng)).collect();
    let map = QuadraticMap::new(n, n, 2, 1, vec![3; 2 * n], vec![-5; 2 * n], vec![1, 2])?;
    let (_, mut shares) = master.share(&public, Sharing::new(1, 0)?, &mut rng)?;
    let encryptor = Encryptor::new(&public, &host::Silent);
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        let class = usize::from(rng.random::<bool>());
        // Both classes draw, so that only the secret differs.
        let drawn: Vec<i64> = (0..2 * n).map(|_| rng.random_range(-255..256)).collect();
        let fresh: Vec<Scalar> = (0..2 * n).map(|_| Scalar::random(&mut rng)).collect();
        let scalars = if class == 0 { &fixed } else { &fresh };
        master.s.copy_from_slice(&scalars[..n]);
        master.t.copy_from_slice(&scalars[n..]);
        shares[0].s.copy_from_slice(&scalars[..n]);
        let x = if class == 0 { vec![0; 2 * n] } else { drawn };
        let mut own = StdRng::from_rng(&mut rng);
        let start = Instant::now();
        match subject {
            Subject::Setup => {
                let g1 = Fp::scalar_mul(&Fp::generator(), &master.s[0]);
                let g2 = Fp2::scalar_mul(&Fp2::generator(), &master.t[0]);
                std::hint::black_box((g1, g2));
            }
            Subject::Issue => drop(std::hint::black_box(master.issue(&map))),
            Subject::IssuePartial => drop(std::hint::black_box(shares[0].issue(&public, &map))),
            Subject::EncryptConstantTime => drop(constant(&public, &x, n, &mut own)),
            Subject::EncryptVartime => drop(std::hint::black_box(encryptor.encrypt(&x[..n], &x[n..], &mut own))),
        }
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len().max(1) as f64;
    let mean_ns = [mean(&times[0]), mean(&times[1])];
    let t = strongest(&mut times);
    Ok(TimingReport { subject, runs, t, leak: t > LEAK, mean_ns })
}

fn constant(public: &PublicKey, x: &[i64], n: usize, rng: &mut StdRng) -> Option<crate::Ciphertext> {
    std::hint::black_box(encrypt_constant_time(public, &x[..n], &x[n..], rng).ok())
}

/// The largest `|t|` over percentiles of both classes together.
fn strongest(times: &mut [Vec<f64>; 2]) -> f64 {
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    [0.5, 0.75, 0.9, 0.99, 1.0]
        .iter()
        .filter_map(|share| {
            let limit = *all.get(((all.len() as f64 * share) as usize).saturating_sub(1))?;
            let cropped =
                [0, 1].map(|k: usize| -> Vec<f64> { times[k].iter().copied().filter(|&time| time <= limit).collect() });
            welch(&cropped)
        })
        .fold(0.0, f64::max)
}

/// `|t|` of Welch's test; `None` for too few samples or no variance.
fn welch(classes: &[Vec<f64>; 2]) -> Option<f64> {
    let moments = classes.each_ref().map(|times| {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count, times.len())
    });
    let [(m0, v0, c0), (m1, v1, c1)] = moments;
    (c0 > 9 && c1 > 9 && v0 + v1 > 0.0).then(|| (m0 - m1).abs() / (v0 + v1).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statistic_tells_classes_apart() {
        let close: Vec<f64> = (0..200).map(|k| 100.0 + f64::from(k % 7)).collect();
        let apart: Vec<f64> = close.iter().map(|t| t + 5.0).collect();
        assert!(welch(&[close.clone(), close.clone()]).unwrap() < 0.01);
        assert!(welch(&[close.clone(), apart]).unwrap() > LEAK);
        assert!(welch(&[close, vec![1.0]]).is_none());
    }

    #[test]
    fn every_subject_runs() {
        for subject in Subject::ALL {
            let report = timing_test(subject, 30, 1).unwrap();
            assert!(report.t.is_finite() && report.runs == 30);
        }
    }
}
