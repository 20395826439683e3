//! The result of an audit, which is also the JSON format of `halflight audit`.
//!
//! Accuracies, their intervals and chance levels are in percent; areas, rates and advantages are
//! fractions from 0 to 1. Fields may be added, never renamed.

use crate::pairs::PairBound;
use crate::precision::Precision;
use crate::reconstruction::Reconstruction;
use serde::{Deserialize, Serialize};

/// All results of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Name of the network.
    pub network: String,
    /// Name of the collateral attribute.
    pub attribute: String,
    /// Sizes of the audit.
    pub items: Items,
    /// Outputs per item, S.
    pub outputs: usize,
    /// Names of the main classes.
    pub main_classes: Vec<String>,
    /// Names of the values of the attribute.
    pub collateral_classes: Vec<String>,
    /// Random seeds of the runs whose means are reported.
    pub seeds: Vec<u64>,
    /// The strongest attacker of either scope: of the next two, the one farther above chance on held-out training
    /// items, by the lower bound of an interval that holds for all rows of its scope.
    pub strongest: Finding,
    /// The strongest attacker over all items, with the main label given; chosen on held-out training items, so that the
    /// choice does not bias its 95 % interval.
    pub strongest_pooled: Finding,
    /// The strongest attacker within one main class, and the class; chosen in the same way. Absent if the attribute
    /// does not vary within any class.
    pub strongest_class: Option<Finding>,
    /// Largest pooled accuracy on the test items themselves: a deliberately pessimistic figure, with an interval that
    /// holds for all attackers at once.
    pub highest_pooled: Finding,
    /// Largest accuracy of any attacker within any class on the test items, as above.
    pub highest_class: Option<Finding>,
    /// Number of attributes for which the intervals of the findings, strongest and highest, hold at once.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub comparisons: usize,
    /// The attacker with the largest [`Balanced`] accuracy at equal main label, chosen on held-out training items. The
    /// leading figure where some values are rare.
    #[serde(default)]
    pub strongest_balanced: Option<Finding>,
    /// Largest balanced accuracy on the test items, with an interval that holds for all attackers at once.
    #[serde(default)]
    pub highest_balanced: Option<Finding>,
    /// What the main label alone reveals about the attribute, over all items: no accurate network can reveal less.
    #[serde(default)]
    pub main_label: Option<MainLabel>,
    /// The attribute predicted as a number, if its values are numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuous: Option<Continuous>,
    /// The same attacker on the items that the network was trained on; absent if they were not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
    /// Reasons to doubt the figures, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Every attacker in both scopes, with its own interval.
    pub attackers: Vec<AttackerScore>,
    /// Accuracy on one subject from k of its items, for every k that the test items allow.
    pub vote: Vec<Vote>,
    /// Requested numbers of items that exceed the test items of some value of the attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vote_left_out: Vec<usize>,
    /// The distinguishing game of the strongest pooled attacker.
    pub distinguisher: Option<Distinguisher>,
    /// Accuracy of the strongest pooled attacker against the number of training items; empty if not requested. If it
    /// still rises at the end, more items would make the attacker stronger.
    #[serde(default)]
    pub growth: Vec<Growth>,
    /// Bits needed to send the attribute to somebody who has outputs and main labels.
    #[serde(default)]
    pub code_length: Option<CodeLength>,
    /// How well inputs can be rebuilt; absent if not requested.
    #[serde(default)]
    pub reconstruction: Option<Reconstruction>,
    /// What the noise guarantees by arithmetic; absent if owners add none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<PairBound>,
    /// How much finer outputs are than the main label needs; absent if they are not integers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// The same procedure where there is nothing to find, and where there is everything to find.
    pub controls: Controls,
    /// Points for the pictures.
    pub cloud: Cloud,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

/// Sizes of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// Items that attackers learned from.
    pub train: usize,
    /// Items that they were scored on.
    pub test: usize,
}

/// The items that an attacker is scored on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All items, the main label given.
    Pooled,
    /// Items of one main class.
    Class,
}

