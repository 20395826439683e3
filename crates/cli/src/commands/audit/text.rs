//! What an audit found, for a terminal.

use leakage::{AuditReport, Finding, Scope};

use crate::console;

/// The strongest attacker, votes, growth, noise and the table of attackers.
pub fn report(report: &AuditReport) -> String {
    let pooled = report.attackers.iter().filter(|attacker| attacker.scope == Scope::Pooled);
    let rows = pooled.map(|attacker| {
        let auc = attacker.auc.map_or_else(String::new, |auc| format!("{auc:.3}"));
        let interval = format!("{:.1} to {:.1}", attacker.low, attacker.high);
        [attacker.family.clone(), format!("{:.2}", attacker.accuracy), interval, auc, format!("{:.4}", attacker.bits)]
    });
    let mut lines = vec![
        format!("{}, attackers with {} items, tested on {}", report.attribute, report.items.train, report.items.test),
        format!("strongest: {}", finding(&report.strongest)),
    ];
    let highest = std::iter::once(&report.highest_pooled).chain(&report.highest_class);
    lines.extend(highest.map(|found| format!("highest on the test items: {}", finding(found))));
    let votes = report.vote.iter().map(|vote| format!("vote@{} {:.1} %", vote.k, vote.accuracy)).collect::<Vec<_>>();
    lines.push(votes.join(", "));
    if let Some(most) = report.vote_left_out.iter().min() {
        lines.push(format!("votes of {most} items and more are left out: some value has fewer test items"));
    }
    if report.comparisons > 1 {
        lines.push(format!("intervals of these findings hold for {} attributes at once", report.comparisons));
    }
    let controls = report.controls.shuffled.iter().chain(&report.controls.others);
    lines.extend(
        controls.map(|control| format!("for comparison, {}: {}", control.name, finding(&control.highest_pooled))),
    );
    if report.growth.len() > 1 {
        let sizes = report.growth.iter().map(|growth| format!("{} items {:.1} %", growth.train, growth.accuracy));
        lines.push(format!("growth: {}", sizes.collect::<Vec<_>>().join(", ")));
    }
    if let Some(found) = &report.reconstruction {
        lines.push(format!(
            "rebuilding the input: median rank {:.0} of {} (mean picture of the class {:.0}), squared error {:.4} ({:.4})",
            found.median_rank, found.candidates, found.median_rank_class_mean, found.mse, found.mse_class_mean
        ));
    }
    if let Some(bound) = &report.noise {
        lines.push(format!(
            "noise alone: pairs of one class lie {:.3} apart in total variation (median; 95 % within {:.3}); near 1 \
             it promises nothing, and what protects is that distributions match",
            bound.median, bound.p95
        ));
    }
    if let Some(warning) = report.precision.as_ref().and_then(|precision| precision.warning.as_ref()) {
        lines.push(format!("warning: {warning}"));
    }
    lines.push(console::table(["attacker, main label given", "accuracy %", "95 %", "AUC", "bits"], rows));
    lines.join("\n")
}

/// One finding in words.
pub fn finding(finding: &Finding) -> String {
    let place = finding.class.as_ref().map_or_else(String::new, |class| format!(" within {class}"));
    let Finding { family, accuracy, low, high, chance, .. } = finding;
    format!("{family}{place} {accuracy:.1} % ({low:.1} to {high:.1}), chance {chance:.1} %")
}
