//! Published figures to compare with ours.

use serde::{Deserialize, Serialize};

/// A figure that others published or that was measured with their code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaperFigure {
    /// Shape the figure is for.
    pub shape: std::borrow::Cow<'static, str>,
    /// Operation.
    pub operation: std::borrow::Cow<'static, str>,
    /// Milliseconds.
    pub ms: f64,
    /// Where it comes from.
    pub source: std::borrow::Cow<'static, str>,
}

const fn figure(shape: &'static str, operation: &'static str, ms: f64, source: &'static str) -> PaperFigure {
    use std::borrow::Cow::Borrowed;
    PaperFigure { shape: Borrowed(shape), operation: Borrowed(operation), ms, source: Borrowed(source) }
}

/// Figures of other implementations for the same shapes.
pub const PAPER: &[PaperFigure] = &[
    figure("paper", "encrypt", 7100.0, "Ryffel et al. 2019, authors' code (PBC, MNT159), run on a server core"),
    figure("paper", "evaluate", 1000.0, "Ryffel et al. 2019, authors' code (PBC, MNT159), run on a server core"),
    figure("paper", "dlog", 1700.0, "Ryffel et al. 2019, authors' code (PBC, MNT159), run on a server core"),
    figure("paper", "encrypt", 900.0, "best Go library for quadratic FE, run on a server core"),
    figure("paper", "evaluate", 2600.0, "best Go library for quadratic FE, run on a server core"),
    figure("dense", "evaluate", 41.6, "best known library for dense quadratic FE, on a core about twice as fast"),
];
