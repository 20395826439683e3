//! What a defence adds to the loss.

mod cholesky;
mod discriminant;
mod kernel;
pub(crate) mod matching;
mod whitening;
