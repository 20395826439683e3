//! The public head on integer outputs.

use sha2::{Digest, Sha256};

use super::{CompiledNetwork, PublicHead};
use crate::model::head;
use crate::network::EvaluateError;

impl CompiledNetwork {
    /// Class probabilities for outputs `[N, S]`, `[N, C]` row-major. Without a net in the head, the class
    /// of the largest output has probability 1.
    pub fn probabilities(&self, output: &[i64]) -> Result<Vec<f32>, EvaluateError> {
        if output.is_empty() || !output.len().is_multiple_of(self.outputs) {
            return Err(EvaluateError::Length { field: "output", found: output.len(), expected: self.outputs });
        }
        match &self.head {
            PublicHead::Largest => Ok(output.chunks_exact(self.outputs).flat_map(one_of_largest).collect()),
            PublicHead::Net { centre, scale, layers } => {
                Ok(head::probabilities(layers, &standardise(output, centre, scale)))
            }
        }
    }
}

impl PublicHead {
    /// Logits of the net; 0 where the largest output names the class.
    pub(crate) fn classes(&self) -> usize {
        match self {
            PublicHead::Largest => 0,
            PublicHead::Net { layers, .. } => layers.0.last().map_or(0, |bias| bias.values.len()),
        }
    }

    pub(super) fn update(&self, hash: &mut Sha256) {
        match self {
            PublicHead::Largest => hash.update(b"largest"),
            PublicHead::Net { centre, scale, layers } => {
                hash.update(b"net");
                for value in centre.iter().chain(scale) {
                    hash.update(value.to_le_bytes());
                }
                for layer in &layers.0 {
                    for &side in &layer.shape {
                        hash.update((side as u64).to_le_bytes());
                    }
                    for value in &layer.values {
                        hash.update(value.to_le_bytes());
                    }
                }
            }
        }
    }
}

/// `(output − centre) / scale`, in 64 bits before it is rounded to 32.
pub(crate) fn standardise(output: &[i64], centre: &[f64], scale: &[f64]) -> Vec<f32> {
    let statistics = centre.iter().zip(scale).cycle();
    output.iter().zip(statistics).map(|(&value, (centre, scale))| ((value as f64 - centre) / scale) as f32).collect()
}

fn one_of_largest(row: &[i64]) -> Vec<f32> {
    let best = (1..row.len()).fold(0, |best, column| if row[column] > row[best] { column } else { best });
    (0..row.len()).map(|column| f32::from(column == best)).collect()
}
