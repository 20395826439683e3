//! The integer network: the quadratic map that a functional key opens, and the public head behind it.
//!
//! ```text
//! output_j(u, v) = Σ_k D[j][k]·(P[k]·u)·(R[k]·v)          j = 1..S outputs, k = 1..d units
//! ```
//!
//! Its evaluation in clear is exact and is the reference: encrypted evaluation equals it bit for bit.

pub(crate) mod bounds;
mod evaluate;
mod file;
mod head;
mod shuffled;

use dataset::Encoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::TrainingRecord;
use crate::compile::CompileReport;
use crate::model::parameters::Parameters;
pub(crate) use bounds::Bounds;
use bounds::Map;
pub(crate) use head::standardise;

/// An integer network, with everything that owner and predictor need and no more.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledNetwork {
    pub(crate) encoder: Encoder,
    pub(crate) units: usize,
    pub(crate) outputs: usize,
    /// `d × n`, row-major; column 0 multiplies the constant.
    pub(crate) left: Vec<i32>,
    /// `d × m`, row-major; equal to `left` for squares.
    pub(crate) right: Vec<i32>,
    pub(crate) squares: bool,
    /// `S × d`, row-major.
    pub(crate) combine: Vec<i32>,
    pub(crate) exact: Bounds,
    pub(crate) declared: Vec<(i64, i64)>,
    pub(crate) head: PublicHead,
    pub(crate) main: String,
    pub(crate) classes: Vec<String>,
    pub(crate) origin: Origin,
}

/// What reads the outputs in clear.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PublicHead {
    /// The largest output names the class.
    Largest,
    /// A net that reads `(output − centre) / scale`.
    Net { centre: Vec<f64>, scale: Vec<f64>, layers: Parameters },
}

/// Where an integer network comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Compiled from a float network of this crate.
    Compiled {
        /// How the float network came to be.
        record: Box<TrainingRecord>,
        /// What compiling it found.
        report: Box<CompileReport>,
    },
    /// Made elsewhere.
    Imported {
        /// The file it was read from.
        file: String,
    },
}

/// The integers of a map, as they come from compiling, importing or a file.
pub(crate) struct Weights {
    pub left: Vec<i32>,
    pub right: Option<Vec<i32>>,
    pub combine: Vec<i32>,
    pub units: usize,
}

impl Weights {
    /// Exact ranges over an encoder's coordinates; `None` where they leave 64 or 128 bits.
    pub(crate) fn bounds(&self, encoder: &Encoder) -> Option<Bounds> {
        let (u, v) = encoder.ranges();
        let right = self.right.as_deref();
        bounds::bounds(&Map { left: &self.left, right, combine: &self.combine, units: self.units, u: &u, v: &v })
    }
}

impl CompiledNetwork {
    /// The encoder that owners use, with the input precision of this network.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Outputs S.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Units d.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Lengths `(n, m)` of the two encoded vectors.
    pub fn inputs(&self) -> (usize, usize) {
        self.encoder.inputs()
    }

    /// `P`, `d × n` row-major; column 0 is the bias.
    pub fn left(&self) -> &[i32] {
        &self.left
    }

    /// `R`, `d × m` row-major; column 0 is the bias. Equal to `P` for squares.
    pub fn right(&self) -> &[i32] {
        &self.right
    }

    /// `D`, `S × d` row-major.
    pub fn combine(&self) -> &[i32] {
        &self.combine
    }

    /// Whether every unit is a square: `P = R` and `u = v`.
    pub fn is_squares(&self) -> bool {
        self.squares
    }

    /// The declared inclusive range of every output, which a discrete logarithm has to cover.
    pub fn bounds(&self) -> &[(i64, i64)] {
        &self.declared
    }

    /// The range of every output that no encoded input can leave. The declared one may be narrower.
    pub fn exact_bounds(&self) -> &[(i128, i128)] {
        &self.exact.outputs
    }

    /// The range of every output over other ranges of `u` and `v`, each coordinate independent of all others, as where
    /// a key opens what another encoder made; `None` where it leaves 128 bits.
    pub fn bounds_over(&self, u: &[(i64, i64)], v: &[(i64, i64)]) -> Option<Vec<(i128, i128)>> {
        let right = Some(&self.right[..]);
        let map = Map { left: &self.left, right, combine: &self.combine, units: self.units, u, v };
        Some(bounds::bounds(&map)?.outputs)
    }

    /// The label column that the network predicts.
    pub fn main(&self) -> &str {
        &self.main
    }

    /// Class names of the main label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Where the network comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// SHA-256 over all that decides an output or a prediction: integers, declared ranges, encoder, head,
    /// classes. Not the history of the network.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"halflight compiled network 1");
        let (n, m) = self.inputs();
        for size in [self.units, self.outputs, n, m, usize::from(self.squares), self.classes.len()] {
            hash.update((size as u64).to_le_bytes());
        }
        for value in self.left.iter().chain(&self.right).chain(&self.combine) {
            hash.update(value.to_le_bytes());
        }
        for (low, high) in &self.declared {
            hash.update(low.to_le_bytes());
            hash.update(high.to_le_bytes());
        }
        // An encoder always has a JSON form: it is what its file stores.
        let encoder = serde_json::to_string(&self.encoder).unwrap_or_default();
        for text in [&encoder, &self.main].into_iter().chain(&self.classes) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        self.head.update(&mut hash);
        hash.finalize().into()
    }
}
