//! Losses on the outputs of a batch.

mod cholesky;
pub(crate) mod discrepancy;
mod discriminant;
mod kernel;
mod whitening;
