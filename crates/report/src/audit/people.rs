//! Additional results for audits of people: rare values, numbers, and the people in the training data.

use super::words::family;
use crate::text::{count, escape, percent};
use leakage::AuditReport;
use std::fmt::Write;

/// Reasons to doubt the figures.
pub(super) fn warnings(report: &AuditReport) -> String {
    let paragraph = |warning: &String| format!("<p class=\"warning\"><b>Warning:</b> {}</p>\n", escape(warning));
    report.warnings.iter().map(paragraph).collect()
}

/// Entries of the card.
pub(super) fn lines(out: &mut String, report: &AuditReport) {
    let mut term = |term: &str, value: String, by: String| {
        let _ = write!(
            out,
            "<dt>{term}</dt>\n<dd><span class=\"value\">{value}</span> <span class=\"by\">{by}</span></dd>\n"
        );
    };
    if let Some(floor) = &report.main_label {
        let by = format!(
            "balanced, over all items; accuracy {} %, the most frequent value {} %",
            percent(floor.accuracy),
            percent(floor.most_frequent)
        );
        term("The main label alone", format!("{} %", percent(floor.balanced_accuracy)), by);
    }
    if let Some(found) = &report.continuous {
        let by = format!(
            "of the variance ({:.3} to {:.3}) by {}; rank correlation {:.3} ({:.3} to {:.3}), mean error {:.2}, \
             without outputs {:.2}",
            found.r2_low,
            found.r2_high,
            escape(&family(&found.family)),
            found.rank,
            found.rank_low,
            found.rank_high,
            found.error,
            found.error_blind
        );
        term("Guessed as a number, R²", format!("{:.3}", found.r2), by);
    }
    if let Some(found) = &report.members {
        let by = format!(
            "points more, balanced, on {} items that the network was trained on ({:.1} to {:.1}); risk {:.3}",
            count(found.items),
            found.low,
            found.high,
            found.risk
        );
        term("Control attack", format!("{:.1}", found.difference), by);
    }
}
