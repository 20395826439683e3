//! Turns one value of a table into the features of its column.

use std::borrow::Cow;

use super::{Column, Kind, Missing, Outside, Scale, Unknown, days};

/// A value of a table.
#[derive(Clone, Debug)]
pub enum Cell<'a> {
    /// As the table has it.
    Text(Cow<'a, str>),
    /// Not a number (NaN) if it is missing.
    Number(f32),
}

/// What a rule handled in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// No value.
    Missing,
    /// None of the categories.
    Unknown,
    /// Beyond the scale.
    Outside,
}

/// Why a row gives no item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is bad.
    Bad(String),
    /// A rule leaves it out.
    Drop(Met),
}

/// Rules of this import that override those of the columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// For missing values.
    pub missing: Option<Missing>,
    /// For unknown categories.
    pub unknown: Option<Unknown>,
    /// For numbers beyond the scale.
    pub outside: Option<Outside>,
}

impl Cell<'_> {
    /// Without spaces around it.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Cell::Text(text) => Cow::Borrowed(text.trim()),
            Cell::Number(number) => Cow::Owned(number.to_string()),
        }
    }

    /// Whether it is what stands for no value in tables.
    pub fn is_missing(&self) -> bool {
        match self {
            Cell::Text(text) => is_missing(text.trim()),
            Cell::Number(number) => number.is_nan(),
        }
    }

    /// As a number, if it is a finite one.
    pub fn number(&self) -> Option<f32> {
        match self {
            Cell::Text(text) => number(text.trim()),
            Cell::Number(number) => number.is_finite().then_some(*number),
        }
    }
}

/// Texts that mean a missing value in tables.
fn is_missing(text: &str) -> bool {
    ["", "NA", "N/A", "NaN", "nan", "null", "?"].contains(&text)
}

fn number(text: &str) -> Option<f32> {
    text.parse().ok().filter(|number: &f32| number.is_finite())
}

