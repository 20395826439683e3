//! Reads single records by a schema, for programs that hold them column by column.

use std::borrow::Cow;

use encoder::Encoder;

use super::Schema;
use super::read::{Cell, Fault, Overrides};
use crate::features::Features;
use crate::hash::{EncoderMismatch, check_columns};

/// A schema that reads one record after the other, like an import by it reads a table.
#[derive(Clone, Debug)]
pub struct RecordReader {
    schema: Schema,
    scale: Features,
}

/// Why a record gives no item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It has more or fewer values than the schema has columns.
    #[error("the record has {found} values, and its schema {expected} columns")]
    Length {
        /// Values of the record.
        found: usize,
        /// Columns of the schema.
        expected: usize,
    },
    /// A value does not fit.
    #[error("{0}")]
    Value(String),
    /// A rule of the schema leaves it out.
    #[error("a rule of its schema leaves it out: `{0}` is missing, unknown or outside its range")]
    Dropped(String),
}

impl RecordReader {
    /// Records in the columns of a schema.
    pub fn new(schema: Schema) -> Self {
        Self { scale: schema.features(), schema }
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The names of the columns, in the order in which their values are read.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.schema.columns.iter().map(|column| column.name.as_str())
    }

    /// The byte of a feature.
    pub(super) fn byte(&self, place: usize, value: f32) -> u8 {
        self.scale.byte(place, value)
    }

    /// The bytes of one record: its values as texts in the order of the columns, empty where one is missing.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn read(&self, values: &[Cow<'_, str>]) -> Result<Vec<u8>, RecordError> {
        let columns = &self.schema.columns;
        if values.len() != columns.len() {
            return Err(RecordError::Length { found: values.len(), expected: columns.len() });
        }
        let (rules, mut features) = (Overrides::default(), Vec::with_capacity(self.scale.low.len()));
        for (column, value) in columns.iter().zip(values) {
            let cell = Cell::Text(Cow::Borrowed(value));
            column.append(&cell, &rules, &mut features).map_err(|fault| match fault {
                Fault::Bad(reason) => RecordError::Value(reason),
                Fault::Drop(_) => RecordError::Dropped(column.name.clone()),
            })?;
        }
        Ok(features.iter().enumerate().map(|(place, &value)| self.byte(place, value)).collect())
    }

    /// Refuses an encoder that was fitted on other columns.
    ///
    /// # Errors
    /// [`EncoderMismatch`].
    pub fn check_encoder(&self, encoder: &Encoder) -> Result<(), EncoderMismatch> {
        check_columns((1, self.schema.width()), Some(&self.scale), Some(&self.schema.columns), encoder)
    }
}
