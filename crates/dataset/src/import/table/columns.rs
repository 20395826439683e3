//! What a column of a table is: numbers, dates, one of a few categories, texts, or a label.

use std::collections::BTreeMap;

use super::TableOptions;
use crate::Labels;
use crate::draw::Random;
use crate::import::{Budget, OverBudget};
use crate::schema::{Cell, Column, Kind, LabelColumn, Missing, Outside, Scale, Unknown, days, shown};

/// Different texts that are counted before the most frequent ones are chosen.
const MOST_COUNTED: usize = 1 << 16;

/// A longer text is neither a category nor a class.
const LONGEST: usize = 1024;

/// Classes that a label may have; a column with more identifies its rows.
const MOST_CLASSES: usize = 1 << 16;

/// Numbers of a column from which its scale is estimated.
const SAMPLE: usize = 1 << 16;

/// Numbers in all samples together: 256 MB.
const ALL_SAMPLES: usize = 1 << 26;

/// The stream of random numbers of samples.
const STREAM: u64 = 500;

/// Equal parts in rank of a scale by quantiles.
const PARTS: usize = 64;

/// What is known of a column before it is read.
enum Asked {
    Nothing,
    Category,
    Date(String),
    Ordinal(Vec<String>),
    Hashed(u32),
}

/// Reads a column to find out its kind.
pub(super) struct Learner {
    name: String,
    asked: Asked,
    quantile: bool,
    missing: Missing,
    unknown: Unknown,
    outside: Outside,
    /// The largest number of categories.
    categories: usize,
    rare: u64,
    /// The first row and text that is not a number, and whether all texts are dates.
    no_number: Option<(u64, String)>,
    all_dates: bool,
    /// How often each text occurred; holds one more than allowed once counting stops.
    texts: BTreeMap<String, u64>,
    /// A text occurred that is too long to be a category.
    long: bool,
    /// A uniform sample of the numbers (Vitter's algorithm R).
    sample: Vec<f32>,
    seen: u32,
    most: usize,
    random: Random,
}

impl Learner {
    /// The learner of column `place` out of `columns`.
    pub fn new(name: &str, options: &TableOptions, place: usize, columns: usize) -> Self {
        let has = |names: &[String]| names.iter().any(|known| known == name);
        let date = options.dates.iter().find(|(known, _)| known == name).map(|(_, format)| format.clone());
        let order = options.ordinals.iter().find(|(known, _)| known == name).map(|(_, values)| values.clone());
        let asked = match (date, order) {
            (Some(format), _) => Asked::Date(format),
            (None, Some(values)) => Asked::Ordinal(values),
            (None, None) if has(&options.hashed) => Asked::Hashed(options.hash_columns),
            (None, None) if has(&options.texts) => Asked::Category,
            (None, None) => Asked::Nothing,
        };
        Self {
            name: name.into(),
            asked,
            quantile: has(&options.quantile),
            missing: options.rules.missing.unwrap_or_default(),
            unknown: options.rules.unknown.unwrap_or_default(),
            outside: options.rules.outside.unwrap_or_default(),
            categories: options.categories as usize,
            rare: options.rare,
            no_number: None,
            all_dates: true,
            texts: BTreeMap::new(),
            long: false,
            sample: Vec::new(),
            seen: 0,
            most: (ALL_SAMPLES / columns.max(1)).clamp(1, SAMPLE),
            random: Random::new(0, STREAM, place as u64),
        }
    }

    pub fn see(&mut self, cell: &Cell, row: u64, budget: &Budget) -> Result<(), OverBudget> {
        if cell.is_missing() || matches!(self.asked, Asked::Hashed(_)) {
            return Ok(());
        }
        match &self.asked {
            Asked::Date(format) => {
                if let Some(day) = days(&cell.text(), format) {
                    self.keep(day, budget)?;
                }
                return Ok(());
            }
            Asked::Ordinal(values) => {
                let text = cell.text();
                if let Some(place) = values.iter().position(|value| *value == *text) {
                    self.keep(place as f32, budget)?;
                }
                return Ok(());
            }
            _ => {}
        }
        let category = matches!(self.asked, Asked::Category);
        match cell.number().filter(|_| !category) {
            Some(number) => {
                self.all_dates = false;
                self.keep(number, budget)?;
                if matches!(cell, Cell::Number(_)) {
                    return Ok(());
                }
            }
            None => {
                let text = cell.text();
                if self.no_number.is_none() {
                    self.no_number = Some((row, shown(&text)));
                }
                match days(&text, "").filter(|_| self.all_dates && !category) {
                    Some(day) => self.keep(day, budget)?,
                    None => self.all_dates = false,
                }
            }
        }
        self.count(&cell.text(), budget)
    }

    fn count(&mut self, text: &str, budget: &Budget) -> Result<(), OverBudget> {
        if text.len() > LONGEST {
            self.long = true;
            return Ok(());
        }
        if let Some(count) = self.texts.get_mut(text) {
            *count += 1;
            return Ok(());
        }
        let limit = if self.unknown == Unknown::Other { MOST_COUNTED } else { self.categories };
        if self.texts.len() <= limit {
            budget.keep(text.len() as u64 + 64)?;
            self.texts.insert(text.into(), 1);
        }
        Ok(())
    }

