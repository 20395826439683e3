//! Losses on the outputs of a batch.

mod chi_square;
mod cholesky;
pub(crate) mod discrepancy;
mod discriminant;
mod kernel;
mod radius;
mod volume;
mod whitening;

pub(crate) use chi_square::chi_square;
pub(crate) use radius::radius;
pub(crate) use volume::volume;

/// The noise that owners add to the outputs that a batch shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Noise {
    /// Its deviation, in the units of the outputs; 0 for none.
    pub deviation: f32,
    /// Identifies the batch, for random draws.
    pub draw: u64,
}