impl Column {
    /// Appends the features of one value, and returns what a rule had to handle.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn append(&self, cell: &Cell, rules: &Overrides, values: &mut Vec<f32>) -> Result<Option<Met>, Fault> {
        let start = values.len();
        let met = if cell.is_missing() {
            self.append_missing(cell, rules.missing.unwrap_or(self.missing), values)?;
            Some(Met::Missing)
        } else {
            self.append_value(cell, rules, values)?
        };
        // Marker features start at 0.
        values.resize(start + self.width(), 0.0);
        Ok(met)
    }

    fn append_missing(&self, cell: &Cell, rule: Missing, values: &mut Vec<f32>) -> Result<(), Fault> {
        let start = values.len();
        match rule {
            Missing::Drop => return Err(Fault::Drop(Met::Missing)),
            Missing::Refuse => {
                let name = &self.name;
                return Err(Fault::Bad(match &self.kind {
                    Kind::Numeric { .. } => format!("`{name}` is {:?}, not a number", cell.text()),
                    _ => format!("`{name}` is missing"),
                }));
            }
            Missing::Median | Missing::Category => {}
        }
        match &self.kind {
            Kind::Numeric { scale, middle } | Kind::Date { scale, middle, .. } => values.push(scale.place(*middle)),
            Kind::Ordinal { middle, .. } => values.push(*middle as f32),
            Kind::Category { values: known, commonest } if rule == Missing::Median && !known.is_empty() => {
                mark(values, start + *commonest as usize);
            }
            Kind::Category { .. } | Kind::Text { .. } => {}
        }
        if rule == Missing::Category && self.marks_missing() {
            mark(values, start + self.width() - 1);
        }
        Ok(())
    }

    fn append_value(&self, cell: &Cell, rules: &Overrides, values: &mut Vec<f32>) -> Result<Option<Met>, Fault> {
        let name = &self.name;
        match &self.kind {
            Kind::Numeric { scale, .. } => {
                let wrong = || Fault::Bad(format!("`{name}` is {:?}, not a number", shown(&cell.text())));
                self.append_number(cell.number().ok_or_else(wrong)?, scale, cell, rules, values)
            }
            Kind::Date { format, scale, .. } => {
                let text = cell.text();
                let written = if format.is_empty() { "ISO 8601 in UTC, as in 2026-11-29" } else { format };
                let wrong = || Fault::Bad(format!("`{name}` is {:?}, not a date ({written})", shown(&text)));
                self.append_number(days(&text, format).ok_or_else(wrong)?, scale, cell, rules, values)
            }
            Kind::Ordinal { values: known, middle } => {
                let text = cell.text();
                let place = known.iter().position(|value| *value == *text);
                let met = if place.is_none() { self.unknown(&text, rules)? } else { None };
                values.push(place.map_or(*middle as f32, |place| place as f32));
                Ok(met)
            }
            Kind::Category { values: known, .. } => {
                let text = cell.text();
                let start = values.len();
                match known.binary_search_by(|value| value.as_str().cmp(&text)) {
                    Ok(place) => {
                        mark(values, start + place);
                        Ok(None)
                    }
                    Err(_) => {
                        let met = self.unknown(&text, rules)?;
                        if self.marks_other() && rules.unknown.is_none_or(|rule| rule == Unknown::Other) {
                            mark(values, start + known.len());
                        }
                        Ok(met)
                    }
                }
            }
            Kind::Text { columns } => {
                let start = values.len();
                for word in cell.text().split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
                {
                    mark(values, start + (hash(&word.to_lowercase()) % u64::from(*columns)) as usize);
                }
                Ok(None)
            }
        }
    }

    fn append_number(
        &self,
        number: f32,
        scale: &Scale,
        cell: &Cell,
        rules: &Overrides,
        values: &mut Vec<f32>,
    ) -> Result<Option<Met>, Fault> {
        values.push(scale.place(number));
        if (scale.low..=scale.high).contains(&number) {
            return Ok(None);
        }
        match rules.outside.unwrap_or(self.outside) {
            Outside::Clamp => Ok(Some(Met::Outside)),
            Outside::Drop => Err(Fault::Drop(Met::Outside)),
            Outside::Refuse => {
                let (text, low, high) = (cell.text(), scale.low, scale.high);
                let range = format!("outside {low} to {high}, the range that the schema was learned on");
                Err(Fault::Bad(format!("`{}` is {:?}, {range}", self.name, shown(&text))))
            }
        }
    }

    fn unknown(&self, text: &str, rules: &Overrides) -> Result<Option<Met>, Fault> {
        match rules.unknown.unwrap_or(self.unknown) {
            Unknown::Drop => Err(Fault::Drop(Met::Unknown)),
            Unknown::Ignore | Unknown::Other => Ok(Some(Met::Unknown)),
            Unknown::Refuse => Err(Fault::Bad(format!("`{}` has no category {:?}", self.name, shown(text)))),
        }
    }
}

impl Scale {
    /// The number that becomes the byte: itself, or its rank from 0 to 1. A value between two quantiles is
    /// interpolated; one that several quantiles share gets the middle of their ranks.
    pub fn place(&self, number: f32) -> f32 {
        let knots = &self.quantiles;
        let most = knots.len().saturating_sub(1);
        if most == 0 {
            return number;
        }
        let (below, upto) =
            (knots.partition_point(|&knot| knot < number), knots.partition_point(|&knot| knot <= number));
        let rank = if below < upto {
            (below + upto - 1) as f32 / 2.0
        } else if below == 0 {
            0.0
        } else if below > most {
            most as f32
        } else {
            let [low, high, number] = [knots[below - 1], knots[below], number].map(f64::from);
            (below - 1) as f32 + ((number - low) / (high - low)) as f32
        };
        rank / most as f32
    }
}

fn mark(values: &mut Vec<f32>, place: usize) {
    if values.len() <= place {
        values.resize(place + 1, 0.0);
    }
    values[place] = 1.0;
}

/// FNV-1a in 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// An excerpt for a message, never a whole file.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let dots = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    text.chars().take(LONGEST).chain(dots.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_place_values_by_rank() {
        let quantiles = vec![0.0, 0.0, 0.0, 10.0, 1000.0];
        let scale = Scale { low: 0.0, high: 1000.0, quantiles };
        for (number, expected) in [(-5.0, 0.0), (0.0, 0.25), (5.0, 0.625), (10.0, 0.75), (505.0, 0.875), (9e9, 1.0)] {
            assert!((scale.place(number) - expected).abs() < 1e-6, "{number}: {}", scale.place(number));
        }
    }

    #[test]
    fn hashes_are_those_of_fnv() {
        assert_eq!((hash(""), hash("a")), (0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c));
    }
}
