//! The private part: a quadratic map of the input without activation, the only part under encryption.
//!
//! Squares:  `q = ((x·P)²)·D`. Bilinear units:  `q = ((x·P) ∘ (x·R))·D`.
//! Shapes: `x` [batch, 1 + features] with a first column of ones (so that the first rows of `P` and
//! `R` are the biases), `P`, `R` [1 + features, units], `D` [units, outputs], `q` [batch, outputs].

use burn::tensor::Tensor;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::initial::{normal, uniform_by_fan_in};
use super::parameters::Leaves;
use model::{Parameter, Parameters};

/// The function of the input that a unit computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitKind {
    /// `(P·x + b)²`, the paper's.
    Squares,
    /// `(P·x + b)·(R·x + c)`: as many pairings, strictly more expressive.
    Bilinear,
}

/// Keeps the deviation of an output away from zero, as PyTorch's batch normalisation does.
const VARIANCE_FLOOR: f64 = 1e-5;

/// Initial weights of our own networks; `features` are those of the left and of the right side. Projections `N(0,
/// 1/features)`, biases `N(0, 1/4)`, `D` uniform by fan-in.
pub(crate) fn initial(
    kind: UnitKind,
    features: (usize, usize),
    units: usize,
    outputs: usize,
    rng: &mut impl Rng,
) -> Parameters {
    let mut projection = |name: &str, features: usize| {
        let mut values = normal(units, 0.5, rng);
        values.extend(normal(features * units, 1.0 / (features.max(1) as f32).sqrt(), rng));
        Parameter::new(name, &[1 + features, units], values)
    };
    let mut parameters = vec![projection("left", features.0)];
    if kind == UnitKind::Bilinear {
        parameters.push(projection("right", features.1));
    }
    let combine = uniform_by_fan_in(units * outputs, units, rng);
    parameters.push(Parameter::new("combine", &[units, outputs], combine));
    Parameters(parameters)
}

/// Initial weights like those of PyTorch's linear layers, for the paper's networks.
pub(crate) fn initial_by_fan_in(
    kind: UnitKind,
    features: (usize, usize),
    units: usize,
    outputs: usize,
    rng: &mut impl Rng,
) -> Parameters {
    let mut parameters = initial(kind, features, units, outputs, rng);
    for parameter in &mut parameters.0 {
        if parameter.name != "combine" {
            let fan_in = parameter.shape[0] - 1;
            parameter.values = uniform_by_fan_in(parameter.values.len(), fan_in, rng);
        }
    }
    parameters
}

/// `q` for a batch; the leaves are `left`, `right` if bilinear, `combine`. The right side reads `narrow`
/// where it is given (fewer columns, as the encoder's `v`), else `x`.
pub(crate) fn forward(leaves: &Leaves, x: Tensor<2>, narrow: Option<Tensor<2>>) -> Tensor<2> {
    let (products, combine) = match (leaves.len(), narrow) {
        (2, _) => {
            let left = x.matmul(leaves.get(0));
            (left.clone() * left, leaves.get(1))
        }
        (_, Some(narrow)) => (x.matmul(leaves.get(0)) * narrow.matmul(leaves.get(1)), leaves.get(2)),
        // Both sides in one product, so that `x` is read once.
        (_, None) => {
            let sides = Tensor::cat(vec![leaves.get(0), leaves.get(1)], 1);
            let sides = x.matmul(sides).chunk(2, 1);
            (sides[0].clone() * sides[1].clone(), leaves.get(2))
        }
    };
    products.matmul(combine)
}

/// Output normalisation without weights: every column to mean 0 and variance 1 over the batch.
pub(crate) fn normalise(q: Tensor<2>) -> Tensor<2> {
    let centred = q.clone() - q.mean_dim(0);
    let variance = (centred.clone() * centred.clone()).mean_dim(0);
    centred / (variance + VARIANCE_FLOOR).sqrt()
}
