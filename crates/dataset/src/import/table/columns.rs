//! What a column of texts is: numbers, one of a few classes, or a label.

use std::collections::{BTreeMap, BTreeSet};

use crate::draw::Random;
use crate::{Labels, features};

/// Different texts that a column may have; more is a name or a free text.
const MOST_TEXTS: usize = 64;

/// Classes that a label may have; more is a name of each row.
const MOST_CLASSES: usize = 1 << 16;

/// Numbers of a column that its scale is estimated on.
const SAMPLE: usize = 1 << 16;

/// Numbers that all samples hold together: 256 MB.
const ALL_SAMPLES: usize = 1 << 26;

/// The stream of random numbers of samples.
const STREAM: u64 = 500;

/// A feature column.
pub(super) enum Column {
    /// One number, with its low and step.
    Number { name: String, scale: (f32, f32) },
    /// One 0 or 1 for each of these texts, ascending.
    Texts { name: String, texts: Vec<String> },
}

/// Sees a column before it is known what it is.
pub(super) struct Learner {
    name: String,
    /// Texts are asked for.
    forced: bool,
    /// The first row and text that is no number.
    no_number: Option<(u64, String)>,
    /// At most one more than allowed.
    texts: BTreeSet<String>,
    /// A sample of the numbers, each as likely in it as any other (Vitter's algorithm R).
    sample: Vec<f32>,
    seen: u32,
    most: usize,
    random: Random,
}

impl Learner {
    /// The learner of column `place` out of `columns`.
    pub fn new(name: &str, forced: bool, place: usize, columns: usize) -> Self {
        Self {
            name: name.into(),
            forced,
            no_number: None,
            texts: BTreeSet::new(),
            sample: Vec::new(),
            seen: 0,
            most: (ALL_SAMPLES / columns.max(1)).clamp(1, SAMPLE),
            random: Random::new(0, STREAM, place as u64),
        }
    }

    pub fn see(&mut self, text: &str, row: u64) {
        if is_missing(text) {
            return;
        }
        match number(text) {
            Some(number) => self.keep(number),
            None if self.no_number.is_none() => self.no_number = Some((row, text.into())),
            None => {}
        }
        if self.texts.len() <= MOST_TEXTS && !self.texts.contains(text) {
            self.texts.insert(text.into());
        }
    }

    fn keep(&mut self, number: f32) {
        self.seen = self.seen.saturating_add(1);
        if self.sample.len() < self.most {
            self.sample.push(number);
        } else if let Some(kept) = self.sample.get_mut(self.random.below(self.seen) as usize) {
            *kept = number;
        }
    }

    pub fn finish(self) -> Result<Column, String> {
        let Self { name, forced, no_number, texts, sample, .. } = self;
        match no_number {
            None if !forced => Ok(Column::Number { name, scale: features::scale(sample) }),
            _ if texts.len() <= MOST_TEXTS => Ok(Column::Texts { name, texts: texts.into_iter().collect() }),
            Some((row, text)) => Err(format!(
                "column `{name}` has no number in row {row} ({text:?}), and more than {MOST_TEXTS} different texts: correct the row, or leave the column out"
            )),
            None => Err(format!("column `{name}` has more than {MOST_TEXTS} different texts: leave it out")),
        }
    }
}

impl Column {
    /// The names of the features it becomes.
    pub fn names(&self) -> Vec<String> {
        match self {
            Column::Number { name, .. } => vec![name.clone()],
            Column::Texts { name, texts } => texts.iter().map(|text| format!("{name}={text}")).collect(),
        }
    }

    /// Low and step of each of these features.
    pub fn scales(&self) -> Vec<(f32, f32)> {
        match self {
            Column::Number { scale, .. } => vec![*scale],
            Column::Texts { texts, .. } => vec![(0.0, 1.0 / 255.0); texts.len()],
        }
    }

    /// Appends the features of one text.
    pub fn append(&self, text: &str, values: &mut Vec<f32>) -> Result<(), String> {
        match self {
            Column::Number { name, .. } => {
                let value = number(text).ok_or_else(|| format!("`{name}` is {text:?}, not a number"))?;
                values.push(value);
            }
            Column::Texts { name, .. } if is_missing(text) => return Err(format!("`{name}` is missing")),
            Column::Texts { texts, .. } => {
                values.extend(texts.iter().map(|known| f32::from(u8::from(known == text))));
            }
        }
        Ok(())
    }
}

/// A label column as it comes in: its texts numbered, four bytes a row.
pub(super) struct Label {
    name: String,
    numbers: BTreeMap<String, u32>,
    values: Vec<u32>,
}

impl Label {
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), numbers: BTreeMap::new(), values: Vec::new() }
    }

    /// Takes the text of the next row.
    ///
    /// # Errors
    /// There are too many different ones.
    pub fn push(&mut self, text: &str) -> Result<(), String> {
        let next = self.numbers.len();
        let number = match self.numbers.get(text) {
            Some(number) => *number,
            None if next == MOST_CLASSES => {
                return Err(format!(
                    "label `{}` has more than {MOST_CLASSES} classes: choose a column of fewer",
                    self.name
                ));
            }
            None => *self.numbers.entry(text.into()).or_insert(next as u32),
        };
        self.values.push(number);
        Ok(())
    }

    pub fn finish(self) -> Labels {
        Labels::from_numbers(self.name, self.numbers, self.values)
    }
}

fn is_missing(text: &str) -> bool {
    ["", "NA", "N/A", "NaN", "nan", "null", "?"].contains(&text)
}

fn number(text: &str) -> Option<f32> {
    text.parse().ok().filter(|number: &f32| number.is_finite())
}
