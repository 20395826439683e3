//! The findings of an audit: the first screen, plots, tables and the method.

mod attackers;
mod certified;
mod classes;
mod cloud;
mod growth;
mod method;
mod pairs;
mod people;
mod precision;
mod reconstruction;
mod summary;
mod tables;
mod vote;
mod words;

use leakage::AuditReport;
use leakage::certificate::Certificate;

/// The first screen.
pub(crate) fn summary(reports: &[&AuditReport]) -> String {
    summary::section(reports)
}

/// The proved bound, next to the findings.
pub(crate) fn certified(at: usize, report: &AuditReport, certificate: &Certificate) -> String {
    certified::section(at, report, certificate)
}

/// Everything but the summary.
pub(crate) fn details(reports: &[&AuditReport]) -> String {
    let sections = [
        attackers::section,
        classes::section,
        vote::section,
        growth::section,
        pairs::section,
        precision::section,
        cloud::section,
        reconstruction::section,
        tables::section,
        method::section,
    ];
    sections.iter().map(|section| section(reports)).collect()
}
