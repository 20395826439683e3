//! How a network came to be: enough to make it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ItemSketch, TrainOptions};

/// How a network came to be. Accuracies are in percent, on the validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The label column that the network predicts.
    pub main: String,
    /// The label columns that it was defended for, or measured on.
    pub collateral: Vec<String>,
    /// The options of the run, but for those that leave no trace (checkpoint, device) and for the
    /// encoder's, since the network holds the fitted encoder.
    pub options: TrainOptions,
    /// What the training data said of itself.
    pub data: BTreeMap<String, String>,
    /// Items of the training data.
    pub items: usize,
    /// SHA-256 of the training images and labels.
    pub data_hash: String,
    /// The items that trained and selected, so that nothing is certified on them. Networks of earlier versions and
    /// those trained elsewhere have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<ItemSketch>,
    /// Steps taken; with selection, up to the state that was kept.
    pub steps: usize,
    /// Main accuracy.
    pub accuracy: f64,
    /// What a k-nearest-neighbours attacker reads of the collateral attribute, if there is one.
    pub neighbours: Option<f64>,
    /// Fraction of the commonest collateral value, what guessing reaches.
    pub chance: Option<f64>,
    /// The version of this program.
    pub version: String,
}