    fn keep(&mut self, number: f32, budget: &Budget) -> Result<(), OverBudget> {
        self.seen = self.seen.saturating_add(1);
        if self.sample.len() < self.most {
            budget.keep(4)?;
            self.sample.push(number);
        } else if let Some(kept) = self.sample.get_mut(self.random.below(self.seen) as usize) {
            *kept = number;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<Column, String> {
        self.sample.sort_by(f32::total_cmp);
        let kind = self.kind()?;
        if self.quantile && !matches!(kind, Kind::Numeric { .. } | Kind::Date { .. }) {
            return Err(format!(
                "column `{}` has no numbers that quantiles could scale: leave it out there",
                self.name
            ));
        }
        let Self { name, missing, unknown, outside, .. } = self;
        Ok(Column { name, kind, missing, unknown, outside })
    }

    fn kind(&mut self) -> Result<Kind, String> {
        let name = &self.name;
        let middle = self.sample.get(self.sample.len() / 2).copied().unwrap_or(0.0);
        match &mut self.asked {
            Asked::Hashed(columns) => return Ok(Kind::Text { columns: *columns }),
            Asked::Ordinal(values) => {
                return Ok(Kind::Ordinal { values: std::mem::take(values), middle: middle as u32 });
            }
            Asked::Date(_) if self.sample.is_empty() => {
                return Err(format!("column `{name}` has no date in that format: check the format, or leave it out"));
            }
            Asked::Date(format) => {
                let format = std::mem::take(format);
                return Ok(Kind::Date { format, scale: self.scale(), middle });
            }
            Asked::Nothing | Asked::Category => {}
        }
        match &self.no_number {
            None => Ok(Kind::Numeric { scale: self.scale(), middle }),
            Some(_) if self.all_dates && matches!(self.asked, Asked::Nothing) => {
                Ok(Kind::Date { format: String::new(), scale: self.scale(), middle })
            }
            Some(_) if self.unknown == Unknown::Other && self.texts.len() <= MOST_COUNTED => Ok(self.category()),
            Some(_) if !self.long && self.texts.len() <= self.categories => Ok(self.category()),
            Some((row, text)) => {
                let most = self.categories;
                Err(format!(
                    "column `{name}` has no number in row {row} ({text:?}), and more than {most} different texts: correct \
                     the row, hash its words, keep the most frequent (`unknown`: `other`), or leave the column out"
                ))
            }
        }
    }

    /// The most frequent texts, ascending.
    fn category(&self) -> Kind {
        let mut counted: Vec<(&String, u64)> =
            self.texts.iter().map(|(text, &count)| (text, count)).filter(|(_, count)| *count >= self.rare).collect();
        counted.sort_by_key(|&(text, count)| (std::cmp::Reverse(count), text));
        counted.truncate(self.categories);
        let first = counted.first().map(|(text, _)| (*text).clone());
        let mut values: Vec<String> = counted.into_iter().map(|(text, _)| text.clone()).collect();
        values.sort();
        let commonest = values.iter().position(|text| Some(text) == first.as_ref()).unwrap_or(0) as u32;
        Kind::Category { values, commonest }
    }

    /// The scale of the sample, which is sorted.
    fn scale(&self) -> Scale {
        let sample = &self.sample;
        let (low, high) = items::span(sample.clone());
        if !self.quantile || sample.is_empty() {
            return Scale { low, high, quantiles: vec![] };
        }
        let quantiles: Vec<f32> = (0..=PARTS).map(|part| sample[part * (sample.len() - 1) / PARTS]).collect();
        Scale { low: quantiles[0], high: quantiles[PARTS], quantiles }
    }
}

/// A label column while it is read: its texts numbered, four bytes a row.
pub(super) struct Label {
    name: String,
    numbers: BTreeMap<String, u32>,
    /// The classes of a schema, in fixed order, and whether new ones are allowed.
    known: Option<(Vec<String>, bool)>,
    values: Vec<u32>,
}

impl Label {
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), numbers: BTreeMap::new(), known: None, values: Vec::new() }
    }

    /// With the classes of a schema.
    pub fn known(column: &LabelColumn, open: bool) -> Self {
        let numbers = column.classes.iter().cloned().zip(0..).collect();
        Self { numbers, known: Some((column.classes.clone(), open)), ..Self::new(&column.name) }
    }

    /// Checks whether the text can be a class, and says why not.
    pub fn check(&self, text: &str) -> Result<(), String> {
        if text.len() > LONGEST {
            return Err(format!("label `{}` has a text of {} bytes, too long for a class", self.name, text.len()));
        }
        match &self.known {
            Some((_, false)) if !self.numbers.contains_key(text) => Err(format!(
                "label `{}` has no class {:?} in the schema: correct it, or allow new ones",
                self.name,
                shown(text)
            )),
            _ => Ok(()),
        }
    }

    /// Takes the text of the next row, which has been checked.
    ///
    /// # Errors
    /// There are too many different texts.
    pub fn push(&mut self, text: &str, budget: &Budget) -> Result<(), String> {
        let next = self.numbers.len();
        let number = match self.numbers.get(text) {
            Some(number) => *number,
            None if next == MOST_CLASSES => {
                return Err(format!(
                    "label `{}` has more than {MOST_CLASSES} classes: choose a column with fewer",
                    self.name
                ));
            }
            None => {
                budget.keep(text.len() as u64 + 64).map_err(|over| over.to_string())?;
                if let Some((classes, _)) = &mut self.known {
                    classes.push(text.into());
                }
                *self.numbers.entry(text.into()).or_insert(next as u32)
            }
        };
        self.values.push(number);
        Ok(())
    }

    pub fn finish(self) -> Labels {
        match self.known {
            Some((classes, _)) => Labels { name: self.name, classes, values: self.values },
            None => Labels::from_numbers(self.name, self.numbers, self.values),
        }
    }
}