/// One attacker's accuracy, with its baselines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the attacker configuration.
    pub family: String,
    /// The items that it was scored on.
    pub scope: Scope,
    /// The main class, in scope `class`.
    pub class: Option<String>,
    /// Accuracy, percent.
    pub accuracy: f64,
    /// Lower end of the 95 % interval, percent.
    pub low: f64,
    /// Upper end of the 95 % interval, percent.
    pub high: f64,
    /// Accuracy of the best guess from the main label alone, percent.
    pub chance: f64,
    /// (accuracy − chance)/(100 − chance): 0 at chance, 1 at certainty; 2·accuracy − 1 for a
    /// balanced attribute of two values.
    pub advantage: f64,
    /// As in [`AttackerScore::auc`]; of a balanced finding, its mean over main classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
}

/// Accuracy as if every value were equally frequent, with the main label given: the mean over the values, and over main
/// classes. Answers follow the likelihood, so that naming a frequent value gains nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balanced {
    /// Accuracy, percent.
    pub accuracy: f64,
    /// Lower end of the 95 % interval, percent.
    pub low: f64,
    /// Upper end of the 95 % interval, percent.
    pub high: f64,
    /// One over the number of values, percent.
    pub chance: f64,
    /// (accuracy − chance)/(100 − chance).
    pub advantage: f64,
    /// The same on held-out training items, percent.
    pub held_out: f64,
    /// Over all items at once, where what the main label reveals counts too, percent; in scope `pooled`. Compare it
    /// with [`MainLabel::balanced_accuracy`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<f64>,
}

/// The best prediction without any output, over all items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MainLabel {
    /// Best accuracy from the main label alone, percent.
    pub accuracy: f64,
    /// Best balanced accuracy from the main label alone, percent: the baseline of [`Balanced::overall`].
    pub balanced_accuracy: f64,
    /// Frequency of the most frequent value, percent.
    pub most_frequent: f64,
}

/// An attribute whose values are numbers, such as years of age, predicted as a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Continuous {
    /// The predictor: a regression, or the mean under an attacker's probabilities; the best on held-out training items.
    pub family: String,
    /// Fraction of the variance within main classes that the prediction explains, R²; at most 1, below 0 if it is worse
    /// than the mean.
    pub r2: f64,
    /// Lower end of the 95 % interval of `r2`.
    pub r2_low: f64,
    /// Upper end of the 95 % interval of `r2`.
    pub r2_high: f64,
    /// Spearman's rank correlation within main classes, mean over them by items.
    pub rank: f64,
    /// Lower end of the 95 % interval of `rank`.
    pub rank_low: f64,
    /// Upper end of the 95 % interval of `rank`.
    pub rank_high: f64,
    /// Mean absolute error, in the attribute's unit.
    pub error: f64,
    /// The same for the mean of the main class.
    pub error_blind: f64,
}

/// A control attack: whether the network reveals more about the items that it was trained on than about others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Members {
    /// Items that the network was trained on.
    pub items: usize,
    /// The attacker: that of [`AuditReport::strongest_balanced`].
    pub family: String,
    /// Its balanced accuracy on those items, percent.
    pub accuracy: f64,
    /// Its balanced accuracy on the test items, which the network never saw, percent.
    pub control: f64,
    /// The difference, points.
    pub difference: f64,
    /// Lower end of the 95 % interval of the difference.
    pub low: f64,
    /// Upper end of the 95 % interval of the difference.
    pub high: f64,
    /// (accuracy − control)/(100 − control), at least 0: the additional risk of the training items.
    pub risk: f64,
}

/// One attacker in one scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttackerScore {
    /// Name of the attacker configuration.
    pub family: String,
    /// The items that it was scored on.
    pub scope: Scope,
    /// The main class, in scope `class`.
    pub class: Option<String>,
    /// Accuracy on test items, percent.
    pub accuracy: f64,
    /// Lower end of its own 95 % Wilson interval, percent.
    pub low: f64,
    /// Upper end of its own 95 % Wilson interval, percent.
    pub high: f64,
    /// Accuracy of the best guess from the main label alone, percent.
    pub chance: f64,
    /// As in [`Finding::advantage`].
    pub advantage: f64,
    /// Area under the ROC curve, one value against the rest, mean over values that occur; 0..1.
    pub auc: Option<f64>,
    /// True-positive rate where one negative in a thousand is accepted, same mean; 0..1. Guessing reaches 0.001.
    #[serde(rename = "tpr_at_fpr_1e-3")]
    pub tpr_at_fpr: Option<f64>,
    /// Bits about the attribute in one item that this attacker extracts: code length from the main label alone minus
    /// its calibrated code length, at least 0.
    pub bits: f64,
    /// Accuracy on held-out training items, by which the strongest is chosen, percent.
    pub held_out: f64,
    /// Largest minus smallest accuracy over the seeds, points.
    pub spread: f64,
    /// As if every value were equally frequent; absent if the attribute does not vary.
    #[serde(default)]
    pub balanced: Option<Balanced>,
}

