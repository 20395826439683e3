//! No defence.

use super::defence::{Defence, Kind, Method};
use crate::TrainOptions;

pub(super) static KIND: Kind = Kind {
    name: "none",
    title: "None",
    text: "Nothing",
    standard: Defence::none,
    preset: TrainOptions::quick,
    read: None,
};

impl Defence {
    /// No defence.
    pub fn none() -> Self {
        Self::new(Nothing)
    }
}

struct Nothing;

impl Method for Nothing {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn copy(&self) -> Box<dyn Method> {
        Box::new(Nothing)
    }

    fn needs_collateral(&self) -> bool {
        false
    }
}
