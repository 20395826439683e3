//! The findings of an audit, for a terminal.

use experiments::Parity;
use leakage::{AuditReport, Finding, Scope};

use crate::console;

/// The strongest attacker, votes, growth, noise and the table of attackers.
pub fn report(report: &AuditReport) -> String {
    let mut lines = vec![format!(
        "{}, attackers with {} items, tested on {}",
        report.attribute, report.items.train, report.items.test
    )];
    lines.extend(balanced(report));
    lines.push(format!("strongest: {}", finding(&report.strongest)));
    let highest = std::iter::once(&report.highest_pooled).chain(&report.highest_class);
    lines.extend(highest.map(|found| format!("highest on the test items: {}", finding(found))));
    lines.extend(people(report));
    let votes = report.vote.iter().map(|vote| format!("vote@{} {:.1} %", vote.k, vote.accuracy)).collect::<Vec<_>>();
    lines.push(votes.join(", "));
    if let Some(most) = report.vote_left_out.iter().min() {
        lines.push(format!("votes of {most} items and more are left out: some value has fewer test items"));
    }
    if report.comparisons > 1 {
        lines.push(format!("intervals of these findings hold for {} attributes at once", report.comparisons));
    }
    let controls = report.controls.shuffled.iter().chain(&report.controls.others);
    lines.extend(controls.map(|control| {
        let balanced = control.highest_balanced.as_ref().map_or_else(String::new, |found| {
            format!("; balanced {:.1} % ({:.1} to {:.1})", found.accuracy, found.low, found.high)
        });
        format!("for comparison, {}: {}{balanced}", control.name, finding(&control.highest_pooled))
    }));
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
             it guarantees nothing, and the protection is that distributions match",
            bound.median, bound.p95
        ));
    }
    let precision = report.precision.as_ref().and_then(|precision| precision.warning.as_ref());
    lines.extend(report.warnings.iter().chain(precision).map(|warning| format!("warning: {warning}")));
    lines.push(table(report));
    lines.join("\n")
}

fn table(report: &AuditReport) -> String {
    let share = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
    let pooled = report.attackers.iter().filter(|attacker| attacker.scope == Scope::Pooled);
    let rows = pooled.map(|attacker| {
        let interval = format!("{:.1} to {:.1}", attacker.low, attacker.high);
        let balanced = attacker.balanced.as_ref();
        [
            attacker.family.clone(),
            balanced.map_or_else(String::new, |found| format!("{:.2}", found.accuracy)),
            share(balanced.map(|found| found.advantage)),
            share(attacker.auc),
            format!("{:.2}", attacker.accuracy),
            interval,
            attacker.tpr_at_fpr.map_or_else(String::new, |rate| format!("{:.2}", 100.0 * rate)),
            format!("{:.4}", attacker.bits),
        ]
    });
    let columns = [
        "attacker, main label given",
        "balanced %",
        "advantage",
        "AUC",
        "accuracy %",
        "95 %",
        "found % at 0.1 % false",
        "bits",
    ];
    console::table(columns, rows)
}

/// The leading figures: balanced accuracy, and what the main label alone reveals.
fn balanced(report: &AuditReport) -> Vec<String> {
    let with_areas = |found: &Finding| {
        let auc = found.auc.map_or_else(String::new, |auc| format!(", AUC {auc:.3}"));
        format!("{}, advantage {:.3}{auc}", finding(found), found.advantage)
    };
    let mut lines = Vec::new();
    lines.extend(report.strongest_balanced.iter().map(|found| format!("balanced accuracy: {}", with_areas(found))));
    lines.extend(report.highest_balanced.iter().map(|found| format!("highest balanced: {}", finding(found))));
    lines.extend(report.main_label.iter().map(|floor| {
        let overall = report.strongest_balanced.as_ref().and_then(|found| {
            let mut rows = report.attackers.iter().filter(|row| row.scope == Scope::Pooled);
            rows.find(|row| row.family == found.family)?.balanced.as_ref()?.overall
        });
        let with = overall.map_or_else(String::new, |overall| format!("; with the outputs {overall:.1} %"));
        format!(
            "the main label alone, over all items: balanced {:.1} %, accuracy {:.1} % (the most frequent value {:.1} \
             %){with}",
            floor.balanced_accuracy, floor.accuracy, floor.most_frequent
        )
    }));
    lines
}

/// The attribute as a number, and the items that the network was trained on.
fn people(report: &AuditReport) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(report.continuous.iter().map(|found| {
        format!(
            "as a number: {}, R² {:.3} ({:.3} to {:.3}), rank correlation {:.3} ({:.3} to {:.3}), error {:.2} (without \
             outputs {:.2})",
            found.family,
            found.r2,
            found.r2_low,
            found.r2_high,
            found.rank,
            found.rank_low,
            found.rank_high,
            found.error,
            found.error_blind
        )
    }));
    lines.extend(report.members.iter().map(|found| {
        format!(
            "control attack: balanced {:.1} % on {} items that the network was trained on, {:.1} % on others; \
             difference {:.1} ({:.1} to {:.1}), risk {:.3}",
            found.accuracy, found.items, found.control, found.difference, found.low, found.high, found.risk
        )
    }));
    lines
}

/// How predictions differ between the values of the attribute.
pub fn parity(parity: &Parity) -> String {
    format!(
        "predictions by value of the attribute: demographic-parity distance {:.3} (that of the labels {:.3}), at equal \
         label {:.3}",
        parity.distance, parity.labels, parity.odds
    )
}

/// One finding in words.
pub fn finding(finding: &Finding) -> String {
    let place = finding.class.as_ref().map_or_else(String::new, |class| format!(" within {class}"));
    let Finding { family, accuracy, low, high, chance, .. } = finding;
    format!("{family}{place} {accuracy:.1} % ({low:.1} to {high:.1}), chance {chance:.1} %")
}
