//! What a compiled network records about its making.

mod error;

use model::{CompiledNetwork, Origin};
use serde_json::value::to_raw_value;

use crate::TrainingRecord;
use crate::compile::report::CompileReport;
pub use error::HistoryError;

/// How a compiled network was made. No hash covers it: whoever passes the file on can change it.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// How the float network was trained.
    pub record: TrainingRecord,
    /// The report of the compilation.
    pub report: CompileReport,
}

impl History {
    /// The history that travels with a network; `None` for an imported one.
    ///
    /// # Errors
    /// A history that another trainer or another version wrote.
    pub fn of(network: &CompiledNetwork) -> Result<Option<Self>, HistoryError> {
        match network.origin() {
            Origin::Compiled { record, report } => {
                let (record, report) = (serde_json::from_str(record.get())?, serde_json::from_str(report.get())?);
                Ok(Some(Self { record, report }))
            }
            Origin::Imported { .. } => Ok(None),
        }
    }

    /// The form that travels with a network.
    pub(crate) fn origin(&self) -> Result<Origin, HistoryError> {
        Ok(Origin::Compiled { record: to_raw_value(&self.record)?, report: to_raw_value(&self.report)? })
    }
}
