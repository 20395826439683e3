//! The declared range of every output.

use dataset::Dataset;

use super::report::width_bits;
use super::{CompileError, Range};
use crate::compiled::CompiledNetwork;

/// The declared range of one output, refused if a discrete logarithm is not to cover it.
pub(super) fn declare(
    output: usize,
    exact: (i128, i128),
    (low, high): (i64, i64),
    range: Range,
    log_bits: u32,
) -> Result<(i64, i64), CompileError> {
    let (low, high) = match range {
        Range::Exact => exact,
        Range::Empirical { margin_bits } => {
            let extra = ((high as f64 - low as f64 + 1.0) * (margin_bits.exp2() - 1.0) / 2.0).ceil() as i128;
            ((i128::from(low) - extra).max(exact.0), (i128::from(high) + extra).min(exact.1))
        }
    };
    let bits = width_bits(low, high);
    match (i64::try_from(low), i64::try_from(high)) {
        (Ok(low), Ok(high)) if bits <= f64::from(log_bits) => Ok((low, high)),
        _ => Err(CompileError::Range { output, low, high, bits, limit: log_bits }),
    }
}

/// Least and greatest value of every output over `[N, S]` outputs.
pub(super) fn empirical(outputs: &[i64], width: usize) -> Vec<(i64, i64)> {
    let column = |j: usize| outputs.iter().skip(j).step_by(width).copied();
    (0..width).map(|j| (column(j).min().unwrap_or(0), column(j).max().unwrap_or(0))).collect()
}

impl CompiledNetwork {
    /// The same network with its ranges declared anew, from the exact bounds or from its outputs on
    /// `data`; refused if an output then has more than `2^log_bits` values. This changes its hash.
    pub fn with_range(mut self, data: &Dataset, range: Range, log_bits: u32) -> Result<Self, CompileError> {
        self.declared = self.widest();
        let empirical = empirical(&self.evaluate_all(data)?, self.outputs());
        for (output, (&exact, seen)) in self.exact.outputs.iter().zip(empirical).enumerate() {
            self.declared[output] = declare(output, exact, seen, range, log_bits)?;
        }
        Ok(self)
    }

    /// The exact ranges as far as 64 bits reach.
    pub(crate) fn widest(&self) -> Vec<(i64, i64)> {
        let clamp = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        self.exact.outputs.iter().map(|&(low, high)| (clamp(low), clamp(high))).collect()
    }
}
