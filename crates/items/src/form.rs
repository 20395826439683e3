//! The fields that a page shows for items other than pictures.

use encoder::Encoder;
use serde::{Deserialize, Serialize};

use crate::features::Features;
use crate::hash::{EncoderMismatch, check_columns};
use crate::schema::Schema;
use crate::sound::Analysis;

/// How an item other than a picture is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Form {
    /// From one value of each column.
    Table(Schema),
    /// From a recording.
    Sound(Analysis),
}

impl Form {
    /// Checks that its parts fit each other, and says what does not.
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
        let (features, columns) = match self {
            Self::Table(schema) => (schema.features(), Some(&schema.columns[..])),
            Self::Sound(analysis) => (Features::of_sound(analysis.clone()), None),
        };
        check_columns(self.size(), Some(&features), columns, encoder)
    }
}
