//! The result of [`certify`](super::certify). Bounds, plug-ins and slacks are in percent.

use serde::Serialize;

/// Upper bounds on the accuracy of every attacker that guesses the collateral attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certificate {
    /// Chance, from 0 to 1, that all bounds hold at once.
    pub confidence: f64,
    /// All main classes, each counted alike.
    pub pooled: PooledBound,
    /// Every main class for itself.
    pub classes: Vec<ClassBound>,
    /// Several independent items of one subject.
    pub votes: Vec<VoteBound>,
    /// Most bits that one item tells about anything at all, attributes that nobody listed included.
    pub maximal_leakage_bits: f64,
    /// What has to be true for the bounds to hold.
    pub assumptions: Vec<String>,
}

/// Bound for the mean over the main classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PooledBound {
    /// No attacker is right more often: `plug_in + slack`, at most 100.
    pub bound: f64,
    /// Estimate, on average at least the truth.
    pub plug_in: f64,
    /// What sampling, evaluation and rounding add.
    pub slack: f64,
    /// Samples behind it.
    pub items: usize,
}

/// Bound for one main class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassBound {
    /// Name of the main class.
    pub class: String,
    /// No attacker is right more often: `plug_in + slack`, at most 100.
    pub bound: f64,
    /// Estimate, on average at least the truth.
    pub plug_in: f64,
    /// What sampling, evaluation and rounding add.
    pub slack: f64,
    /// Samples behind it.
    pub items: usize,
}

/// Bound for an attacker that sees `k` independent items of one subject, whatever their main classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VoteBound {
    /// Items.
    pub k: u32,
    /// No attacker is right more often, in percent.
    pub bound: f64,
}
