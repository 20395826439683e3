//! Decision trees on binned columns: single trees, forests, extremely random trees, boosting.

mod bins;
mod boosting;
mod forest;
mod grow;

pub(crate) use boosting::attack as boosting;
pub(crate) use forest::{ForestOptions, attack as forest};
