//! Whether two data sets, or a data set and an encoder, have the same columns.

use encoder::Encoder;
use items::{Analysis, EncoderMismatch, Features, columns_hash};

use super::{Column, Kind};
use crate::{Dataset, DatasetError};

/// Two data sets that cannot be used together.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum SchemaError {
    /// One holds pictures, the other measured columns.
    #[error("the first holds {first} and the second {second}: give two data sets of one kind")]
    Kinds {
        /// What the first holds.
        first: &'static str,
        /// What the second holds.
        second: &'static str,
    },
    /// Items of different sizes.
    #[error("the items of the first have {first} values and those of the second {second}: {remedy}")]
    Size {
        /// Rows by columns of the first.
        first: String,
        /// Rows by columns of the second.
        second: String,
        /// The remedy.
        remedy: &'static str,
    },
    /// A column that is missing, new, at another place or of another scale.
    #[error("column `{column}` {problem}: import the second table by the schema of the first")]
    Column {
        /// The feature.
        column: String,
        /// How it differs.
        problem: String,
    },
    /// A label with other classes.
    #[error(
        "label `{label}` has other classes: {}; split one data set, or import the second by the schema of the first",
        .problem
    )]
    Classes {
        /// The label.
        label: String,
        /// How they differ.
        problem: String,
    },
    /// A label that one of the data sets lacks.
    #[error(transparent)]
    Label(#[from] DatasetError),
    /// Data with other columns than an encoder was fitted on.
    #[error(transparent)]
    Encoder(#[from] EncoderMismatch),
    /// Recordings that were analysed by other options.
    #[error(
        "`{option}` is {first} in the first data set and {second} in the second: import both with the same options"
    )]
    Sound {
        /// The option of the import.
        option: &'static str,
        /// Of the first.
        first: f32,
        /// Of the second.
        second: f32,
    },
}

const REMEDY_TABLE: &str = "import the second table by the schema of the first";
const REMEDY_PICTURES: &str = "import both with the same height and width";

