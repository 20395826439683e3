//! What an audit found: the first screen, plots, tables and the method.

mod attackers;
mod classes;
mod cloud;
mod growth;
mod method;
mod pairs;
mod reconstruction;
mod summary;
mod tables;
mod vote;
mod words;

use leakage::AuditReport;

/// The first screen.
pub(crate) fn summary(reports: &[&AuditReport]) -> String {
    summary::section(reports)
}

/// Everything but the summary.
pub(crate) fn details(reports: &[&AuditReport]) -> String {
    let sections = [
        attackers::section,
        classes::section,
        vote::section,
        growth::section,
        pairs::section,
        cloud::section,
        reconstruction::section,
        tables::section,
        method::section,
    ];
    sections.iter().map(|section| section(reports)).collect()
}
