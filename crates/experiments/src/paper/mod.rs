//! The experiments of the paper, repeated, with our results next to the paper's.
//!
//! | study | in the paper | here |
//! |---|---|---|
//! | `size` | main and collateral accuracy against the private output size, no defence (tutorial 4) | the same squares by the quick optimiser, every family of attackers |
//! | `alpha` | accuracies against α, S = 4 (tutorial 5) | the same phases, attacked afresh by every family |
//! | `defended` | output size with the defence at α = 1.7 (tutorial 11) | the same, and matching at every size: the Pareto front |
//! | `panel` | all families of attackers at S = 4 (tutorials 6 and 8) | the full panel on the paper's defence and on matching |
//! | `integers` | what rounding costs (tutorial 9) | by precision, with leak and cost |
//!
//! Every row is a file in the folder: a stopped run resumes, and another study adds to it.

mod drawings;
mod measure;
mod networks;
mod page;
mod published;
mod sizes;
mod studies;

pub use drawings::Drawings;
pub use measure::{Measured, Setting};
pub use networks::{Built, Recipe};
pub use page::{html, table};
pub use sizes::Sizes;
pub use studies::{Row, Study};
