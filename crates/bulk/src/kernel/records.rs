//! A record: one column of bytes, or columns of a table.

use std::borrow::Cow;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use dataset::SchemaError;
use dataset::schema::RecordReader;
use encoder::Encoder;

use super::columns::{Pixels, Texts, column, missing};
use crate::BulkError;

/// The source of an item's bytes.
#[derive(Clone, Debug)]
pub enum Records {
    /// A column of whole items: binary, or lists of numbers from 0 to 255, as the encoder takes them.
    Items(String),
    /// Columns of a table, turned into bytes like the training data.
    Table(Box<RecordReader>),
}

impl Records {
    /// Refuses a table with other columns than the encoder was fitted on.
    pub(super) fn check_encoder(&self, encoder: &Encoder) -> Result<(), BulkError> {
        match self {
            Self::Items(_) => Ok(()),
            Self::Table(reader) => Ok(reader.check_encoder(encoder).map_err(SchemaError::from)?),
        }
    }

    /// The columns that are consumed.
    pub(super) fn columns(&self) -> Vec<&str> {
        match self {
            Self::Items(name) => vec![name.as_str()],
            Self::Table(reader) => reader.columns().collect(),
        }
    }

    /// Refuses records that lack a column.
    pub(super) fn check(&self, input: &Schema) -> Result<(), BulkError> {
        for name in self.columns() {
            let names = || input.fields().iter().map(|field| field.name());
            let field = input.field_with_name(name).map_err(|_| missing(name, names()))?;
            match self {
                Self::Table(_) if !Texts::takes(field.data_type()) => return Err(wrong(name, field.data_type())),
                Self::Items(_) if !Pixels::takes(field.data_type()) => {
                    return Err(Pixels::wrong(name, field.data_type()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn rows<'a>(&'a self, batch: &'a RecordBatch) -> Result<Rows<'a>, BulkError> {
        Ok(match self {
            Self::Items(name) => Rows::Items(Pixels::of(name, column(batch, name)?)?),
            Self::Table(reader) => {
                let texts = |name| {
                    let array = column(batch, name)?;
                    Texts::of(array).ok_or_else(|| wrong(name, array.data_type()))
                };
                Rows::Table(reader, reader.columns().map(texts).collect::<Result<_, BulkError>>()?)
            }
        })
    }
}

fn wrong(name: &str, kind: &arrow_schema::DataType) -> BulkError {
    BulkError::column(name, format!("is {kind}: cast it to a number, a text or a date"))
}

/// The records of one batch.
pub(super) enum Rows<'a> {
    Items(Pixels<'a>),
    Table(&'a RecordReader, Vec<Texts<'a>>),
}

impl<'a> Rows<'a> {
    /// The bytes of a row, or why there are none.
    pub fn get(&self, row: usize) -> Result<Cow<'a, [u8]>, String> {
        match self {
            Self::Items(pixels) => pixels.get(row),
            Self::Table(reader, columns) => {
                let values: Vec<_> = columns.iter().map(|column| column.get(row).unwrap_or_default()).collect();
                reader.read(&values).map(Cow::Owned).map_err(|error| error.to_string())
            }
        }
    }
}
