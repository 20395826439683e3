//! Every figure, as text.

use super::words::family;
use crate::block::Table;
use crate::text::{count, escape, percent};
use leakage::{AuditReport, Control};
use std::fmt::Write;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let mut out = String::from("<section>\n<h2>All figures</h2>\n");
    for report in reports {
        if reports.len() > 1 {
            let _ = writeln!(out, "<h3>{}</h3>", escape(&report.network));
        }
        out.push_str(&attackers(report));
        out.push_str(&games(report));
        out.push_str(&controls(report));
        let _ =
            write!(out, "<details><summary>Accuracy within each main class</summary>\n{}</details>\n", within(report));
    }
    out.push_str("</section>\n");
    out
}

fn attackers(report: &AuditReport) -> String {
    let columns = [
        "attacker",
        "balanced %",
        "95 %",
        "AUC",
        "accuracy %",
        "95 %",
        "advantage",
        "TPR at 0.1 % FPR",
        "bits per item",
        "held out %",
    ];
    let mut table = Table::new(columns).caption(format!(
        "Pooled, main label given; chance {} %, {} training and {} test items",
        percent(report.strongest_pooled.chance),
        count(report.items.train),
        count(report.items.test)
    ));
    for row in report.attackers.iter().filter(|a| a.class.is_none()) {
        let share = |value: Option<f64>, digits: usize| value.map_or("–".to_owned(), |v| format!("{v:.digits$}"));
        let balanced = row.balanced.as_ref();
        table = table.row([
            row.family.clone(),
            balanced.map_or("–".to_owned(), |found| percent(found.accuracy)),
            balanced.map_or("–".to_owned(), |found| format!("{}–{}", percent(found.low), percent(found.high))),
            share(row.auc, 3),
            percent(row.accuracy),
            format!("{}–{}", percent(row.low), percent(row.high)),
            format!("{:.3}", row.advantage),
            share(row.tpr_at_fpr, 4),
            format!("{:.4}", row.bits),
            percent(row.held_out),
        ]);
    }
    table.html()
}

fn games(report: &AuditReport) -> String {
    let mut table = Table::new(["game", "result", "95 %", "without knowledge", "played by"])
        .caption("Votes over k items of one subject, and the distinguishing game at equal main label");
    for vote in &report.vote {
        table = table.row([
            format!("vote, k = {}", vote.k),
            format!("{} %", percent(vote.accuracy)),
            format!("{}–{}", percent(vote.low), percent(vote.high)),
            format!("{} %", percent(vote.chance)),
            vote.family.clone(),
        ]);
    }
    for k in &report.vote_left_out {
        let reason = format!("left out: some value has fewer than {k} test items");
        table = table.row([format!("vote, k = {k}"), "–".into(), "–".into(), "–".into(), reason]);
    }
    if let Some(game) = &report.distinguisher {
        table = table.row([
            "which value has this item? (advantage)".to_owned(),
            format!("{:.3}", game.advantage),
            format!("{:.3}–{:.3}", game.low, game.high),
            "0".to_owned(),
            game.family.clone(),
        ]);
        table = table.row([
            "which of two items has which value?".to_owned(),
            format!("{} %", percent(game.pair_accuracy)),
            format!("{}–{}", percent(game.pair_low), percent(game.pair_high)),
            "50.0 %".to_owned(),
            game.family.clone(),
        ]);
    }
    table.html()
}

fn controls(report: &AuditReport) -> String {
    let controls = report.controls.shuffled.iter().chain(&report.controls.others);
    let controls: Vec<&Control> = controls.collect();
    if controls.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(["audited", "pooled %", "95 %", "by", "worst class %", "highest pooled %", "highest class %"])
            .caption("The same procedure elsewhere; “highest” is the largest figure on the test items themselves");
    let pooled = &report.strongest_pooled;
    let class = report.strongest_class.as_ref();
    let optional = |value: Option<f64>| value.map_or("–".to_owned(), percent);
    table = table.row([
        report.network.clone(),
        percent(pooled.accuracy),
        format!("{}–{}", percent(pooled.low), percent(pooled.high)),
        pooled.family.clone(),
        optional(class.map(|f| f.accuracy)),
        percent(report.highest_pooled.accuracy),
        optional(report.highest_class.as_ref().map(|f| f.accuracy)),
    ]);
    for control in controls {
        let pooled = &control.strongest_pooled;
        table = table.row([
            control.name.clone(),
            percent(pooled.accuracy),
            format!("{}–{}", percent(pooled.low), percent(pooled.high)),
            pooled.family.clone(),
            optional(control.strongest_class.as_ref().map(|f| f.accuracy)),
            percent(control.highest_pooled.accuracy),
            optional(control.highest_class.as_ref().map(|f| f.accuracy)),
        ]);
    }
    table.html()
}

/// Families down, classes across, the class's best by held-out items in bold.
fn within(report: &AuditReport) -> String {
    let classes: Vec<&String> = {
        let varying = |class: &&String| report.attackers.iter().any(|a| a.class.as_ref() == Some(class));
        report.main_classes.iter().filter(varying).collect()
    };
    let mut out = String::from("<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">attacker</th>");
    for class in &classes {
        let _ = write!(out, "<th scope=\"col\" class=\"n\">{}</th>", escape(class));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for pooled in report.attackers.iter().filter(|a| a.class.is_none()) {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(&family(&pooled.family)));
        for class in &classes {
            let rows = || report.attackers.iter().filter(|a| a.class.as_ref() == Some(class));
            let best = rows().map(|a| a.held_out).fold(0.0, f64::max);
            if let Some(row) = rows().find(|a| a.family == pooled.family) {
                let top = if row.held_out == best { " top" } else { "" };
                let _ = write!(out, "<td class=\"n{top}\">{}</td>", percent(row.accuracy));
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}
