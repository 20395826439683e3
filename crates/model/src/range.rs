//! The declared range of every output.

use encoder::Images;
use serde::{Deserialize, Serialize};

use crate::network::clamped;
use crate::{CompiledNetwork, ModelError};

/// How the declared range of the outputs is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Range {
    /// The exact bounds: no encoded input can leave them.
    Exact,
    /// The range seen on the calibration data, widened around its middle by this many bits. An output outside it is an
    /// error at evaluation.
    Empirical {
        /// 1 doubles the width.
        margin_bits: f64,
    },
}

impl Range {
    /// The declared range of one output from its exact range and the one seen.
    ///
    /// # Errors
    /// More than `2^log_bits` values, the most that the discrete logarithm may cover.
    fn declare(
        self,
        output: usize,
        exact: (i128, i128),
        (low, high): (i64, i64),
        log_bits: u32,
    ) -> Result<(i64, i64), ModelError> {
        let (low, high) = match self {
            Range::Exact => exact,
            Range::Empirical { margin_bits } => {
                let extra = ((high as f64 - low as f64 + 1.0) * (margin_bits.exp2() - 1.0) / 2.0).ceil() as i128;
                ((i128::from(low) - extra).max(exact.0), (i128::from(high) + extra).min(exact.1))
            }
        };
        let bits = width_bits(low, high);
        match (i64::try_from(low), i64::try_from(high)) {
            (Ok(low), Ok(high)) if bits <= f64::from(log_bits) => Ok((low, high)),
            _ => Err(ModelError::Range { output, low, high, bits, limit: log_bits }),
        }
    }
}

impl CompiledNetwork {
    /// The same network with its ranges declared anew, from the exact bounds or from its outputs on `data`; refused if
    /// an output then has more than `2^log_bits` values. This changes its hash.
    ///
    /// # Errors
    /// Items that the encoder does not take, ranges that are too wide.
    pub fn with_range(self, data: &dyn Images, range: Range, log_bits: u32) -> Result<Self, ModelError> {
        let network = self.with_widest_range();
        let seen = network.seen(&network.evaluate_all(data)?);
        network.with_declared(range, &seen, log_bits)
    }

    /// As [`with_range`](Self::with_range), from ranges that were measured before.
    ///
    /// # Errors
    /// Ranges that are too wide, or for another number of outputs.
    pub fn with_declared(mut self, range: Range, seen: &[(i64, i64)], log_bits: u32) -> Result<Self, ModelError> {
        if seen.len() != self.outputs() {
            let (value, remedy) = (format!("{} ranges", seen.len()), "give one for every output".into());
            return Err(ModelError::Field { field: "declared", value, remedy });
        }
        let outputs = self.exact.outputs.iter().zip(seen).enumerate();
        let declared = outputs.map(|(output, (&exact, &seen))| range.declare(output, exact, seen, log_bits));
        self.declared = declared.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The same network with its exact ranges declared, as far as 64 bits reach. This changes its hash.
    pub fn with_widest_range(mut self) -> Self {
        self.declared = self.exact.outputs.iter().map(|&range| clamped(range)).collect();
        self
    }

    /// Least and greatest value of every output, over outputs `[N, S]`.
    pub fn seen(&self, outputs: &[i64]) -> Vec<(i64, i64)> {
        let width = self.outputs();
        let column = |j: usize| outputs.iter().skip(j).step_by(width).copied();
        (0..width).map(|j| (column(j).min().unwrap_or(0), column(j).max().unwrap_or(0))).collect()
    }
}

/// log₂ of the number of integers in a range.
pub fn width_bits(low: i128, high: i128) -> f64 {
    ((high - low) as f64 + 1.0).log2()
}
