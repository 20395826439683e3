//! Attributes that were not considered when the network was defended.

use crate::audit::audit;
use crate::error::AuditError;
use crate::observations::Observations;
use crate::options::AuditOptions;
use crate::report::AuditReport;
use host::Progress;

/// One more label of the items.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name in the report.
    pub name: String,
    /// Names of its values.
    pub classes: Vec<String>,
    /// Values of the training items.
    pub train: Vec<u32>,
    /// Values of the test items.
    pub test: Vec<u32>,
}

/// Audits every attribute in turn on the same outputs and main labels; `train.collateral` and
/// `test.collateral` are not used.
///
/// # Errors
/// As [`audit`]: the first unsound attribute stops the audit.
pub fn audit_attributes(
    train: &Observations,
    test: &Observations,
    attributes: &[Attribute],
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<Vec<AuditReport>, AuditError> {
    let with = |data: &Observations, values: &[u32], classes: &[String]| Observations {
        collateral: values.to_vec(),
        collateral_classes: classes.to_vec(),
        ..data.clone()
    };
    let one = |attribute: &Attribute| {
        let Attribute { name, classes, train: learned, test: scored } = attribute;
        let options = AuditOptions { attribute: name.clone(), ..options.clone() };
        audit(&with(train, learned, classes), &with(test, scored, classes), &options, progress)
    };
    attributes.iter().map(one).collect()
}
