//! The roles of the columns of a table, and the rules for values that do not fit.

use serde::{Deserialize, Serialize};

use crate::import::{DEFAULT_BUDGET, ImportError};
use crate::schema::{Missing, Outside, Overrides, Schema, Unknown};

/// The roles of the columns of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableOptions {
    /// The columns that are labels; at least one, or with a schema none for those of the schema.
    pub labels: Vec<String>,
    /// The columns that are features; if none are given, all that are not labels.
    pub features: Vec<String>,
    /// Features to take as texts though they look like numbers, such as postcodes.
    pub texts: Vec<String>,
    /// Columns of dates with the format of each (`strftime`), empty for ISO 8601. Columns that hold only ISO dates are
    /// found without it.
    pub dates: Vec<(String, String)>,
    /// Columns of ordered texts, each with its texts in order.
    pub ordinals: Vec<(String, Vec<String>)>,
    /// Columns of texts whose words are hashed.
    pub hashed: Vec<String>,
    /// Features of each hashed column, 1 to 4096.
    pub hash_columns: u32,
    /// Columns of numbers or dates with heavy tails, scaled by rank.
    pub quantile: Vec<String>,
    /// Different texts up to which a column is a category, 1 to 4096. With [`Unknown::Other`] the most frequent ones
    /// stay; otherwise a column with more is refused.
    pub categories: u32,
    /// With [`Unknown::Other`]: categories with fewer rows than this become `(other)`.
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

/// Rules for tables and arrays: how to treat values that do not fit, which schema to read by, how much memory to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableRules {
    /// For missing values; if absent, that of the schema, or [`Missing::Refuse`].
    pub missing: Option<Missing>,
    /// For unknown categories; if absent, that of the schema, or [`Unknown::Refuse`].
    pub unknown: Option<Unknown>,
    /// For numbers beyond the scale; if absent, that of the schema, or [`Outside::Clamp`].
    pub outside: Option<Outside>,
    /// Read by this schema instead of learning one.
    pub like: Option<Schema>,
    /// With a schema: labels that may have classes unknown to it, such as the speakers of a test set.
    pub new_classes: Vec<String>,
    /// With a schema: skip labels of it that the file lacks.
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
    /// The rules that override those of the schema.
    ///
    /// # Errors
    /// A rule needs a feature that the schema does not have.
    pub(super) fn overrides(&self) -> Result<Overrides, ImportError> {
        let overrides = Overrides { missing: self.missing, unknown: self.unknown, outside: self.outside };
        let Some(like) = &self.like else { return Ok(overrides) };
        let wrong = |field, value: &str, name: &str| {
            let remedy = format!("the schema has no feature for it in column `{name}`: choose another rule");
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
    /// Checks ranges, and that no option contradicts the schema.
    pub(super) fn check(&self) -> Result<(), ImportError> {
        let wrong =
            |field, value: String, remedy: &str| Err(ImportError::Option { field, value, remedy: remedy.into() });
        for (field, value) in [("hash_columns", self.hash_columns), ("categories", self.categories)] {
            if !(1..=4096).contains(&value) {
                return wrong(field, value.to_string(), "choose from 1 to 4096");
            }
        }
        if self.rare > 1 && self.rules.unknown != Some(Unknown::Other) && self.rules.like.is_none() {
            return wrong("rare", self.rare.to_string(), "say where rare categories go: set `unknown` to `other`");
        }
        if let Some((name, _)) = self.ordinals.iter().find(|(_, values)| values.len() < 2) {
            return wrong("ordinals", name.clone(), "give at least two texts in their order");
        }
        if self.rules.like.is_none() {
            if !self.rules.new_classes.is_empty() || self.rules.unlabelled {
                return wrong("like", "missing".into(), "new classes and missing labels refer to a schema: give one");
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
