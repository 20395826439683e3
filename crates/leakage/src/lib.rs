//! What the few output numbers of a private network reveal besides its answer.
//!
//! A network publishes `output(x)`, S numbers per item, from which the *main label* follows. This crate measures what
//! they reveal about a *collateral attribute* that should have stayed private. It trains fresh attackers of many kinds
//! on labelled outputs and reports the strongest, with 95 % intervals and baselines. It handles only numbers and
//! labels; networks, curves and pages belong to other crates.
//!
//! ```
//! use leakage::{AuditOptions, AttackerConfig, Observations, audit};
//!
//! // Two outputs per item; the second reveals the attribute.
//! let observe = |n: usize| {
//!     let wobble = |i: usize| (i * 7919 % 1000) as f32 / 1000.0;
//!     Observations {
//!         outputs: (0..n)
//!             .flat_map(|i| [(i % 2) as f32 + wobble(i), (i / 2 % 2) as f32 + 1.5 * wobble(i + 3)])
//!             .collect::<Vec<f32>>()
//!             .into(),
//!         width: 2,
//!         main: (0..n).map(|i| (i % 2) as u32).collect(),
//!         collateral: (0..n).map(|i| (i / 2 % 2) as u32).collect(),
//!         main_classes: vec!["a".into(), "b".into()],
//!         collateral_classes: vec!["cursive".into(), "serif".into()],
//!     }
//! };
//! let options = AuditOptions {
//!     families: vec![AttackerConfig::logistic(), AttackerConfig::neighbours(15)],
//!     ..AuditOptions::default()
//! };
//! let progress = host::Silent;
//! let report = audit(&observe(800), &observe(400), &options, &progress)?;
//! assert!(report.strongest.low > 60.0);
//! # Ok::<(), leakage::AuditError>(())
//! ```

#![warn(missing_debug_implementations)]

mod attack;
mod attackers;
mod attributes;
mod audit;
mod balance;
pub mod certificate;
mod cloud;
mod continuous;
mod distinguisher;
mod error;
mod evaluate;
mod examine;
mod growth;
mod level;
mod linear;
mod members;
mod metrics;
mod observations;
mod options;
mod outputs;
mod pairs;
mod panel;
mod precision;
mod reconstruction;
mod report;
mod slice;
mod training;
mod vote;

pub use attack::{Asked, attack};
pub use attackers::AttackerConfig;
pub use attributes::{Attribute, audit_attributes};
pub use audit::{audit, audit_with, control};
pub use error::AuditError;
pub use metrics::wilson;
pub use observations::{CLASS_LIMIT, LEAST_ITEMS, Observations, WIDTH_LIMIT};
pub use options::AuditOptions;
pub use outputs::Outputs;
pub use pairs::{PairBound, pair_bound};
pub use precision::{IDLE_BITS, OutputPrecision, Precision};
pub use reconstruction::{Example, Inputs, Reconstruction, reconstruct};
pub use report::{
    AttackerScore, AuditReport, Balanced, Cloud, CodeLength, Continuous, Control, Controls, Distinguisher, Finding,
    Growth, Items, MainLabel, Members, Points, Scope, Vote,
};
pub use training::{Extras, Undefended};

/// Another name of [`AttackerConfig`].
pub type Family = AttackerConfig;