/// Accuracy on one subject from k of its items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// Items per subject.
    pub k: usize,
    /// Accuracy, percent.
    pub accuracy: f64,
    /// Lower end of the 95 % interval, percent.
    pub low: f64,
    /// Upper end of the 95 % interval, percent.
    pub high: f64,
    /// The family that is strongest for this k on held-out training items.
    pub family: String,
    /// Accuracy of guessing, percent.
    pub chance: f64,
    /// Disjoint subjects among the test items, on which the interval is based.
    #[serde(default)]
    pub subjects: usize,
}

/// Distinguishing two values of the attribute at equal main label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distinguisher {
    /// The family that plays.
    pub family: String,
    /// The game with one output: |Pr[says b=1 | b=1] − Pr[says b=1 | b=0]|, mean over pairs of
    /// values and over classes, 0..1.
    pub advantage: f64,
    /// Lower end of the 95 % interval of `advantage`.
    pub low: f64,
    /// Upper end of the 95 % interval of `advantage`.
    pub high: f64,
    /// The game with two outputs of equal main label, one of each value: fraction of pairs put in the right order,
    /// percent.
    pub pair_accuracy: f64,
    /// Lower end of the 95 % interval of `pair_accuracy`.
    pub pair_low: f64,
    /// Upper end of the 95 % interval of `pair_accuracy`.
    pub pair_high: f64,
}

/// Accuracy after training on a part of the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Training items.
    pub train: usize,
    /// Accuracy on all test items, percent.
    pub accuracy: f64,
    /// Lower end of the 95 % interval, percent.
    pub low: f64,
    /// Upper end of the 95 % interval, percent.
    pub high: f64,
}

/// Online code length of the attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeLength {
    /// The family that predicts.
    pub family: String,
    /// Bits per training item, learning included.
    pub bits_per_item: f64,
    /// Bits per training item from the main label alone. The difference is what the outputs save.
    pub without_outputs: f64,
}

/// The results of the same procedure elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Controls {
    /// Labels shuffled within every main class: what the procedure finds where there is nothing to find.
    pub shuffled: Option<Control>,
    /// Other observations of the same items: a random network, an undefended one, raw inputs.
    pub others: Vec<Control>,
}

/// One control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// What was audited instead of the network's outputs.
    pub name: String,
    /// As [`AuditReport::strongest_pooled`].
    pub strongest_pooled: Finding,
    /// As [`AuditReport::strongest_class`].
    pub strongest_class: Option<Finding>,
    /// As [`AuditReport::highest_pooled`].
    pub highest_pooled: Finding,
    /// As [`AuditReport::highest_class`].
    pub highest_class: Option<Finding>,
    /// As [`AuditReport::strongest_balanced`].
    #[serde(default)]
    pub strongest_balanced: Option<Finding>,
    /// As [`AuditReport::highest_balanced`].
    #[serde(default)]
    pub highest_balanced: Option<Finding>,
    /// As [`AuditReport::vote`].
    pub vote: Vec<Vote>,
}

/// Outputs of test items in two dimensions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cloud {
    /// All main classes, along the two directions that separate them best.
    pub overall: Points,
    /// The class of `strongest_class`, along the directions that separate the attribute best.
    pub class: Option<Points>,
}

/// Points of one picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Points {
    /// First coordinate, deviations.
    pub x: Vec<f32>,
    /// Second coordinate, deviations.
    pub y: Vec<f32>,
    /// Main label of each point.
    pub main: Vec<u32>,
    /// Attribute of each point.
    pub collateral: Vec<u32>,
}
