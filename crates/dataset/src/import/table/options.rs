//! What is what in a table, and the rules for what does not fit.

use serde::{Deserialize, Serialize};

use crate::import::{DEFAULT_BUDGET, ImportError};
use crate::schema::{Missing, Outside, Overrides, Schema, Unknown};

/// Which columns of a table are what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableOptions {
    /// The columns that are labels; at least one, or with a schema none for those of the schema.
    pub labels: Vec<String>,
    /// The columns that are features; none for all that are no labels.
    pub features: Vec<String>,
    /// Features to take as texts though they look like numbers, such as postcodes.
    pub texts: Vec<String>,
    /// Columns of dates with the format of each (`strftime`), empty for ISO 8601. Columns of nothing but ISO dates are
    /// found without.
    pub dates: Vec<(String, String)>,
    /// Columns of texts with an order, and their texts in it.
    pub ordinals: Vec<(String, Vec<String>)>,
    /// Columns of texts whose words are hashed.
    pub hashed: Vec<String>,
    /// Features of each hashed column, 1 to 4096.
    pub hash_columns: u32,
    /// Columns of numbers or dates with heavy tails, scaled by rank.
    pub quantile: Vec<String>,
    /// Different texts that a column may have before it is no category any more, 1 to 4096. With [`Unknown::Other`] the
    /// most frequent ones stay, else a column of more is refused.
    pub categories: u32,
    /// With [`Unknown::Other`]: categories of fewer rows than this are `(other)`.
    pub rare: u64,
    /// The rules, and the schema to read by.
    pub rules: TableRules,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            labels: vec![],
            features: vec![],
            texts: vec![],
            dates: vec![],
            ordinals: vec![],
            hashed: vec![],
            hash_columns: 32,
            quantile: vec![],
            categories: 64,
            rare: 0,
            rules: TableRules::default(),
        }
    }
}

/// What holds for tables and arrays: what becomes of values that do not fit, by which schema to read, how much memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableRules {
    /// For missing values; without, those of the schema, or [`Missing::Refuse`].
    pub missing: Option<Missing>,
    /// For unknown categories; without, those of the schema, or [`Unknown::Refuse`].
    pub unknown: Option<Unknown>,
    /// For numbers beyond the scale; without, those of the schema, or [`Outside::Clamp`].
    pub outside: Option<Outside>,
    /// Read by this schema instead of learning one.
    pub like: Option<Schema>,
    /// With a schema: labels that may have classes which it does not know, such as the speakers of a test.
    pub new_classes: Vec<String>,
    /// With a schema: labels of it that the file lacks are left out.
    pub unlabelled: bool,
    /// Bytes that the import may unpack.
    pub budget: u64,
}

impl Default for TableRules {
    fn default() -> Self {
        Self {
            missing: None,
            unknown: None,
            outside: None,
            like: None,
            new_classes: vec![],
            unlabelled: false,
            budget: DEFAULT_BUDGET,
        }
    }
}

impl TableRules {
    /// The rules that go before those of the schema.
    ///
    /// # Errors
    /// A rule wants a feature that the schema does not have.
    pub(super) fn overrides(&self) -> Result<Overrides, ImportError> {
        let overrides = Overrides { missing: self.missing, unknown: self.unknown, outside: self.outside };
        let Some(like) = &self.like else { return Ok(overrides) };
        let wrong = |field, value: &str, name: &str| {
            let remedy = format!("the schema has no feature for that in column `{name}`: choose another rule");
            Err(ImportError::Option { field, value: value.into(), remedy })
        };
        if let (Some(Missing::Category), Some(column)) =
            (self.missing, like.columns.iter().find(|column| !column.marks_missing()))
        {
            return wrong("missing", "category", &column.name);
        }
        let lacks = like.columns.iter().find(|column| column.kind_name() == "category" && !column.marks_other());
        if let (Some(Unknown::Other), Some(column)) = (self.unknown, lacks) {
            return wrong("unknown", "other", &column.name);
        }
        Ok(overrides)
    }
}

impl TableOptions {
    /// Checks ranges, and that nothing is asked for that the schema has decided.
    pub(super) fn check(&self) -> Result<(), ImportError> {
        let wrong =
            |field, value: String, remedy: &str| Err(ImportError::Option { field, value, remedy: remedy.into() });
        for (field, value) in [("hash_columns", self.hash_columns), ("categories", self.categories)] {
            if !(1..=4096).contains(&value) {
                return wrong(field, value.to_string(), "choose from 1 to 4096");
            }
        }
        if self.rare > 1 && self.rules.unknown != Some(Unknown::Other) && self.rules.like.is_none() {
            return wrong("rare", self.rare.to_string(), "say where rare categories go: let `unknown` be `other`");
        }
        if let Some((name, _)) = self.ordinals.iter().find(|(_, values)| values.len() < 2) {
            return wrong("ordinals", name.clone(), "give at least two texts in their order");
        }
        if self.rules.like.is_none() {
            if !self.rules.new_classes.is_empty() || self.rules.unlabelled {
                return wrong(
                    "like",
                    "missing".into(),
                    "new classes and missing labels are those of a schema: give one",
                );
            }
            return Ok(());
        }
        let asked = [
            ("features", self.features.len()),
            ("texts", self.texts.len()),
            ("dates", self.dates.len()),
            ("ordinals", self.ordinals.len()),
            ("hashed", self.hashed.len()),
            ("quantile", self.quantile.len()),
            ("rare", self.rare as usize),
        ];
        match asked.into_iter().find(|(_, count)| *count > 0) {
            Some((field, _)) => wrong(field, "given".into(), "the schema decides that already: leave it out"),
            None => Ok(()),
        }
    }
}
