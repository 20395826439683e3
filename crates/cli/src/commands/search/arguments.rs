//! What to walk over.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use training::Precision;

use super::point::Point;

/// Values to combine; those left out are the ones that the training alone would take.
#[derive(Args)]
#[command(next_help_heading = "Search")]
pub struct Arguments {
    /// Train every combination below and draw the front of accuracy, leak and cost; `--out` names a folder, which
    /// keeps every network and goes on where it was stopped
    #[arg(long, requires = "attackers")]
    search: bool,
    /// Data set that attackers learn from, which no network sees; they are scored on the validation data
    #[arg(long, value_name = "FILE")]
    attackers: Option<PathBuf>,
    /// Outputs S
    #[arg(long, value_delimiter = ',', value_name = "S")]
    search_outputs: Vec<usize>,
    /// Units d
    #[arg(long, value_delimiter = ',', value_name = "UNITS")]
    search_units: Vec<usize>,
    /// Weights of the defence
    #[arg(long, value_delimiter = ',', value_name = "WEIGHT")]
    search_weight: Vec<f32>,
    /// Noise under encryption, as shares of each output's deviation
    #[arg(long, value_delimiter = ',', value_name = "SHARE")]
    search_noise: Vec<f32>,
    /// Precisions P,R/D/inputs in bits
    #[arg(long, value_delimiter = ',', value_name = "BITS/BITS/BITS", default_value = "4/5/4")]
    search_bits: Vec<String>,
    /// Gradient steps of each compilation
    #[arg(long, value_name = "STEPS", default_value_t = 2500)]
    search_compile_steps: usize,
}

/// What was asked for.
pub struct Space {
    /// Data that attackers learn from.
    pub attackers: PathBuf,
    /// Every combination.
    pub points: Vec<Point>,
    /// Steps of each compilation.
    pub compile_steps: usize,
}

impl Arguments {
    /// Whether to search at all.
    pub fn asked(&self) -> bool {
        self.search
    }

    /// The combinations, with `standard` where no value was given.
    pub fn space(self, standard: &Point) -> Result<Space> {
        let attackers = self.attackers.context("--search needs --attackers, a data set that no network sees")?;
        let or = |values: Vec<f32>, one: f32| if values.is_empty() { vec![one] } else { values };
        let or_count = |values: Vec<usize>, one: usize| if values.is_empty() { vec![one] } else { values };
        let precisions = self.search_bits.iter().map(|text| precision(text)).collect::<Result<Vec<_>>>()?;
        let (outputs, units) =
            (or_count(self.search_outputs, standard.outputs), or_count(self.search_units, standard.units));
        let (weights, noises) = (or(self.search_weight, standard.weight), or(self.search_noise, standard.noise));
        let mut points = Vec::new();
        for &outputs in &outputs {
            for &units in &units {
                for &weight in &weights {
                    for &noise in &noises {
                        let point = |&precision| Point { outputs, units, weight, noise, precision };
                        points.extend(precisions.iter().map(point));
                    }
                }
            }
        }
        Ok(Space { attackers, points, compile_steps: self.search_compile_steps })
    }
}

/// `4/5/4`: bits of P and R, of D, of the inputs.
fn precision(text: &str) -> Result<Precision> {
    let bits: Option<Vec<u32>> = text.split('/').map(|bits| bits.parse().ok()).collect();
    let Some(&[both, combine, input]) = bits.as_deref() else {
        bail!("--search-bits: `{text}` is no precision; write bits of P and R, of D and of the inputs, as in 4/5/4");
    };
    Ok(Precision { left: both, right: both, combine, input: Some(input) })
}
