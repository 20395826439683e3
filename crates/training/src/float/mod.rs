//! The float models: private quadratic part, public head, and the adversaries simulated in training.

pub(crate) mod adversary;
pub(crate) mod head;
pub(crate) mod initial;
pub(crate) mod parameters;
pub(crate) mod private;
