//! What each column of a table holds, and how strongly it is associated with each label.

use serde::{Deserialize, Serialize};

use crate::schema::{Column, Kind, Missing, Schema};
use crate::{Dataset, Labels};

/// One column of a table, as far as its bytes show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// `numeric`, `date` (days since 1970-01-01), `ordinal` (places from 0), `category`, or `text` (hashed).
    pub kind: String,
    /// Features that it expands to.
    pub features: usize,
    /// Items without a value; none where the median replaces them and nothing marks them.
    pub missing: Option<usize>,
    /// Least value; for a column scaled by rank, the least that the schema was learned on. Absent for categories and
    /// texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// Greatest value, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greatest: Option<f64>,
    /// Its association with each label, in the order of the labels.
    pub labels: Vec<Correlation>,
}

/// The association of one column with a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// The label.
    pub label: String,
    /// `Cramér's V` for categories, 0 to 1: the square root of `χ² / (N · (k − 1))`, with `k` the smaller number of
    /// classes that occur. `R²` for everything else, 0 to 1: the fraction of the column's variance that lies between
    /// the classes of the label; for hashed texts the largest over their features.
    pub measure: String,
    /// The value.
    pub value: f64,
}

impl ColumnSummary {
    /// One entry for each column of a table; none for pictures and grids of values.
    pub(super) fn all(data: &Dataset) -> Vec<Self> {
        let Some(features) = data.features() else { return vec![] };
        if data.height() > 1 || features.low.len() < data.width() {
            return vec![];
        }
        match data.schema() {
            Some(schema) => by_schema(data, schema),
            // Made before schemas existed: every feature is a number.
            None => (0..data.width())
                .map(|place| {
                    let name = features.names.get(place).cloned().unwrap_or_else(|| place.to_string());
                    let (least, greatest) = range(data, place);
                    let labels = data.columns().iter().map(|label| explained(data, place..place + 1, label)).collect();
                    Self { name, kind: "numeric".into(), features: 1, missing: Some(0), least, greatest, labels }
                })
                .collect(),
        }
    }
}

fn by_schema(data: &Dataset, schema: &Schema) -> Vec<ColumnSummary> {
    let mut start = 0;
    let mut all = Vec::with_capacity(schema.columns.len());
    for column in &schema.columns {
        let width = column.width();
        all.push(summarise(data, column, start, width));
        start += width;
    }
    all
}

fn summarise(data: &Dataset, column: &Column, start: usize, width: usize) -> ColumnSummary {
    let marked = start + width - 1;
    let missing = match column.missing {
        Missing::Category => Some((0..data.len()).filter(|&item| data.image(item)[marked] > 127).count()),
        Missing::Median => None,
        Missing::Refuse | Missing::Drop => Some(0),
    };
    let (least, greatest) = match &column.kind {
        Kind::Numeric { scale, .. } | Kind::Date { scale, .. } if !scale.quantiles.is_empty() => {
            (Some(scale.low.into()), Some(scale.high.into()))
        }
        Kind::Numeric { .. } | Kind::Date { .. } | Kind::Ordinal { .. } => range(data, start),
        Kind::Category { .. } | Kind::Text { .. } => (None, None),
    };
    let tells = |label: &Labels| match &column.kind {
        Kind::Category { .. } => association(data, start..start + width, label),
        Kind::Text { .. } => explained(data, start..start + width, label),
        _ => explained(data, start..start + 1, label),
    };
    ColumnSummary {
        name: column.name.clone(),
        kind: column.kind_name().into(),
        features: width,
        missing,
        least,
        greatest,
        labels: data.columns().iter().map(tells).collect(),
    }
}

fn range(data: &Dataset, place: usize) -> (Option<f64>, Option<f64>) {
    let Some(features) = data.features() else { return (None, None) };
    let bytes = || (0..data.len()).map(|item| data.image(item)[place]);
    let value = |byte: Option<u8>| byte.map(|byte| features.value(place, byte).into());
    (value(bytes().min()), value(bytes().max()))
}

/// Cramér's V between the feature that is set, or none, and a label.
fn association(data: &Dataset, features: std::ops::Range<usize>, label: &Labels) -> Correlation {
    let (rows, columns) = (features.len() + 1, label.classes.len());
    let mut counts = vec![0u64; rows * columns];
    for (item, &class) in label.values.iter().enumerate() {
        let marked = data.image(item)[features.clone()].iter().position(|&byte| byte > 127);
        counts[marked.unwrap_or(features.len()) * columns + class as usize] += 1;
    }
    let sum = |counts: &mut dyn Iterator<Item = &u64>| counts.sum::<u64>() as f64;
    let by_row: Vec<f64> = counts.chunks(columns.max(1)).map(|row| sum(&mut row.iter())).collect();
    let by_column: Vec<f64> =
        (0..columns).map(|column| sum(&mut counts.iter().skip(column).step_by(columns))).collect();
    let all = label.values.len() as f64;
    let mut squares = 0.0;
    for (place, &count) in counts.iter().enumerate() {
        let expected = by_row[place / columns] * by_column[place % columns] / all;
        if expected > 0.0 {
            squares += (count as f64 - expected).powi(2) / expected;
        }
    }
    let used = |sums: &[f64]| sums.iter().filter(|&&sum| sum > 0.0).count();
    let least = used(&by_row).min(used(&by_column)).saturating_sub(1) as f64;
    let value = if least > 0.0 { (squares / (all * least)).sqrt() } else { 0.0 };
    Correlation { label: label.name.clone(), measure: "Cramér's V".into(), value }
}

/// The largest fraction of a feature's variance that lies between the classes of a label.
fn explained(data: &Dataset, features: std::ops::Range<usize>, label: &Labels) -> Correlation {
    let share = |place: usize| {
        let mut groups = vec![(0.0f64, 0.0f64); label.classes.len()];
        let (mut sum, mut squares) = (0.0, 0.0);
        for (item, &class) in label.values.iter().enumerate() {
            let value = f64::from(data.image(item)[place]);
            let (count, total) = &mut groups[class as usize];
            (*count, *total) = (*count + 1.0, *total + value);
            (sum, squares) = (sum + value, squares + value * value);
        }
        let all = label.values.len() as f64;
        let (mean, total) = (sum / all, squares - sum * sum / all);
        let between: f64 = groups
            .iter()
            .filter(|(count, _)| *count > 0.0)
            .map(|(count, sum)| count * (sum / count - mean).powi(2))
            .sum();
        // Rounding may leave a little variance in a constant column.
        if total > 1e-6 { (between / total).clamp(0.0, 1.0) } else { 0.0 }
    };
    let value = features.map(share).fold(0.0, f64::max);
    Correlation { label: label.name.clone(), measure: "R²".into(), value }
}
