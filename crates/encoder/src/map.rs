//! From the cells of an image to the columns of `z`.

use serde::{Deserialize, Serialize};

/// The affine part of an encoder. `c` are the cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Map {
    /// `z = c`
    Cells,
    /// `z_j = (c_j − mean_j) · scale_j`
    Scaled { mean: Vec<f32>, scale: Vec<f32> },
    /// `z_j = offset_j + Σ_i weights[i][j] · c_i`, `weights` row by row.
    Linear { offset: Vec<f32>, weights: Vec<f32> },
}

impl Map {
    /// The number of columns of `z` from this many cells.
    pub fn columns(&self, cells: usize) -> usize {
        match self {
            Map::Cells | Map::Scaled { .. } => cells,
            Map::Linear { offset, .. } => offset.len(),
        }
    }

    /// Whether the sizes agree and every number is finite.
    pub fn is_sound(&self, cells: usize) -> bool {
        let finite = |numbers: &[f32]| numbers.iter().all(|number| number.is_finite());
        match self {
            Map::Cells => true,
            Map::Scaled { mean, scale } => mean.len() == cells && scale.len() == cells && finite(mean) && finite(scale),
            Map::Linear { offset, weights } => {
                let sizes = !offset.is_empty() && offset.len().checked_mul(cells) == Some(weights.len());
                sizes && finite(offset) && finite(weights)
            }
        }
    }

    /// Adds the contribution of one cell to `z`, which [`start`](Self::start) has initialised.
    pub fn add(&self, place: usize, cell: f32, z: &mut [f32]) {
        match self {
            Map::Cells => z[place] = cell,
            Map::Scaled { mean, scale } => z[place] = (cell - mean[place]) * scale[place],
            Map::Linear { weights, .. } => {
                let weights = &weights[place * z.len()..][..z.len()];
                z.iter_mut().zip(weights).for_each(|(z, weight)| *z += cell * weight);
            }
        }
    }

    /// Initialises `z` for the cells.
    pub fn start(&self, z: &mut [f32]) {
        if let Map::Linear { offset, .. } = self {
            z.copy_from_slice(offset);
        }
    }
}
