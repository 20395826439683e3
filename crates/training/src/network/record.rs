//! How a network was trained: enough to make it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ItemSketch, TrainOptions};

/// How a network was trained. Accuracies are in percent, on the validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The label column that the network predicts.
    pub main: String,
    /// The label columns that it was defended for, or measured on.
    pub collateral: Vec<String>,
    /// The options of the run, except those that leave no trace (checkpoint, device) and the encoder's, since the
    /// network holds the fitted encoder.
    pub options: TrainOptions,
    /// What the training data record about themselves.
    pub data: BTreeMap<String, String>,
    /// Items of the training data.
    pub items: usize,
    /// SHA-256 of the training images and labels.
    pub data_hash: String,
    /// A sketch of the items that trained and selected the network, so that nothing is certified on them. Networks of
    /// earlier versions and those trained elsewhere have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<ItemSketch>,
    /// Steps taken; with selection, up to the selected state.
    pub steps: usize,
    /// Main accuracy.
    pub accuracy: f64,
    /// Accuracy of a k-nearest-neighbours attacker on the collateral attribute, if there is one.
    pub neighbours: Option<f64>,
    /// Fraction of the most frequent collateral value, which guessing reaches.
    pub chance: Option<f64>,
    /// The version of this program.
    pub version: String,
}
