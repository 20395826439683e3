//! Exact evaluation in the clear.

use encoder::{EncodeError, Encoded, Images};
use quadratic::Columns;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::head::{PublicHead, largest, one_of_largest, probabilities, standardise};
use crate::{CompiledNetwork, EvaluateError};

impl CompiledNetwork {
    /// `output(x)` of one encoded input: S integers, exact.
    ///
    /// # Errors
    /// Vectors of another length, coordinates outside the encoder's ranges, and outputs outside the declared
    /// range, which a discrete logarithm would not find.
    pub fn evaluate(&self, encoded: &Encoded) -> Result<Vec<i64>, EvaluateError> {
        self.check(encoded)?;
        self.within(&self.map.evaluate(&encoded.u, &encoded.v)?, &self.declared)
    }

    /// Outputs of every item, `[N, S]` row-major. Noise, where the encoder has any, is drawn from a generator that is
    /// seeded by the image itself, so that it has the right distribution and repeats.
    ///
    /// # Errors
    /// Items that the encoder does not take, outputs outside the declared range.
    pub fn evaluate_all(&self, data: &dyn Images) -> Result<Vec<i64>, EvaluateError> {
        self.each_item(data, &self.declared, |image| {
            self.encoder.encode_with(image, &mut ChaCha8Rng::from_seed(Sha256::digest(image).into()))
        })
    }

    /// The same without noise, which no key holder sees; for analyses of the noise.
    ///
    /// # Errors
    /// Items that the encoder does not take, outputs beyond 64 bits.
    pub fn evaluate_all_without_noise(&self, data: &dyn Images) -> Result<Vec<i64>, EvaluateError> {
        let widest = vec![(i64::MIN, i64::MAX); self.outputs()];
        self.each_item(data, &widest, |image| self.encoder.encode_without_noise(image))
    }

    fn each_item(
        &self,
        data: &dyn Images,
        declared: &[(i64, i64)],
        encode: impl Fn(&[u8]) -> Result<Encoded, EncodeError> + Sync,
    ) -> Result<Vec<i64>, EvaluateError> {
        let columns = Columns::of(&self.map);
        let rows: Result<Vec<Vec<i64>>, EvaluateError> = (0..data.len())
            .into_par_iter()
            .map(|item| {
                let encoded = encode(data.image(item))?;
                self.within(&columns.evaluate(&encoded.u, &encoded.v), declared)
            })
            .collect();
        Ok(rows?.concat())
    }

    /// Class probabilities for outputs `[N, S]`, `[N, C]` row-major. Without a net in the head, the class
    /// of the largest output has probability 1.
    ///
    /// # Errors
    /// Outputs that do not fill whole rows.
    pub fn probabilities(&self, output: &[i64]) -> Result<Vec<f32>, EvaluateError> {
        let outputs = self.outputs();
        if output.is_empty() || !output.len().is_multiple_of(outputs) {
            return Err(EvaluateError::Length { field: "output", found: output.len(), expected: outputs });
        }
        match &self.head {
            PublicHead::Largest => Ok(output.chunks_exact(outputs).flat_map(one_of_largest).collect()),
            PublicHead::Net { centre, scale, layers } => {
                Ok(probabilities(layers, &standardise(output, centre, scale), outputs))
            }
        }
    }

    /// The most probable class of every item.
    ///
    /// # Errors
    /// As [`evaluate_all`](Self::evaluate_all).
    pub fn predict(&self, data: &dyn Images) -> Result<Vec<u32>, EvaluateError> {
        let outputs = self.evaluate_all(data)?;
        if outputs.is_empty() {
            return Ok(Vec::new());
        }
        let probabilities = self.probabilities(&outputs)?;
        Ok(probabilities.chunks_exact(self.classes.len()).map(|row| largest(row) as u32).collect())
    }

    /// Percent of items whose label, an index into the classes, is predicted.
    ///
    /// # Errors
    /// As [`evaluate_all`](Self::evaluate_all); no item, or another number of labels.
    pub fn accuracy(&self, data: &dyn Images, labels: &[u32]) -> Result<f64, EvaluateError> {
        if data.len() != labels.len() {
            return Err(EvaluateError::Labels { found: labels.len(), expected: data.len() });
        }
        if labels.is_empty() {
            return Err(EvaluateError::Empty);
        }
        let right = self.predict(data)?.iter().zip(labels).filter(|(predicted, label)| predicted == label).count();
        // Rounded to a ten-thousandth, so that the text form is exact.
        Ok((100.0 * right as f64 / labels.len() as f64 * 1e4).round() / 1e4)
    }

    fn check(&self, encoded: &Encoded) -> Result<(), EvaluateError> {
        let (n, m) = self.inputs();
        let (u, v) = self.encoder.ranges();
        for (field, values, expected) in [("u", &encoded.u, n), ("v", &encoded.v, m)] {
            if values.len() != expected {
                return Err(EvaluateError::Length { field, found: values.len(), expected });
            }
        }
        for (side, values, ranges) in [("u", &encoded.u, &u), ("v", &encoded.v, &v)] {
            for (coordinate, (&value, &(low, high))) in values.iter().zip(ranges).enumerate() {
                if !(low..=high).contains(&value) {
                    return Err(EvaluateError::Coordinate { side, coordinate, value, low, high });
                }
            }
        }
        Ok(())
    }

    /// Narrows exact outputs. Sums cannot have wrapped: the bounds were computed in checked arithmetic over all
    /// partial sums.
    fn within(&self, outputs: &[i128], declared: &[(i64, i64)]) -> Result<Vec<i64>, EvaluateError> {
        let narrow = |(output, (&value, &(low, high))): (usize, (&i128, &(i64, i64)))| match i64::try_from(value) {
            Ok(value) if (low..=high).contains(&value) => Ok(value),
            _ => Err(EvaluateError::OutOfRange { output, value, low, high }),
        };
        outputs.iter().zip(declared).enumerate().map(narrow).collect()
    }
}
