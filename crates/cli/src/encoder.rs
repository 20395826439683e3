//! Options of the encoder: fewer inputs or smaller ones, on one or both sides.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use dataset::Dataset;
use encoder::{EncoderOptions, Normalise, Transform};

/// Options of the encoder, which is fitted on the training data and published with the network.
#[derive(Args)]
#[command(next_help_heading = "Encoder")]
pub struct EncoderArguments {
    /// Bits of an encoded input, 1 to 8
    #[arg(long, default_value_t = 4)]
    input_bits: u32,
    /// Average blocks of this many pixels a side: fewer inputs, smaller and faster ciphertexts
    #[arg(long, default_value_t = 1)]
    pooling: usize,
    /// Encrypt only the lowest ROWSxCOLUMNS frequencies of the cosine transform
    #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = parse_dct, conflicts_with = "pca")]
    dct: Option<(usize, usize)>,
    /// Encrypt only this many principal components of the training data
    #[arg(long, value_name = "COMPONENTS")]
    pca: Option<usize>,
    /// Inputs of the right side (G2, the more expensive one): those with the largest variance [default: as many as the
    /// left]
    #[arg(long, value_name = "INPUTS")]
    right: Option<usize>,
    /// What is normalised [default: `column` for tables, else `item`]
    #[arg(long, value_enum)]
    normalise: Option<NormaliseName>,
    /// Inputs outside this range are clamped [default: -0.5,7.5 for ink, else the range of 998 of 1000 inputs]
    #[arg(long, value_name = "LOW,HIGH", value_parser = parse_range, allow_hyphen_values = true)]
    input_range: Option<(f32, f32)>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum NormaliseName {
    /// Each item to mean 0 and deviation 1: for pictures and sound
    Item,
    /// Each column to mean 0 and deviation 1 over the training data: for tables
    Column,
}

fn parse_dct(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x').and_then(|(rows, columns)| Some((rows.parse().ok()?, columns.parse().ok()?)));
    parts.ok_or_else(|| format!("`{text}`: write ROWSxCOLUMNS, as in 8x8"))
}

fn parse_range(text: &str) -> Result<(f32, f32), String> {
    let parts = text.split_once(',').and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    parts.ok_or_else(|| format!("`{text}`: write LOW,HIGH, as in -0.5,7.5"))
}

impl EncoderArguments {
    /// The library's options; a range that was not given is fitted on `data`, unless the data is ink.
    pub fn options(&self, data: &Dataset) -> Result<EncoderOptions> {
        // Tables have one scale for each column.
        let table = data.features().is_some_and(|features| features.low.len() > 1);
        let normalise = match self.normalise {
            Some(NormaliseName::Item) => Normalise::PerImage,
            Some(NormaliseName::Column) => Normalise::PerColumn,
            None if table => Normalise::PerColumn,
            None => Normalise::PerImage,
        };
        let transform = match (self.dct, self.pca) {
            (Some((rows, columns)), _) => Transform::Dct { rows, columns },
            (None, Some(components)) => Transform::Pca { components },
            (None, None) => Transform::Cells,
        };
        let ink = data.features().is_none() && transform == Transform::Cells && normalise == Normalise::PerImage;
        let options = EncoderOptions {
            bits: self.input_bits,
            pooling: self.pooling,
            right: self.right,
            normalise,
            transform,
            ..EncoderOptions::default()
        };
        match self.input_range {
            Some((low, high)) => Ok(EncoderOptions { low, high, ..options }),
            None if ink => Ok(options),
            None => options.with_fitted_range(data).context("the encoder cannot be fitted"),
        }
    }
}
