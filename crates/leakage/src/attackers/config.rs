//! What an attacker is, and one setting of it.

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
    /// Mean 0 and deviation 1: for attackers that no linear map changes much, or that learn their own.
    Standardised,
    /// Without correlations: for distances.
    Uncorrelated,
    /// Both side by side: trees cut along columns, and thin directions lie across those of the outputs.
    Both,
}

/// Reads the name of a setting; `None` where it names another kind. `read` reads names of every kind.
pub(crate) type Parse = fn(name: &str, read: &dyn Fn(&str) -> Option<AttackerConfig>) -> Option<AttackerConfig>;

/// Scores of several settings at the cost of one.
pub(crate) type Together = fn(train: &Sample, test: &[f32], settings: &[f64]) -> Vec<Scores>;

/// One kind of attacker: the text for people, and how its settings are read and listed.
pub(crate) struct Kind {
    /// How a setting is named, capitals for what is chosen: `knn-K`.
    pub form: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// What it does, in one sentence.
    pub text: &'static str,
    /// Reads the name of a setting; `None` where it names another kind. `read` reads names of every kind.
    pub parse: Parse,
    /// Settings in the first panel: what finds what others miss, in seconds.
    pub quick: fn() -> Vec<AttackerConfig>,
    /// Settings in the full panel: those that have mattered.
    pub full: fn() -> Vec<AttackerConfig>,
    /// Scores of several settings at the cost of one, from what [`Attacker::shared`] says of each.
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

    /// What is wrong with the setting, said as what is allowed.
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }

    /// The outputs as it looks at them.
    fn columns(&self) -> Columns {
        Columns::Standardised
    }

    /// Whether one model serves all main classes, reading the main label as extra inputs; the
    /// others get a model per main class.
    fn is_pooled(&self) -> bool {
        false
    }

    /// Most training rows that one model learns from.
    fn row_limit(&self) -> Option<usize> {
        None
    }

    /// Whether it learns from the outputs of an undefended network too.
    fn needs_undefended(&self) -> bool {
        false
    }

    /// Whether it reads the outputs as integers, of all main classes at once; it takes no part where they are floats.
    fn reads_integers(&self) -> bool {
        false
    }

    /// The number in which settings differ that are run together.
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

    /// How settings of this kind are named: `knn-K`.
    pub fn kind(&self) -> &'static str {
        self.0.kind().form
    }

    /// Title of the kind, for people.
    pub fn title(&self) -> &'static str {
        self.0.kind().title
    }

    /// What the kind does, in one sentence.
    pub fn text(&self) -> &'static str {
        self.0.kind().text
    }

    /// Whether it learns from the outputs of an undefended network too (see [`crate::Extras`]).
    pub fn needs_undefended(&self) -> bool {
        self.0.needs_undefended()
    }

    /// Whether it reads the digits of integers: it takes no part where outputs are floats.
    pub fn reads_integers(&self) -> bool {
        self.0.reads_integers()
    }

    /// Most training items that one model learns from; `None` where it takes all.
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

    /// Neighbours in a panel that are run together.
    pub(crate) fn shares_work_with(&self, other: &AttackerConfig) -> bool {
        self.0.kind().together.is_some() && self.kind() == other.kind()
    }

    pub(crate) fn validate(&self) -> Result<(), AuditError> {
        let refused = |remedy| AuditError::Option { option: "families", value: self.to_string(), remedy };
        self.0.check().map_err(refused)
    }

    /// Scores of configurations that share their work (one neighbour search serves every k), or of one, in the order
    /// given. `beside` belongs to these rows.
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

/// Where only one value occurs, or none, there is nothing to learn: it is the answer.
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
