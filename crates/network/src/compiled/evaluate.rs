//! Exact evaluation in clear.

use dataset::{Dataset, EncodeError, Encoded};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::CompiledNetwork;
use crate::network::{EvaluateError, largest, share_right};

impl CompiledNetwork {
    /// `output(x)` of one encoded input: S integers, exact.
    ///
    /// Refused are vectors of another length, coordinates outside the encoder's ranges, and outputs
    /// outside the declared range, which a discrete logarithm would not find.
    pub fn evaluate(&self, encoded: &Encoded) -> Result<Vec<i64>, EvaluateError> {
        self.check(encoded)?;
        let (n, m) = self.inputs();
        let left = project(&self.left, n, &encoded.u);
        let right = project(&self.right, m, &encoded.v);
        self.combined(&left, &right)
    }

    /// Outputs of every item of a data set, `[N, S]` row-major. Noise, where the encoder has any, is drawn
    /// from a generator that the image itself seeds: right in distribution, and the same every time.
    pub fn evaluate_all(&self, data: &Dataset) -> Result<Vec<i64>, EvaluateError> {
        self.each_item(data, |image| {
            self.encoder.encode_with(image, &mut ChaCha8Rng::from_seed(Sha256::digest(image).into()))
        })
    }

    /// The same with the noise taken out, which no holder of a key sees; for what analysis says of it.
    pub fn evaluate_all_without_noise(&self, data: &Dataset) -> Result<Vec<i64>, EvaluateError> {
        let noise = self.encoder.noise_coordinates();
        let mut whole = self.clone();
        whole.declared = whole.widest();
        whole.each_item(data, |image| {
            let mut encoded = self.encoder.encode(image)?;
            encoded.v[noise.clone()].fill(0);
            Ok(encoded)
        })
    }

    fn each_item(
        &self,
        data: &Dataset,
        encode: impl Fn(&[u8]) -> Result<Encoded, EncodeError> + Sync,
    ) -> Result<Vec<i64>, EvaluateError> {
        let (n, m) = self.inputs();
        let (left, right) = (columns(&self.left, n), columns(&self.right, m));
        let rows: Result<Vec<Vec<i64>>, EvaluateError> = (0..data.len())
            .into_par_iter()
            .map(|item| {
                let encoded = encode(data.image(item))?;
                let left = accumulate(&left, self.units, &encoded.u);
                let right = accumulate(&right, self.units, &encoded.v);
                self.combined(&left, &right)
            })
            .collect();
        Ok(rows?.concat())
    }

    /// The most probable class of every item.
    pub fn predict(&self, data: &Dataset) -> Result<Vec<u32>, EvaluateError> {
        let outputs = self.evaluate_all(data)?;
        if outputs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(largest(&self.probabilities(&outputs)?, self.classes.len()))
    }

    /// Percent of items whose main label is predicted.
    pub fn accuracy(&self, data: &Dataset) -> Result<f64, EvaluateError> {
        let labels = &data.labels(&self.main)?.values;
        share_right(&self.predict(data)?, labels)
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

    /// Cannot overflow: the exact bounds were computed in checked arithmetic over all partial sums.
    fn combined(&self, left: &[i64], right: &[i64]) -> Result<Vec<i64>, EvaluateError> {
        let products: Vec<i128> = left.iter().zip(right).map(|(&l, &r)| i128::from(l) * i128::from(r)).collect();
        let outputs = self.combine.chunks_exact(self.units).zip(&self.declared).enumerate();
        outputs
            .map(|(output, (row, &(low, high)))| {
                let value: i128 =
                    row.iter().zip(&products).map(|(&weight, product)| i128::from(weight) * product).sum();
                match i64::try_from(value) {
                    Ok(value) if (low..=high).contains(&value) => Ok(value),
                    _ => Err(EvaluateError::OutOfRange { output, value, low, high }),
                }
            })
            .collect()
    }
}

fn project(rows: &[i32], columns: usize, values: &[i64]) -> Vec<i64> {
    let dot = |row: &[i32]| row.iter().zip(values).map(|(&weight, &value)| i64::from(weight) * value).sum();
    rows.chunks_exact(columns).map(dot).collect()
}

/// The same weights column by column.
pub(crate) fn columns(rows: &[i32], columns: usize) -> Vec<i32> {
    (0..columns).flat_map(|column| rows.iter().skip(column).step_by(columns).copied()).collect()
}

/// All projections at once, skipping coordinates that are zero, as most of an image is.
pub(crate) fn accumulate(columns: &[i32], units: usize, values: &[i64]) -> Vec<i64> {
    let mut sums = vec![0; units];
    for (column, &value) in columns.chunks_exact(units).zip(values) {
        if value != 0 {
            sums.iter_mut().zip(column).for_each(|(sum, &weight)| *sum += i64::from(weight) * value);
        }
    }
    sums
}
