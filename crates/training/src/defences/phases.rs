//! Options of the three phases against simulated adversaries.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::float::adversary::Adversary;

/// The term that the private part minimises for one adversary, from its logits and the attribute's one-hot rows.
pub(crate) type Against = fn(Tensor<2>, Tensor<2>) -> Tensor<1>;

/// Options of the defences with simulated adversaries: plain SGD with momentum, as in the paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdversarialOptions {
    /// Weight α of the adversaries' loss.
    pub weight: f32,
    /// The simulated adversaries.
    pub adversaries: Vec<Adversary>,
    /// Epochs of the three phases: initial, sabotage, recovery.
    pub epochs: (usize, usize, usize),
    /// Learning rate of all three parts.
    pub rate: f32,
    /// Momentum, without dampening.
    pub momentum: f32,
    /// Sabotage epochs after which the adversaries are reinitialised; 0 for never.
    pub restart: usize,
}

impl Default for AdversarialOptions {
    /// The paper's final runs: α = 1.7, a CNN, 10 + 50 epochs, SGD 0.002 with momentum 0.5.
    fn default() -> Self {
        Self {
            weight: 1.7,
            adversaries: vec![Adversary::Convolutional],
            epochs: (10, 50, 0),
            rate: 0.002,
            momentum: 0.5,
            restart: 0,
        }
    }
}