impl Dataset {
    /// Checks that a network for one data set can read the other: sizes, names of columns, scales, categories.
    ///
    /// Data sets made before schemas existed are compared by names and scales.
    ///
    /// # Errors
    /// The first column that differs, by name.
    pub fn check_schema(&self, second: &Dataset) -> Result<(), SchemaError> {
        let size = |data: &Dataset| match data.height() {
            1 => data.width().to_string(),
            height => format!("{height}x{}", data.width()),
        };
        let sizes = (self.height(), self.width()) == (second.height(), second.width());
        let wrong_size = |remedy| SchemaError::Size { first: size(self), second: size(second), remedy };
        match (self.features(), second.features()) {
            (None, None) if sizes => Ok(()),
            (None, None) => Err(wrong_size(REMEDY_PICTURES)),
            (Some(_), None) => Err(SchemaError::Kinds { first: "measured columns", second: "pictures" }),
            (None, Some(_)) => Err(SchemaError::Kinds { first: "pictures", second: "measured columns" }),
            (Some(first), Some(other)) => {
                check_names(first, other)?;
                if !sizes {
                    return Err(wrong_size(REMEDY_TABLE));
                }
                check_scales(first, other)?;
                check_sound(first.sound.as_ref(), other.sound.as_ref())?;
                match (self.schema(), second.schema()) {
                    (Some(first), Some(second)) => check_layouts(&first.columns, &second.columns),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Checks that both data sets have the label with the same classes.
    pub fn check_classes(&self, second: &Dataset, label: &str) -> Result<(), SchemaError> {
        let (first, second) = (self.labels(label)?, second.labels(label)?);
        if first.classes == second.classes {
            return Ok(());
        }
        let beyond = |a: &[String], b: &[String]| a.iter().find(|class| !b.contains(class)).cloned();
        let problem = match (beyond(&second.classes, &first.classes), beyond(&first.classes, &second.classes)) {
            (Some(class), _) => format!("only the second has `{class}`"),
            (None, Some(class)) => format!("only the first has `{class}`"),
            (None, None) => "they are in another order".into(),
        };
        Err(SchemaError::Classes { label: label.into(), problem })
    }

    /// Checks that the data have the columns that an encoder was fitted on. Encoders of pictures, and those made before
    /// schemas existed, take any data of the right size.
    pub fn check_encoder(&self, encoder: &Encoder) -> Result<(), SchemaError> {
        let columns = self.schema().map(|schema| &schema.columns[..]);
        Ok(items::check_columns((self.height(), self.width()), self.features(), columns, encoder)?)
    }

    /// SHA-256, in hexadecimal, of size, names, scales and categories of measured columns, and of how sound was analysed;
    /// none for pictures.
    ///
    /// Labels do not count, nor do rules that leave the columns unchanged.
    pub fn schema_hash(&self) -> Option<String> {
        let columns = self.schema().map(|schema| &schema.columns[..]);
        Some(columns_hash((self.height(), self.width()), self.features()?, columns))
    }
}

/// What determines the features of a value.
fn layout(column: &Column) -> (&str, &Kind, bool, bool) {
    (&column.name, &column.kind, column.marks_missing(), column.marks_other())
}

fn differs<T>(column: &str, problem: impl Into<String>) -> Result<T, SchemaError> {
    Err(SchemaError::Column { column: column.into(), problem: problem.into() })
}

fn check_names(first: &Features, second: &Features) -> Result<(), SchemaError> {
    if first.names == second.names || first.names.is_empty() || second.names.is_empty() {
        return Ok(());
    }
    if let Some(name) = first.names.iter().find(|name| !second.names.contains(name)) {
        return differs(name, "is missing in the second data set");
    }
    if let Some(name) = second.names.iter().find(|name| !first.names.contains(name)) {
        return differs(name, "is missing in the first data set");
    }
    let moved = first.names.iter().zip(&second.names).find(|(first, second)| first != second);
    moved.map_or(Ok(()), |(name, _)| differs(name, "is at another place"))
}

fn check_scales(first: &Features, second: &Features) -> Result<(), SchemaError> {
    let scales =
        |features: &Features| features.low.iter().copied().zip(features.step.iter().copied()).collect::<Vec<_>>();
    let (one, other) = (scales(first), scales(second));
    if one.len() != other.len() {
        return differs("all", "have one scale in one data set and one each in the other");
    }
    let place = one.iter().zip(&other).position(|(first, second)| first != second);
    let Some(place) = place else { return Ok(()) };
    let range = |(low, step): (f32, f32)| format!("{low} to {}", low + 255.0 * step);
    let name = first.names.get(place).cloned().unwrap_or_else(|| place.to_string());
    differs(
        &name,
        format!("is scaled from {} in one data set and from {} in the other", range(one[place]), range(other[place])),
    )
}

/// Two analyses, where both are known; the rates of the recordings do not count.
fn check_sound(first: Option<&Analysis>, second: Option<&Analysis>) -> Result<(), SchemaError> {
    let (Some(first), Some(second)) = (first, second) else { return Ok(()) };
    let options =
        [("low", first.low, second.low), ("high", first.high, second.high), ("trim", first.trim, second.trim)];
    match options.into_iter().find(|(_, first, second)| first != second) {
        Some((option, first, second)) => Err(SchemaError::Sound { option, first, second }),
        None => Ok(()),
    }
}

fn check_layouts(first: &[Column], second: &[Column]) -> Result<(), SchemaError> {
    let other = first.iter().zip(second).find(|(first, second)| layout(first) != layout(second));
    match other {
        Some((first, second)) if first.kind_name() != second.kind_name() => differs(
            &first.name,
            format!("is {} in the first data set and {} in the second", first.kind_name(), second.kind_name()),
        ),
        Some((first, _)) => differs(&first.name, "has other values or another scale in the second data set"),
        None => Ok(()),
    }
}
