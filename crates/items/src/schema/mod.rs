//! What the columns of a table are, so that a second table is read like the first one.
//!
//! A schema is learned where a table is imported, and travels in the metadata of the data set. Reading another file by
//! it (`TableRules::like` of the crate `dataset`) gives the same columns with the same scales and categories, or refuses.

mod canonical;
mod date;
mod read;
mod record;
mod show;

pub(crate) use canonical::canonical;
pub use date::days;
pub use read::{Cell, Fault, Met, Overrides, shown};
pub use record::{RecordError, RecordReader};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::features::{self, Features};

/// The columns of a table in the order in which they expand to features, and its labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The columns that are features; at least one.
    pub columns: Vec<Column>,
    /// The columns that are labels.
    #[serde(default)]
    pub labels: Vec<LabelColumn>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// The rule for a missing value.
    #[serde(default)]
    pub missing: Missing,
    /// The rule for a value that is none of the categories.
    #[serde(default)]
    pub unknown: Unknown,
    /// The rule for a number beyond the scale.
    #[serde(default)]
    pub outside: Outside,
}

/// One label of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelColumn {
    /// Its name in the table.
    pub name: String,
    /// Its classes in order; none in a data set file, whose labels name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
}

/// What a column holds, and how its values become features of one byte each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Kind {
    /// Numbers: one feature.
    Numeric {
        /// Where byte 0 and byte 255 lie.
        scale: Scale,
        /// The median of the sample that the scale was learned on.
        middle: f32,
    },
    /// Dates: one feature, days since 1970-01-01.
    Date {
        /// As `strftime` writes it; empty for ISO 8601 in UTC.
        #[serde(default)]
        format: String,
        /// In days.
        scale: Scale,
        /// The median in days.
        middle: f32,
    },
    /// Ordered texts: one feature, the place among `values`, counted from 0.
    Ordinal {
        /// The texts in their own ascending order.
        values: Vec<String>,
        /// The median place.
        middle: u32,
    },
    /// A few different texts: one feature for each, 0 or 1.
    Category {
        /// The texts, ascending.
        values: Vec<String>,
        /// The place of the most frequent one.
        commonest: u32,
    },
    /// Free texts: the words of each, in lower case, set features chosen by their hash (FNV-1a, 64 bits).
    Text {
        /// The number of features, 1 to 4096.
        columns: u32,
    },
}

/// How a number becomes a byte.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The value of byte 0.
    pub low: f32,
    /// The value of byte 255; a column that is always the same has `low`.
    pub high: f32,
    /// For heavy tails: ascending values at equal distances in rank; a byte is then the rank of a value among them.
    /// Empty for equal distances in value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<f32>,
}

/// The rule for a missing value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// The row is bad: it ends the import, or is skipped and listed.
    #[default]
    Refuse,
    /// The row is left out and counted.
    Drop,
    /// Replaced by the median of the training data, or by the most frequent category; in hashed texts, no word is set.
    Median,
    /// Marked by its own feature (`name=?`); a number also gets the median.
    Category,
}

/// The rule for a text that is none of the categories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// The row is bad: it ends the import, or is skipped and listed.
    #[default]
    Refuse,
    /// The row is left out and counted.
    Drop,
    /// No category is set; an ordered text gets the median.
    Ignore,
    /// Marked by its own feature (`name=(other)`), which also marks rare categories of the training data; an ordered
    /// text gets the median.
    Other,
}

/// The rule for a number beyond the scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// Replaced by the nearest end of the scale.
    #[default]
    Clamp,
    /// The row is left out and counted.
    Drop,
    /// The row is bad: it ends the import, or is skipped and listed.
    Refuse,
}

/// Features that a hashed column may have.
pub const MOST_HASHED: u32 = 4096;

impl Schema {
    /// The names of all features in order.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().flat_map(Column::names).collect()
    }

    /// The number of all features.
    pub fn width(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// What the bytes of the features stand for.
    pub fn features(&self) -> Features {
        let (low, step) = self.columns.iter().flat_map(Column::scales).unzip();
        Features { names: self.names(), low, step, sound: None }
    }

    /// Checks that its parts fit each other, and says what does not.
    ///
    /// # Errors
    /// No column, two of one name, a scale or categories that contradict themselves.
    pub fn check(&self) -> Result<(), String> {
        if self.columns.is_empty() {
            return Err("it has no column".into());
        }
        self.columns.iter().try_for_each(|column| {
            column.check().map_err(|problem| format!("its column `{}` {problem}", column.name))
        })?;
        let mut seen = BTreeSet::new();
        let names = self.columns.iter().map(|column| &column.name).chain(self.labels.iter().map(|label| &label.name));
        if let Some(name) = names.into_iter().find(|name| !seen.insert(name.as_str())) {
            return Err(format!("it has two columns `{name}`"));
        }
        let names = self.names();
        let mut seen = BTreeSet::new();
        if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(format!("two of its features are named `{name}`: rename a column"));
        }
        for LabelColumn { name, classes } in &self.labels {
            let mut seen = BTreeSet::new();
            if let Some(class) = classes.iter().find(|class| !seen.insert(class.as_str())) {
                return Err(format!("its label `{name}` has two classes named `{class}`"));
            }
        }
        Ok(())
    }
}

