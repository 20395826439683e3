//! The data that attackers learn from.

use crate::error::AuditError;
use crate::observations::Observations;
use crate::outputs::Outputs;

/// Outputs of an undefended network on the training items, for the de-censoring attack.
#[derive(Debug, Clone, Copy)]
pub struct Undefended<'a> {
    /// Row-major, one row per training item in the same order, finite.
    pub outputs: &'a Outputs,
    /// Outputs per item.
    pub width: usize,
}

/// What an audit may use in addition to the outputs under audit.
#[derive(Debug, Clone, Default)]
pub struct Extras<'a> {
    /// For the families `decensor-…`.
    pub undefended: Option<Undefended<'a>>,
    /// Named observations to run the same panel on: a random network, an undefended one, the raw inputs. Reported next
    /// to the shuffled control.
    pub controls: Vec<(String, &'a Observations, &'a Observations)>,
    /// Items that the network itself was trained on, for the control attack; neither split may contain them.
    pub members: Option<&'a Observations>,
}

/// Training items with everything known about them.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    pub seen: Observations,
    /// Row-major undefended outputs; empty if none are known.
    pub undefended: Outputs,
    pub undefended_width: usize,
}

impl Training {
    pub fn new(seen: &Observations, undefended: Option<Undefended>) -> Result<Training, AuditError> {
        let Some(Undefended { outputs, width }) = undefended else {
            return Ok(Training { seen: seen.clone(), undefended: Outputs::default(), undefended_width: 0 });
        };
        let split = "train (undefended)";
        let whole = Observations { outputs: outputs.clone(), width, ..seen.clone() };
        whole.validate(split)?;
        Ok(Training { seen: seen.clone(), undefended: whole.outputs, undefended_width: width })
    }

    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Undefended outputs of the given items.
    pub fn undefended_rows(&self, items: &[usize]) -> Outputs {
        match self.undefended_width {
            0 => Outputs::default(),
            width => self.undefended.subset(items, width),
        }
    }

    pub fn subset(&self, items: &[usize]) -> Training {
        Training {
            seen: self.seen.subset(items),
            undefended: self.undefended_rows(items),
            undefended_width: self.undefended_width,
        }
    }
}
