//! What a data set holds, in numbers.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ColumnSummary;
use crate::{Dataset, Labels};

/// Sizes, classes and how well labels predict each other; prints as text, serialises as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The number of items: images, or rows of a table.
    pub items: usize,
    /// Rows of an item.
    pub height: usize,
    /// Columns of an item: features, if it is a row of a table.
    pub width: usize,
    /// Whether the bytes stand for measured values rather than pixels.
    #[serde(default)]
    pub measured: bool,
    /// The columns of a table; empty for pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnSummary>,
    /// The label columns.
    pub labels: Vec<LabelSummary>,
    /// One entry for each ordered pair of different labels.
    pub associations: Vec<Association>,
    /// What the data set records about itself.
    pub about: BTreeMap<String, String>,
}

/// One label column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelSummary {
    /// Its name.
    pub name: String,
    /// Its classes in order.
    pub classes: Vec<ClassCount>,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Its name.
    pub name: String,
    /// How many items have it.
    pub count: usize,
}

/// How well one label can be guessed from another alone: a lower bound on any attack on `guessed` by somebody who
/// learns `known`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Association {
    /// The label that is known.
    pub known: String,
    /// The label that is guessed.
    pub guessed: String,
    /// Percent right when always guessing the most frequent class.
    pub blind: f64,
    /// Percent right when guessing the most frequent class among items of the same known class.
    pub informed: f64,
}

impl Summary {
    /// Counts everything.
    pub fn of(data: &Dataset) -> Self {
        let columns = data.columns();
        let pairs = columns.iter().flat_map(|known| columns.iter().map(move |guessed| (known, guessed)));
        let associations = pairs.filter(|(known, guessed)| known.name != guessed.name);
        Self {
            items: data.len(),
            height: data.height(),
            width: data.width(),
            measured: data.features().is_some(),
            columns: ColumnSummary::all(data),
            labels: columns.iter().map(summarise).collect(),
            associations: associations.map(|(known, guessed)| associate(known, guessed)).collect(),
            about: data.about().clone(),
        }
    }
}

fn summarise(column: &Labels) -> LabelSummary {
    let mut counts = vec![0; column.classes.len()];
    column.values.iter().for_each(|&value| counts[value as usize] += 1);
    let classes = column.classes.iter().zip(counts).map(|(name, count)| ClassCount { name: name.clone(), count });
    LabelSummary { name: column.name.clone(), classes: classes.collect() }
}

fn associate(known: &Labels, guessed: &Labels) -> Association {
    let mut together: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    let mut alone: BTreeMap<u32, usize> = BTreeMap::new();
    for (&given, &value) in known.values.iter().zip(&guessed.values) {
        *together.entry((given, value)).or_default() += 1;
        *alone.entry(value).or_default() += 1;
    }
    let mut best: BTreeMap<u32, usize> = BTreeMap::new();
    for (&(given, _), &count) in &together {
        let most = best.entry(given).or_default();
        *most = count.max(*most);
    }
    let percent = |count: usize| 100.0 * count as f64 / guessed.values.len().max(1) as f64;
    Association {
        known: known.name.clone(),
        guessed: guessed.name.clone(),
        blind: percent(alone.values().copied().max().unwrap_or(0)),
        informed: percent(best.values().sum()),
    }
}

/// Columns that the text form shows.
const COLUMNS_SHOWN: usize = 100;

impl Summary {
    /// The number and kind of items.
    pub fn size(&self) -> String {
        let Self { items, height, width, .. } = self;
        match (self.measured, self.columns.len()) {
            (false, _) => format!("{items} images of {height}x{width} pixels"),
            (true, 0) => format!("{items} items of {height}x{width} values"),
            (true, columns) if columns == *width => format!("{items} rows of {columns} columns"),
            (true, columns) => format!("{items} rows of {columns} columns, {width} features"),
        }
    }
}

fn line(column: &ColumnSummary) -> String {
    let missing = match column.missing {
        Some(count) => format!("{count} missing"),
        None => "missing ones filled".into(),
    };
    let range = match (column.least, column.greatest) {
        (Some(least), Some(greatest)) => format!("{least:.6} to {greatest:.6}").replace(".000000", ""),
        _ => format!("{} features", column.features),
    };
    let tells = column.labels.iter().map(|tells| format!("{} {:.3}", tells.measure, tells.value));
    let parts = [column.kind.clone(), missing, range].into_iter().chain(tells);
    format!("{}: {}", column.name, parts.collect::<Vec<_>>().join(", "))
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.size())?;
        for label in &self.labels {
            const SHOWN: usize = 12;
            let classes = label.classes.iter().take(SHOWN).map(|class| format!("{} {}", class.name, class.count));
            let more = label.classes.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let classes = classes.collect::<Vec<_>>().join(", ");
            writeln!(out, "{}: {} classes: {classes}{more}", label.name, label.classes.len())?;
        }
        for Association { known, guessed, blind, informed } in &self.associations {
            writeln!(out, "{guessed} guessed from {known}: {informed:.1} % (blind {blind:.1} %)")?;
        }
        if !self.columns.is_empty() {
            let names: Vec<&str> = self.labels.iter().map(|label| label.name.as_str()).collect();
            let tells = if names.is_empty() { String::new() } else { format!("; tells {}", names.join(", ")) };
            writeln!(out, "columns: kind, missing, range{tells}")?;
        }
        for column in self.columns.iter().take(COLUMNS_SHOWN) {
            writeln!(out, "  {}", line(column))?;
        }
        if self.columns.len() > COLUMNS_SHOWN {
            writeln!(out, "  and {} more, which the JSON form lists", self.columns.len() - COLUMNS_SHOWN)?;
        }
        for (key, value) in &self.about {
            writeln!(out, "{key}: {value}")?;
        }
        Ok(())
    }
}
