//! The standardised inputs of a whole data set, ready to be gathered into batches.
//!
//! Two bytes per value: the level that the encoder encrypts, so that networks never train on finer inputs.

use dataset::Dataset;
use encoder::{EncodeError, Encoder};
use rayon::prelude::*;

/// `z` of every item, `[items, columns]`.
pub(crate) struct Features {
    columns: usize,
    low: f32,
    step: f32,
    values: Vec<u16>,
    /// Columns of a row that the right side reads, if not all.
    narrow: Option<Vec<usize>>,
    /// Rows of the left and of the right weights that batches use, including those of the biases, if not all.
    met: Option<[Vec<usize>; 2]>,
}

impl Features {
    pub(crate) fn new(data: &Dataset, encoder: &Encoder) -> Result<Self, EncodeError> {
        let columns = encoder.features();
        let (low, step, _) = encoder.grid();
        let all = encoder.right().len() == columns;
        let mut features = Self {
            columns,
            low,
            step,
            values: vec![0; data.len() * columns],
            narrow: (!all).then(|| encoder.right().to_vec()),
            met: None,
        };
        let rows = features.values.par_chunks_exact_mut(columns).enumerate();
        rows.try_for_each(|(item, row)| fill(row, data.image(item), encoder))?;
        Ok(features)
    }

    /// `step·level` instead of `z`: the numbers that the encoder would encrypt, times its step.
    pub(crate) fn levels(self) -> Self {
        Self { low: 0.0, ..self }
    }

    /// Without the columns that are at level 0 in every item, often half of an image.
    ///
    /// Their weights are never used: they must be 0 unless these are [`levels`](Self::levels).
    pub(crate) fn lit(mut self) -> Self {
        let none = || vec![0_u16; self.columns];
        let union = |mut seen: Vec<u16>, row: &[u16]| {
            seen.iter_mut().zip(row).for_each(|(seen, level)| *seen |= level);
            seen
        };
        let seen = self.values.par_chunks_exact(self.columns).fold(none, union);
        let seen = seen.reduce(none, |seen, other| union(seen, &other));
        let lit: Vec<usize> = (0..self.columns).filter(|&column| seen[column] > 0).collect();
        // Every value moves to the front or stays in place.
        for item in 0..self.values.len() / self.columns {
            for (place, &column) in lit.iter().enumerate() {
                self.values[item * lit.len() + place] = self.values[item * self.columns + column];
            }
        }
        self.values.truncate(self.values.len() / self.columns * lit.len());
        self.values.shrink_to_fit();
        let rows = |columns: &mut dyn Iterator<Item = usize>| [0].into_iter().chain(columns.map(|c| 1 + c)).collect();
        let left: Vec<usize> = rows(&mut lit.iter().copied());
        let mut right = left.clone();
        if let Some(narrow) = &mut self.narrow {
            right = rows(&mut (0..narrow.len()).filter(|&place| seen[narrow[place]] > 0));
            *narrow = narrow.iter().filter_map(|column| lit.binary_search(column).ok()).collect();
        }
        self.columns = lit.len();
        self.met = Some([left, right]);
        self
    }

    /// Rows of the left and of the right weights that batches use, if not all.
    pub(crate) fn met(&self) -> Option<&[Vec<usize>; 2]> {
        self.met.as_ref()
    }

    /// The stored form of one image.
    pub(crate) fn row(&self, image: &[u8], encoder: &Encoder) -> Result<Vec<u16>, EncodeError> {
        let mut row = vec![0; self.columns];
        fill(&mut row, image, encoder)?;
        Ok(row)
    }

    /// Replaces the image of an item.
    pub(crate) fn replace(&mut self, item: usize, row: &[u16]) {
        self.values[item * self.columns..][..self.columns].copy_from_slice(row);
    }

    /// Values per row of a batch: the constant 1, then the columns of `z`.
    pub(crate) fn width(&self) -> usize {
        1 + self.columns
    }

    /// Rows `(1, z)` for the given items.
    pub(crate) fn batch(&self, items: &[u32]) -> Vec<f32> {
        let mut rows = vec![1.0; items.len() * self.width()];
        rows.par_chunks_exact_mut(self.width()).zip(items).with_min_len(64).for_each(|(row, &item)| {
            let source = &self.values[item as usize * self.columns..][..self.columns];
            for (target, &level) in row[1..].iter_mut().zip(source) {
                *target = self.low + self.step * f32::from(level);
            }
        });
        rows
    }

    /// The rows of the right side, if it reads fewer columns than the left.
    pub(crate) fn narrow(&self, rows: &[f32]) -> Option<Vec<f32>> {
        let columns = self.narrow.as_ref()?;
        let mut narrow = Vec::with_capacity(rows.len() / self.width() * (1 + columns.len()));
        for row in rows.chunks_exact(self.width()) {
            narrow.push(1.0);
            narrow.extend(columns.iter().map(|&column| row[1 + column]));
        }
        Some(narrow)
    }
}

fn fill(row: &mut [u16], image: &[u8], encoder: &Encoder) -> Result<(), EncodeError> {
    let mut z = vec![0.0; row.len()];
    let (low, step, _) = encoder.grid();
    encoder.quantise(image, &mut z)?;
    for (value, z) in row.iter_mut().zip(z) {
        *value = ((z - low) / step).round() as u16;
    }
    Ok(())
}
