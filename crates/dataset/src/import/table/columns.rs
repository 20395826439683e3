//! What a column of texts is: numbers, or one of a few classes.

use std::collections::BTreeSet;

/// Different texts that a column may have; more is a name or a free text.
const MOST_TEXTS: usize = 64;

/// A feature column.
pub(super) enum Column {
    /// One number.
    Number { name: String },
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
}

impl Learner {
    pub fn new(name: &str, forced: bool) -> Self {
        Self { name: name.into(), forced, no_number: None, texts: BTreeSet::new() }
    }

    pub fn see(&mut self, text: &str, row: u64) {
        if is_missing(text) {
            return;
        }
        if self.no_number.is_none() && number(text).is_none() {
            self.no_number = Some((row, text.into()));
        }
        if self.texts.len() <= MOST_TEXTS && !self.texts.contains(text) {
            self.texts.insert(text.into());
        }
    }

    pub fn finish(self) -> Result<Column, String> {
        let Self { name, forced, no_number, texts } = self;
        match no_number {
            None if !forced => Ok(Column::Number { name }),
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
            Column::Number { name } => vec![name.clone()],
            Column::Texts { name, texts } => texts.iter().map(|text| format!("{name}={text}")).collect(),
        }
    }

    /// Appends the features of one text.
    pub fn append(&self, text: &str, values: &mut Vec<f32>) -> Result<(), String> {
        match self {
            Column::Number { name } => {
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

fn is_missing(text: &str) -> bool {
    ["", "NA", "N/A", "NaN", "nan", "null", "?"].contains(&text)
}

fn number(text: &str) -> Option<f32> {
    text.parse().ok().filter(|number: &f32| number.is_finite())
}
