//! The hash that identifies the columns that an encoder was fitted on.

use encoder::Encoder;
use sha2::{Digest, Sha256};

use crate::features::Features;
use crate::schema::{Column, canonical};

/// Items with other columns than an encoder was fitted on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the columns of the data are not those that the encoder was fitted on (schema {found}, not {expected}): import the \
     data by the schema, or with the options, of the training data"
)]
pub struct EncoderMismatch {
    /// The schema of the data, abbreviated.
    pub found: String,
    /// The schema of the encoder, abbreviated.
    pub expected: String,
}

/// SHA-256, in hexadecimal, of size, names, scales and categories of measured columns, and of the analysis of sound.
pub fn columns_hash((height, width): (usize, usize), features: &Features, columns: Option<&[Column]>) -> String {
    let text = canonical(height, width, features, columns);
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses an encoder that was fitted on other columns than these, or on some where there are none, as of pictures. One
/// that names no columns takes all; one from before analyses of sound were kept takes every analysis.
///
/// # Errors
/// [`EncoderMismatch`].
pub fn check_columns(
    size: (usize, usize),
    features: Option<&Features>,
    columns: Option<&[Column]>,
    encoder: &Encoder,
) -> Result<(), EncoderMismatch> {
    let Some(expected) = encoder.schema() else { return Ok(()) };
    let found = features.map(|features| columns_hash(size, features, columns));
    let before = features
        .filter(|features| features.sound.is_some())
        .map(|features| columns_hash(size, &Features { sound: None, ..features.clone() }, columns));
    if [&found, &before].into_iter().flatten().any(|hash| hash == expected) {
        return Ok(());
    }
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let found = found.as_deref().map_or("none".into(), short);
    Err(EncoderMismatch { found, expected: short(expected) })
}
