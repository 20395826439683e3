//! An audit with its additional parts: other attributes, an undefended network, rebuilt inputs, controls, a
//! certificate.

mod controls;
mod warnings;

use dataset::Dataset;
use host::Progress;
use leakage::certificate::Certificate;
use leakage::{
    AttackerConfig, Attribute, AuditOptions, AuditReport, Extras, Inputs, Observations, Undefended, audit_attributes,
    audit_with, reconstruct,
};
use model::CompiledNetwork;
use report::Page;
use serde::{Deserialize, Serialize};

use crate::{ExperimentError, Parity, noise_bound, noise_of, parity};

/// The subject of an audit. Every pair holds the items that attackers learn from and those that they are scored on.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Outputs and labels, as attackers see them.
    pub seen: [&'a Observations; 2],
    /// The items themselves, if available.
    pub data: Option<[&'a Dataset; 2]>,
    /// What warnings call them, such as their files.
    pub names: [&'a str; 2],
    /// The network that gives the outputs, if it is compiled.
    pub network: Option<&'a CompiledNetwork>,
    /// The outputs of an undefended network on the same items.
    pub undefended: Option<[&'a Observations; 2]>,
    /// Items that the network was trained on, as attackers see them.
    pub members: Option<&'a Observations>,
    /// Further attributes of the items.
    pub others: &'a [Attribute],
}

/// Parts of an audit in addition to the attack on its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Rebuild inputs from outputs; needs the items.
    pub reconstruction: bool,
    /// Attack a random network of the same shape and the raw inputs; needs the items and a compiled network.
    pub controls: bool,
}

/// The audit of the requested attribute, of all others, and a certificate, if requested.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Audited {
    /// The requested attribute.
    #[serde(flatten)]
    pub report: AuditReport,
    /// The others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AuditReport>,
    /// The certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// Predictions by value of the attribute; absent if the audited main label is not the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parity: Option<Parity>,
}

impl Audited {
    /// All results as a page.
    pub fn page(&self, title: impl Into<String>) -> Page<'_> {
        let page = Page::new(title).report(&self.report);
        let page = self.certificate.iter().fold(page, Page::certificate);
        self.attributes.iter().fold(page, |page, report| page.report(report))
    }
}

/// Attackers that use an undefended network, added to a panel if there is one.
pub fn decensoring() -> [AttackerConfig; 2] {
    [AttackerConfig::neighbours(51), AttackerConfig::qda()].map(AttackerConfig::decensor)
}

/// Attacks all attributes and runs the additional parts. The intervals of the strongest and highest findings hold for
/// all attributes at once.
///
/// # Errors
/// As [`leakage::audit_with`]; and an additional part needs more than `subject` has.
pub fn audit(
    subject: &Subject<'_>,
    beside: Beside,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<Audited, ExperimentError> {
    let items = |part| subject.data.ok_or(ExperimentError::NeedsItems { part });
    // Checked before attackers start, not after.
    let rebuilt = beside.reconstruction.then(|| items("rebuilding inputs")).transpose()?;
    let controls = beside.controls.then(|| {
        let data = items("a control")?;
        subject.network.map(|network| (network, data)).ok_or(ExperimentError::NeedsNetwork)
    });
    let controls = controls.transpose()?;
    let mut options = AuditOptions { comparisons: 1 + subject.others.len(), ..options.clone() };
    if options.noise.is_empty() {
        options.noise = subject.network.map(noise_of).unwrap_or_default();
    }
    let seed = options.seeds.first().copied().unwrap_or_default();
    let [train, test] = subject.seen;
    let extras = Extras {
        members: subject.members,
        undefended: subject.undefended.map(|[train, _]| Undefended { outputs: &train.outputs, width: train.width }),
        controls: subject.undefended.iter().map(|&[train, test]| ("undefended network".into(), train, test)).collect(),
    };
    let mut report = audit_with(train, test, &extras, &options, progress)?;
    if let Some(data) = rebuilt {
        progress.note("rebuilding inputs from outputs");
        let [train, test] = [0, 1].map(|side| inputs(subject.seen[side], data[side]));
        report.reconstruction = Some(reconstruct(&train, &test, seed, progress)?);
    }
    if let Some((network, data)) = controls {
        progress.note("attacking a random network and the raw inputs, for comparison");
        report.controls.others.extend(controls::attack(network, data, subject.seen, &options, progress)?);
    }
    if let (Some(network), Some([_, data])) = (subject.network, subject.data) {
        report.noise = noise_bound(network, data, test, seed)?;
    }
    if let (Some(network), Some(data)) = (subject.network, subject.data) {
        report.warnings = warnings::of(network, subject.names, data)?;
    }
    // Undefended outputs and the growth curve are only for the requested attribute.
    let families = options.families.iter().filter(|family| !family.needs_undefended()).cloned().collect();
    let options = AuditOptions { families, growth: false, ..options };
    let attributes = match subject.others {
        [] => Vec::new(),
        others => audit_attributes(train, test, others, &options, progress)?,
    };
    let own = subject.network.filter(|network| network.classes() == test.main_classes);
    let parity = own.map(|network| parity(network, test)).transpose()?;
    Ok(Audited { report, attributes, certificate: None, parity })
}

/// The values of a label that both data sets have with the same classes.
///
/// # Errors
/// One of them does not have it, or their classes differ.
pub fn attribute(train: &Dataset, test: &Dataset, name: &str) -> Result<Attribute, ExperimentError> {
    train.check_classes(test, name)?;
    let (learned, scored) = (train.labels(name)?, test.labels(name)?);
    let (classes, train, test) = (learned.classes.clone(), learned.values.clone(), scored.values.clone());
    Ok(Attribute { name: name.to_owned(), classes, train, test })
}

/// Every label of the first data set except those named.
///
/// # Errors
/// As [`attribute`].
pub fn unlisted(train: &Dataset, test: &Dataset, named: &[&str]) -> Result<Vec<Attribute>, ExperimentError> {
    let others = train.columns().iter().map(|column| column.name.as_str()).filter(|name| !named.contains(name));
    others.map(|name| attribute(train, test, name)).collect()
}

fn inputs<'a>(seen: &'a Observations, data: &'a Dataset) -> Inputs<'a> {
    let Observations { outputs, width, main, main_classes, .. } = seen;
    let (height, across) = (data.height(), data.width());
    let pixels = data.images();
    Inputs { outputs, width: *width, pixels, height, across, main, classes: main_classes.len() }
}
