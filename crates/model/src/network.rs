//! The integer network: the quadratic map that a functional key opens, and the public head that reads it.
//!
//! ```text
//! output_j(u, v) = Σ_k D[j][k]·(P[k]·u)·(R[k]·v)          j = 1..S outputs, k = 1..d units
//! ```
//!
//! Evaluation in the clear is exact and is the reference: encrypted evaluation equals it bit for bit.

use encoder::{Encoder, Noise};
use quadratic::{Bounds, QuadraticMap};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::ModelError;
use crate::head::PublicHead;

/// An integer network, with everything that owner and predictor need, and no more.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledNetwork {
    pub(crate) encoder: Encoder,
    pub(crate) map: QuadraticMap,
    pub(crate) squares: bool,
    pub(crate) exact: Bounds,
    pub(crate) declared: Vec<(i64, i64)>,
    pub(crate) head: PublicHead,
    pub(crate) main: String,
    pub(crate) classes: Vec<String>,
    pub(crate) origin: Origin,
}

/// The parts of a network.
#[derive(Clone, Debug)]
pub struct Parts {
    /// How items become `u` and `v`.
    pub encoder: Encoder,
    /// `P`, `R`, `D`; column 0 of both sides multiplies the constant.
    pub map: QuadraticMap,
    /// Whether every unit is a square: `P = R` and `u = v`. Bounds are narrower then.
    pub squares: bool,
    /// How the outputs are read.
    pub head: PublicHead,
    /// The label column that the network predicts.
    pub main: String,
    /// Class names of the main label.
    pub classes: Vec<String>,
    /// The network's origin.
    pub origin: Origin,
}

/// The origin of an integer network.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Compiled from a float network. The two texts are JSON that only the trainer reads.
    Compiled {
        /// How the float network was trained.
        record: Box<RawValue>,
        /// The report of the compilation.
        report: Box<RawValue>,
    },
    /// Imported.
    Imported {
        /// The file it was read from.
        file: String,
    },
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Compiled { record: a, report: b }, Self::Compiled { record: c, report: d }) => {
                a.get() == c.get() && b.get() == d.get()
            }
            (Self::Imported { file: a }, Self::Imported { file: b }) => a == b,
            _ => false,
        }
    }
}

impl CompiledNetwork {
    /// Builds the network of these parts. It declares its exact ranges, as far as 64 bits reach.
    ///
    /// # Errors
    /// Parts whose sizes do not fit each other; squares whose sides differ; projections beyond 64 bits.
    pub fn new(parts: Parts) -> Result<Self, ModelError> {
        let Parts { encoder, map, squares, head, main, classes, origin } = parts;
        let refuse =
            |field, value: String, remedy: &str| Err(ModelError::Field { field, value, remedy: remedy.into() });
        if map.inputs() != encoder.inputs() {
            let (found, expected) = (map.inputs(), encoder.inputs());
            return refuse("map", format!("over {found:?} coordinates"), &format!("the encoder gives {expected:?}"));
        }
        // Bounds of squares assume the same numbers on both sides.
        let same = encoder.noise().is_none() && encoder.right().len() == encoder.features();
        if squares && !(same && map.left() == map.right()) {
            return refuse("squares", "set for two different sides".into(), "give the same rows and inputs on both");
        }
        let names = match &head {
            PublicHead::Largest => map.outputs(),
            PublicHead::Net { centre, scale, .. } => {
                if (centre.len(), scale.len()) != (map.outputs(), map.outputs()) {
                    return refuse(
                        "head",
                        format!("for {} outputs", centre.len()),
                        "give one centre and scale for each",
                    );
                }
                if let Some(problem) = head.problem(map.outputs()) {
                    return refuse(
                        "head",
                        problem,
                        "give finite layers that read the outputs and give one logit per class",
                    );
                }
                head.classes()
            }
        };
        if classes.len() != names {
            return refuse("classes", format!("{} names", classes.len()), &format!("the head gives {names}"));
        }
        let exact = bounds(&map, squares, &encoder).ok_or(ModelError::Overflow)?;
        let declared = exact.outputs.iter().map(|&range| clamped(range)).collect();
        Ok(Self { encoder, map, squares, exact, declared, head, main, classes, origin })
    }

