//! What a defence adds to the loss.

pub(crate) mod matching;
