//! Options of an audit.

use crate::attackers::AttackerConfig;
use crate::error::AuditError;

/// Options of one audit. [`Default`] is the quick panel with votes and the shuffled control.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditOptions {
    /// Name of the network, for the report.
    pub network: String,
    /// Name of the collateral attribute, for the report.
    pub attribute: String,
    /// Attackers; those that read integers are left out where outputs are floats. The strongest is chosen on held-out
    /// training items.
    pub families: Vec<AttackerConfig>,
    /// One whole run of the panel per seed; figures are means over the seeds.
    pub seeds: Vec<u64>,
    /// Fraction of the training items, 0.05 to 0.5, held out to choose the strongest attacker and to calibrate
    /// probabilities. Attackers are trained again on all training items afterwards.
    pub held_out: f64,
    /// Maximum number of training items used, drawn at random.
    pub train_limit: Option<usize>,
    /// Maximum number of test items used, drawn at random.
    pub test_limit: Option<usize>,
    /// Numbers of items per subject for the vote.
    pub vote: Vec<usize>,
    /// Whether to repeat the panel with shuffled labels: what the procedure finds where there is nothing to find.
    pub shuffled_control: bool,
    /// Whether to train the strongest attacker on growing parts of the training items, which also
    /// gives the attribute's online code length.
    pub growth: bool,
    /// Number of attributes audited on the same items: intervals of the strongest and highest findings hold for all of
    /// them at once.
    pub comparisons: usize,
    /// Deviation of the noise that owners add to every output, in its own units, for [`crate::Precision`]; empty if
    /// they add none.
    pub noise: Vec<f64>,
}

impl Default for AuditOptions {
    fn default() -> AuditOptions {
        AuditOptions {
            network: "network".to_owned(),
            attribute: "collateral".to_owned(),
            families: AttackerConfig::quick(),
            seeds: vec![0],
            held_out: 0.2,
            train_limit: None,
            test_limit: None,
            vote: vec![1, 5, 20, 50, 140],
            shuffled_control: true,
            growth: false,
            comparisons: 1,
            noise: Vec::new(),
        }
    }
}

impl AuditOptions {
    /// Every attacker, three seeds and the growth curve: what a published figure should rest on.
    pub fn full() -> AuditOptions {
        AuditOptions { families: AttackerConfig::full(), seeds: vec![0, 1, 2], growth: true, ..AuditOptions::default() }
    }

    /// The same with only the attackers that apply: all of them where outputs are integers.
    pub(crate) fn taking_part(&self, integers: bool) -> Result<AuditOptions, AuditError> {
        let families = self.families.iter().filter(|family| integers || !family.reads_integers());
        let families: Vec<AttackerConfig> = families.cloned().collect();
        if families.is_empty() {
            let value = self.families.iter().map(AttackerConfig::to_string).collect::<Vec<_>>().join(", ");
            let remedy = "these read integers: give outputs as integers, or name attackers that take floats";
            return Err(AuditError::Option { option: "families", value, remedy });
        }
        Ok(AuditOptions { families, ..self.clone() })
    }

    /// `undefended`: whether undefended outputs are available for de-censoring.
    pub(crate) fn validate(&self, undefended: bool) -> Result<(), AuditError> {
        let refuse = |option, value: String, remedy| Err(AuditError::Option { option, value, remedy });
        if self.families.is_empty() {
            return refuse("families", "empty".to_owned(), "name at least one family");
        }
        let names: Vec<String> = self.families.iter().map(AttackerConfig::to_string).collect();
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return refuse("families", name.clone(), "name every family once");
            }
        }
        let censored = self.families.iter().find(|f| f.needs_undefended());
        if let Some(family) = censored.filter(|_| !undefended) {
            return refuse(
                "families",
                family.to_string(),
                "give the undefended network's outputs on the training items",
            );
        }
        if self.seeds.is_empty() {
            return refuse("seeds", "empty".to_owned(), "give at least one seed");
        }
        if !(0.05..=0.5).contains(&self.held_out) {
            let value = self.held_out.to_string();
            return refuse("held_out", value, "choose a fraction from 0.05 to 0.5");
        }
        for (option, limit) in [("train_limit", self.train_limit), ("test_limit", self.test_limit)] {
            if let Some(limit) = limit.filter(|&l| l < 20) {
                return refuse(option, limit.to_string(), "use at least 20 items");
            }
        }
        if let Some(k) = self.vote.iter().find(|k| !(1..=10_000).contains(*k)) {
            return refuse("vote", k.to_string(), "use 1 to 10000 items per subject");
        }
        if let Some(noise) = self.noise.iter().find(|noise| !(0.0..f64::INFINITY).contains(*noise)) {
            return refuse("noise", noise.to_string(), "give a deviation from 0 for every output");
        }
        self.families.iter().try_for_each(AttackerConfig::validate)
    }
}
