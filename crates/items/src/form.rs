//! What a page asks for where items are no pictures.

use encoder::Encoder;
use serde::{Deserialize, Serialize};

use crate::hash::EncoderMismatch;
use crate::schema::{RecordReader, Schema};
use crate::sound::Analysis;

/// How an item that is no picture is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Form {
    /// From one value of each column.
    Table(Schema),
    /// From a recording.
    Sound(Analysis),
}

impl Form {
    /// Whether its parts fit each other; says what does not.
    ///
    /// # Errors
    /// As [`Schema::check`] and [`Analysis::check`].
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Table(schema) => schema.check(),
            Self::Sound(analysis) => analysis.check().map_err(|wrong| wrong.to_string()),
        }
    }

    /// Rows and columns of an item.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Table(schema) => (1, schema.width()),
            Self::Sound(analysis) => (analysis.bands, analysis.frames),
        }
    }

    /// Refuses an encoder that was fitted on other columns.
    ///
    /// # Errors
    /// [`EncoderMismatch`].
    pub fn check_encoder(&self, encoder: &Encoder) -> Result<(), EncoderMismatch> {
        match self {
            Self::Table(schema) => RecordReader::new(schema.clone()).check_encoder(encoder),
            Self::Sound(analysis) => analysis.check_encoder(encoder),
        }
    }
}