impl Column {
    /// How many features it becomes.
    pub fn width(&self) -> usize {
        let own = match &self.kind {
            Kind::Numeric { .. } | Kind::Date { .. } | Kind::Ordinal { .. } => 1,
            Kind::Category { values, .. } => values.len(),
            Kind::Text { columns } => *columns as usize,
        };
        own + usize::from(self.marks_other()) + usize::from(self.marks_missing())
    }

    /// The names of the features it becomes.
    pub fn names(&self) -> Vec<String> {
        let name = &self.name;
        let mut names: Vec<String> = match &self.kind {
            Kind::Numeric { .. } | Kind::Date { .. } | Kind::Ordinal { .. } => vec![name.clone()],
            Kind::Category { values, .. } => values.iter().map(|text| format!("{name}={text}")).collect(),
            Kind::Text { columns } => (0..*columns).map(|place| format!("{name}#{place}")).collect(),
        };
        names.extend(self.marks_other().then(|| format!("{name}=(other)")));
        names.extend(self.marks_missing().then(|| format!("{name}=?")));
        names
    }

    /// The kind of its content, in one word.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Numeric { .. } => "numeric",
            Kind::Date { .. } => "date",
            Kind::Ordinal { .. } => "ordinal",
            Kind::Category { .. } => "category",
            Kind::Text { .. } => "text",
        }
    }

    /// Whether a feature marks missing values.
    pub fn marks_missing(&self) -> bool {
        self.missing == Missing::Category
    }

    /// Whether a feature marks categories that are rare or unknown.
    pub fn marks_other(&self) -> bool {
        self.unknown == Unknown::Other && matches!(self.kind, Kind::Category { .. })
    }

    /// Low and step of each of its features.
    fn scales(&self) -> Vec<(f32, f32)> {
        const MARK: (f32, f32) = (0.0, 1.0 / 255.0);
        let mut scales = vec![MARK; self.width()];
        match &self.kind {
            Kind::Numeric { scale, .. } | Kind::Date { scale, .. } if scale.quantiles.is_empty() => {
                scales[0] = (scale.low, features::step(scale.low, scale.high));
            }
            Kind::Ordinal { values, .. } => scales[0] = (0.0, features::step(0.0, values.len() as f32 - 1.0)),
            _ => {}
        }
        scales
    }

    fn check(&self) -> Result<(), String> {
        let scale = |scale: &Scale, middle: f32| {
            let sound = scale.low.is_finite() && scale.high.is_finite() && scale.low <= scale.high;
            let ranks = scale.quantiles.len() != 1
                && scale.quantiles.iter().all(|value| value.is_finite())
                && scale.quantiles.is_sorted();
            (sound && ranks && middle.is_finite()).then_some(()).ok_or("has an invalid scale".to_string())
        };
        let place = |place: u32, values: &[String]| {
            let sound = !values.is_empty() && (place as usize) < values.len();
            sound.then_some(()).ok_or("has a middle outside its values".to_string())
        };
        match &self.kind {
            Kind::Numeric { scale: found, middle } | Kind::Date { scale: found, middle, .. } => scale(found, *middle),
            Kind::Ordinal { values, middle } => {
                let mut seen = BTreeSet::new();
                match values.iter().find(|value| !seen.insert(value.as_str())) {
                    Some(value) => Err(format!("lists `{value}` twice")),
                    None => place(*middle, values),
                }
            }
            Kind::Category { values, .. } if values.is_empty() && (self.marks_other() || self.marks_missing()) => {
                Ok(())
            }
            Kind::Category { values, commonest } => match values.is_sorted_by(|a, b| a < b) {
                true => place(*commonest, values),
                false => Err("has categories that are not in ascending order".into()),
            },
            Kind::Text { columns } if (1..=MOST_HASHED).contains(columns) => Ok(()),
            Kind::Text { columns } => Err(format!("is hashed to {columns} features: choose from 1 to {MOST_HASHED}")),
        }
    }
}
