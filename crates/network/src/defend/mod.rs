//! What a defence adds to the loss.

mod kernel;
pub(crate) mod matching;
mod whitening;
