//! A kind of attacker, and one setting of it.

use super::sample::{Beside, Sample};
use crate::error::AuditError;
use crate::metrics::Scores;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::fmt;
use std::sync::Arc;

/// Forms of the outputs of one main class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// Mean 0 and deviation 1: for attackers that are insensitive to linear maps, or learn their own.
    Standardised,
    /// Decorrelated: for attackers that measure distances.
    Uncorrelated,
    /// Both side by side: trees split along columns, and thin directions are oblique to the outputs.
    Both,
}

/// Reads the name of a setting; `None` where it names another kind. `read` reads names of every kind.
pub(crate) type Parse = fn(name: &str, read: &dyn Fn(&str) -> Option<AttackerConfig>) -> Option<AttackerConfig>;

/// Scores of several settings at the cost of one.
pub(crate) type Together = fn(train: &Sample, test: &[f32], settings: &[f64]) -> Vec<Scores>;

/// One kind of attacker: its description, and how its settings are read and listed.
pub(crate) struct Kind {
    /// The form of its settings' names, with capitals for parameters: `knn-K`.
    pub form: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// A description in one sentence.
    pub text: &'static str,
    /// Reads the name of a setting; `None` where it names another kind. `read` reads names of every kind.
    pub parse: Parse,
    /// Settings in the quick panel: those that find in seconds what others miss.
    pub quick: fn() -> Vec<AttackerConfig>,
    /// Settings in the full panel: those that have made a difference.
    pub full: fn() -> Vec<AttackerConfig>,
    /// Scores of several settings at the cost of one, from the [`Attacker::shared`] of each.
    pub together: Option<Together>,
}

impl Kind {
    /// A kind without settings, in every panel.
    pub const fn of_one(
        form: &'static str,
        title: &'static str,
        text: &'static str,
        parse: Parse,
        panel: fn() -> Vec<AttackerConfig>,
    ) -> Kind {
        Kind { form, title, text, parse, quick: panel, full: panel, together: None }
    }
}

/// One setting of one kind of attacker.
pub(crate) trait Attacker: fmt::Debug + Send + Sync {
    /// The kind in the registry.
    fn kind(&self) -> &'static Kind;

    /// Name in reports (`knn-15`), which the kind's `parse` reads.
    fn name(&self) -> String;

    /// Rough relative cost, so that long jobs start first.
    fn cost(&self) -> usize;

    /// Checks the setting; an error states what is allowed.
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }

    /// The form of the outputs that it reads.
    fn columns(&self) -> Columns {
        Columns::Standardised
    }

    /// Whether one model serves all main classes, with the main label as extra inputs; the others use one model per
    /// main class.
    fn is_pooled(&self) -> bool {
        false
    }

    /// Maximum number of training rows that one model uses.
    fn row_limit(&self) -> Option<usize> {
        None
    }

    /// Whether it also learns from the outputs of an undefended network.
    fn needs_undefended(&self) -> bool {
        false
    }

    /// Whether it reads the outputs as integers, of all main classes at once; it is left out where they are floats.
    fn reads_integers(&self) -> bool {
        false
    }

    /// The number in which settings that run together differ.
    fn shared(&self) -> f64 {
        0.0
    }

    /// Learns from `train` and scores the rows of `test`. `beside` belongs to these rows.
    fn fit_and_predict(&self, train: &Sample, beside: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores;
}

/// One setting of one kind of attacker; displays as its name in reports (`knn-15`) and is read from it.
///
/// Equal names are equal configurations.
#[derive(Clone)]
pub struct AttackerConfig(Arc<dyn Attacker>);

impl AttackerConfig {
    pub(crate) fn new(attacker: impl Attacker + 'static) -> AttackerConfig {
        AttackerConfig(Arc::new(attacker))
    }

    /// The form of the names of this kind's settings: `knn-K`.
    pub fn kind(&self) -> &'static str {
        self.0.kind().form
    }

    /// Title of the kind, for people.
    pub fn title(&self) -> &'static str {
        self.0.kind().title
    }

    /// A description of the kind in one sentence.
    pub fn text(&self) -> &'static str {
        self.0.kind().text
    }

    /// Whether it also learns from the outputs of an undefended network (see [`crate::Extras`]).
    pub fn needs_undefended(&self) -> bool {
        self.0.needs_undefended()
    }

    /// Whether it reads the digits of integers: it is left out where outputs are floats.
    pub fn reads_integers(&self) -> bool {
        self.0.reads_integers()
    }

    /// Maximum number of training items that one model uses; `None` for all.
    pub fn row_limit(&self) -> Option<usize> {
        self.0.row_limit()
    }

    pub(crate) fn columns(&self) -> Columns {
        self.0.columns()
    }

    pub(crate) fn cost(&self) -> usize {
        self.0.cost()
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.0.is_pooled()
    }

    /// Neighbour counts of a panel that run together.
    pub(crate) fn shares_work_with(&self, other: &AttackerConfig) -> bool {
        self.0.kind().together.is_some() && self.kind() == other.kind()
    }

    pub(crate) fn validate(&self) -> Result<(), AuditError> {
        let refused = |remedy| AuditError::Option { option: "families", value: self.to_string(), remedy };
        self.0.check().map_err(refused)
    }

    /// Scores of configurations that share their work (one neighbour search serves every k), or of a single one, in the
    /// given order. `beside` belongs to these rows.
    pub(crate) fn attack(
        group: &[AttackerConfig],
        train: &Sample,
        beside: Beside,
        test: &[f32],
        seed: u64,
    ) -> Vec<Scores> {
        if let Some(scores) = constant(train, test) {
            return vec![scores; group.len()];
        }
        if let Some(together) = group.first().and_then(|first| first.0.kind().together) {
            let settings: Vec<f64> = group.iter().map(|config| config.0.shared()).collect();
            return together(train, test, &settings);
        }
        let alone = |config: &AttackerConfig| {
            config.0.fit_and_predict(train, beside, test, &mut ChaCha8Rng::seed_from_u64(seed))
        };
        group.iter().map(alone).collect()
    }

    pub(crate) fn fit_and_predict(&self, train: &Sample, beside: Beside, test: &[f32], rng: &mut ChaCha8Rng) -> Scores {
        self.0.fit_and_predict(train, beside, test, rng)
    }
}

impl PartialEq for AttackerConfig {
    fn eq(&self, other: &AttackerConfig) -> bool {
        self.0.name() == other.0.name()
    }
}

impl fmt::Debug for AttackerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for AttackerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name())
    }
}

/// Where only one value occurs, or none, there is nothing to learn: that value is the answer.
fn constant(train: &Sample, test: &[f32]) -> Option<Scores> {
    let first = train.labels.first();
    if train.labels.iter().any(|l| Some(l) != first) {
        return None;
    }
    Some(train.blind(test))
}

/// The number after `prefix` in a name.
pub(crate) fn number<T: std::str::FromStr>(name: &str, prefix: &str) -> Option<T> {
    name.strip_prefix(prefix)?.parse().ok()
}
