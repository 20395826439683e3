//! Rebuilding inputs from outputs (Carpov, Fontaine, Ligier and Sirdey, "Illuminating the Dark", 2020): how close does
//! a decoder come, and does it identify the person's input among others?

mod decoder;
mod inputs;
mod similarity;

use crate::error::AuditError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decoder::Decoded;
use host::Progress;
pub use inputs::Inputs;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Candidates among which the true input is sought.
const CANDIDATES: usize = 1000;
/// Items decoded; each is compared with all candidates.
const DECODED: usize = 1000;
/// Pairs of pictures kept for the report.
const EXAMPLES: usize = 10;

/// How well inputs can be rebuilt from outputs. Errors are on pixels scaled to 0..1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// Training items of the decoder.
    pub train: usize,
    /// Items decoded.
    pub test: usize,
    /// The better decoder on held-out training items: `network` or `neighbours`.
    pub decoder: String,
    /// Mean squared error per pixel of its reconstructions.
    pub mse: f64,
    /// The same for the mean picture of the main class, which needs no output.
    pub mse_class_mean: f64,
    /// Mean structural similarity (7×7 windows), −1..1.
    pub ssim: f64,
    /// The same for the mean picture of the main class.
    pub ssim_class_mean: f64,
    /// Median rank of the true input among 1,000 candidates ordered by distance to the rebuilt one; 1 is best.
    pub median_rank: f64,
    /// The same with the mean picture of the class instead of the reconstruction.
    pub median_rank_class_mean: f64,
    /// Number of candidates, the true one included.
    pub candidates: usize,
    /// How often the true input comes first, percent.
    pub first: f64,
    /// Rows of a picture.
    pub height: usize,
    /// Columns of a picture.
    pub across: usize,
    /// Inputs and their reconstructions.
    pub examples: Vec<Example>,
}

/// One input next to its reconstruction; bytes 0..255, row-major, in base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The input.
    pub input: String,
    /// The reconstruction from its outputs and main label.
    pub rebuilt: String,
}

/// Trains decoders from outputs and main label to inputs and measures them on test items.
///
/// At most 20,000 training and 1,000 test items are used, drawn from `seed`. Put the result into
/// [`crate::AuditReport::reconstruction`].
///
/// # Errors
/// Fields of unequal length, labels out of range, outputs that are not finite.
pub fn reconstruct(
    train: &Inputs,
    test: &Inputs,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Reconstruction, AuditError> {
    check(train, "train")?;
    check(test, "test")?;
    let shape = |inputs: &Inputs| format!("{}→{}×{}", inputs.width, inputs.height, inputs.across);
    if shape(train) != shape(test) {
        return Err(AuditError::Mismatch { field: "inputs", train: shape(train), test: shape(test) });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pick = |items: usize, most: usize| {
        let mut items: Vec<usize> = (0..items).collect();
        items.shuffle(&mut rng);
        items.truncate(most);
        items
    };
    let learned = pick(train.main.len(), decoder::ROWS);
    let decoded_items = pick(test.main.len(), DECODED.max(CANDIDATES));
    let Decoded { name, pictures, means } = decoder::decode(train, &learned, test, &decoded_items, seed, progress);
    let size = test.height * test.across;
    let truth: Vec<f32> =
        decoded_items.iter().flat_map(|&i| &test.pixels[i * size..(i + 1) * size]).map(|&p| p as f32 / 255.0).collect();
    let shown = decoded_items.len().min(DECODED);
    let mean_of = |at: usize| {
        let class = test.main[decoded_items[at]] as usize;
        &means[class * size..(class + 1) * size]
    };
    let rebuilt_of = |at: usize| &pictures[at * size..(at + 1) * size];
    let truth_of = |at: usize| &truth[at * size..(at + 1) * size];
    let candidates = decoded_items.len().min(CANDIDATES);
    let rank = |at: usize, guess: &[f32]| {
        let own = distance(truth_of(at), guess);
        // Ties count half, so that a constant guess ranks in the middle.
        let others = (0..candidates).filter(|&i| i != at).map(|i| distance(truth_of(i), guess));
        let (nearer, equal) =
            others.fold((0.0, 0.0), |(n, e), d| (n + f64::from(u8::from(d < own)), e + f64::from(u8::from(d == own))));
        1.0 + nearer + 0.5 * equal
    };
    let rows: Vec<[f64; 6]> = (0..shown)
        .into_par_iter()
        .map(|at| {
            let (truth, rebuilt, mean) = (truth_of(at), rebuilt_of(at), mean_of(at));
            [
                distance(truth, rebuilt) / size as f64,
                distance(truth, mean) / size as f64,
                similarity::ssim(truth, rebuilt, test.height, test.across),
                similarity::ssim(truth, mean, test.height, test.across),
                rank(at, rebuilt),
                rank(at, mean),
            ]
        })
        .collect();
    let mean = |column: usize| rows.iter().map(|r| r[column]).sum::<f64>() / shown.max(1) as f64;
    let examples = (0..shown.min(EXAMPLES)).map(|at| Example {
        input: STANDARD.encode(bytes(truth_of(at))),
        rebuilt: STANDARD.encode(bytes(rebuilt_of(at))),
    });
    Ok(Reconstruction {
        train: learned.len(),
        test: shown,
        decoder: name.to_owned(),
        mse: mean(0),
        mse_class_mean: mean(1),
        ssim: mean(2),
        ssim_class_mean: mean(3),
        median_rank: median(rows.iter().map(|r| r[4]).collect()),
        median_rank_class_mean: median(rows.iter().map(|r| r[5]).collect()),
        candidates,
        first: 100.0 * rows.iter().filter(|r| r[4] <= 1.0).count() as f64 / shown.max(1) as f64,
        height: test.height,
        across: test.across,
        examples: examples.collect(),
    })
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| ((a - b) * (a - b)) as f64).sum()
}

fn bytes(picture: &[f32]) -> Vec<u8> {
    picture.iter().map(|p| (p.clamp(0.0, 1.0) * 255.0).round() as u8).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn check(inputs: &Inputs, split: &'static str) -> Result<(), AuditError> {
    let items = inputs.main.len();
    if items < 20 {
        return Err(AuditError::Empty { split });
    }
    let size = inputs.height.checked_mul(inputs.across).filter(|s| (1..=1 << 20).contains(s));
    if inputs.width == 0 || size.is_none() {
        return Err(AuditError::Width { split, width: inputs.width, limit: crate::WIDTH_LIMIT });
    }
    let lengths = [
        ("outputs", inputs.outputs.len(), items.checked_mul(inputs.width)),
        ("pixels", inputs.pixels.len(), size.and_then(|s| items.checked_mul(s))),
    ];
    for (field, actual, expected) in lengths {
        if Some(actual) != expected {
            let expected = expected.unwrap_or(usize::MAX);
            return Err(AuditError::Length { split, field, actual, expected, items });
        }
    }
    if let Some(row) = inputs.main.iter().position(|&m| m as usize >= inputs.classes) {
        return Err(AuditError::LabelRange {
            split,
            field: "main",
            row,
            value: inputs.main[row],
            classes: inputs.classes,
            last: inputs.classes.saturating_sub(1),
        });
    }
    match inputs.outputs.unsound() {
        Some((at, value)) => {
            Err(AuditError::NotFinite { split, row: at / inputs.width, column: at % inputs.width, value })
        }
        None => Ok(()),
    }
}