    /// The encoder that owners use, with the input precision of this network.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The map that a functional key opens.
    pub fn map(&self) -> &QuadraticMap {
        &self.map
    }

    /// Outputs S.
    pub fn outputs(&self) -> usize {
        self.map.outputs()
    }

    /// Units d.
    pub fn units(&self) -> usize {
        self.map.units()
    }

    /// Lengths `(n, m)` of the two encoded vectors.
    pub fn inputs(&self) -> (usize, usize) {
        self.map.inputs()
    }

    /// `P`, `d × n` row-major; column 0 is the bias.
    pub fn left(&self) -> &[i32] {
        self.map.left()
    }

    /// `R`, `d × m` row-major; column 0 is the bias. Equal to `P` for squares.
    pub fn right(&self) -> &[i32] {
        self.map.right()
    }

    /// `D`, `S × d` row-major.
    pub fn combine(&self) -> &[i32] {
        self.map.combine()
    }

    /// Whether every unit is a square: `P = R` and `u = v`.
    pub fn is_squares(&self) -> bool {
        self.squares
    }

    /// The declared inclusive range of every output, which a discrete logarithm must cover.
    pub fn bounds(&self) -> &[(i64, i64)] {
        &self.declared
    }

    /// The range that no encoded input can leave, for every output. The declared range may be narrower.
    pub fn exact_bounds(&self) -> &[(i128, i128)] {
        &self.exact.outputs
    }

    /// The range of every output over other ranges of `u` and `v`, each coordinate independent of all others: for a key
    /// that opens what another encoder made. `None` where it exceeds 128 bits.
    pub fn bounds_over(&self, u: &[(i64, i64)], v: &[(i64, i64)]) -> Option<Vec<(i128, i128)>> {
        Some(Bounds::of(&self.map, u, v)?.outputs)
    }

    /// How the outputs are read in the clear.
    pub fn head(&self) -> &PublicHead {
        &self.head
    }

    /// The label column that the network predicts.
    pub fn main(&self) -> &str {
        &self.main
    }

    /// Class names of the main label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The network's origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The same network with another origin, which the hash does not cover.
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The same network with another head; this changes its hash.
    ///
    /// # Errors
    /// A head for another number of outputs or classes.
    pub fn with_head(self, head: PublicHead) -> Result<Self, ModelError> {
        let declared = self.declared;
        let Self { encoder, map, squares, main, classes, origin, .. } = self;
        let parts = Parts { encoder, map, squares, head, main, classes, origin };
        Ok(Self { declared, ..Self::new(parts)? })
    }

    /// SHA-256 over everything that determines an output or a prediction: integers, declared ranges, encoder, head,
    /// classes. The network's origin is not covered.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"halflight compiled network 1");
        let (n, m) = self.inputs();
        for size in [self.units(), self.outputs(), n, m, usize::from(self.squares), self.classes.len()] {
            hash.update((size as u64).to_le_bytes());
        }
        for value in self.left().iter().chain(self.right()).chain(self.combine()) {
            hash.update(value.to_le_bytes());
        }
        for (low, high) in &self.declared {
            hash.update(low.to_le_bytes());
            hash.update(high.to_le_bytes());
        }
        let encoder = self.encoder.canonical();
        for text in [&encoder, &self.main].into_iter().chain(&self.classes) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        self.head.update(&mut hash);
        hash.finalize().into()
    }

    /// The noise that owners add to each output, if any.
    pub fn noise(&self) -> Option<&Noise> {
        self.encoder.noise()
    }
}

pub(crate) fn bounds(map: &QuadraticMap, squares: bool, encoder: &Encoder) -> Option<Bounds> {
    let (u, v) = encoder.ranges();
    if squares { Bounds::of_squares(map, &u) } else { Bounds::of(map, &u, &v) }
}

/// An exact range as far as 64 bits reach.
pub(crate) fn clamped((low, high): (i128, i128)) -> (i64, i64) {
    let clamp = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    (clamp(low), clamp(high))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
