//! The result of [`certify`](super::certify). Bounds, plug-ins and slacks are in percent.

use serde::{Deserialize, Serialize};

/// Upper bounds on the accuracy of every attacker that guesses the collateral attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Chance, from 0 to 1, that all bounds hold at once.
    pub confidence: f64,
    /// All main classes, each counted alike.
    pub pooled: PooledBound,
    /// Every main class for itself.
    pub classes: Vec<ClassBound>,
    /// Accuracy where classes and values are as frequent as the prior says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighted: Option<WeightedBound>,
    /// Several independent items of one subject.
    pub votes: Vec<VoteBound>,
    /// Most bits that one item tells about anything at all, attributes that nobody listed included.
    pub maximal_leakage_bits: f64,
    /// What has to be true for the bounds to hold.
    pub assumptions: Vec<String>,
}

/// Bound for the mean over the main classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PooledBound {
    /// No attacker is right more often: `plug_in + slack`, at most 100.
    pub bound: f64,
    /// Estimate, on average at least the truth.
    pub plug_in: f64,
    /// What sampling, evaluation and rounding add.
    pub slack: f64,
    /// Samples that it rests on.
    pub items: usize,
    /// Largest total variation between the laws of two values, from 0 to 1.
    pub total_variation: f64,
    /// No score of an attacker has a larger area under its curve, one value against the rest, from 0 to 1.
    pub auc: f64,
}

/// Bound for one main class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassBound {
    /// Name of the main class.
    pub class: String,
    /// No attacker is right more often: `plug_in + slack`, at most 100.
    pub bound: f64,
    /// Estimate, on average at least the truth.
    pub plug_in: f64,
    /// What sampling, evaluation and rounding add.
    pub slack: f64,
    /// Samples that it rests on.
    pub items: usize,
    /// Largest total variation between the laws of two values, from 0 to 1.
    pub total_variation: f64,
    /// No score of an attacker has a larger area under its curve, one value against the rest, from 0 to 1.
    pub auc: f64,
}

/// Bound for the accuracy of an attacker who knows how often classes and values occur.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightedBound {
    /// No attacker is right more often: `plug_in + slack`, at most 100.
    pub bound: f64,
    /// Estimate, on average at least the truth.
    pub plug_in: f64,
    /// What sampling, evaluation and rounding add.
    pub slack: f64,
    /// How often the most frequent value of each class is right, without any output.
    pub guessing: f64,
}

/// Bounds for an attacker that sees `k` independent items of one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteBound {
    /// Items.
    pub k: u32,
    /// No attacker is right more often, in percent, whatever the main classes of the items.
    pub bound: f64,
    /// The same where the items' main classes are drawn at random, all alike, as an audit's votes are. Absent from older
    /// certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixed: Option<f64>,
}
