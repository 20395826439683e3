//! The first screen.

use super::words::{family, verdict};
use crate::svg::{Scale, Svg};
use crate::text::{count, escape, percent, range};
use leakage::{AuditReport, Finding};
use std::fmt::Write;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let mut out = String::from("<section>\n");
    for report in reports {
        out.push_str(&lead(report));
    }
    out.push_str("<div class=\"cards\">\n");
    for (at, report) in reports.iter().enumerate() {
        out.push_str(&card(at, report));
    }
    out.push_str("</div>\n</section>\n");
    out
}

/// What can be learned, by whom, with what certainty, compared with what: one sentence.
fn lead(report: &AuditReport) -> String {
    let found = &report.strongest_pooled;
    let numbers = match report.outputs {
        1 => "the one number".to_owned(),
        n => format!("the {n} numbers"),
    };
    let families = report.attackers.iter().filter(|a| a.class.is_none()).count();
    let who = match families {
        1 => "the attacker".to_owned(),
        n => format!("the strongest of {n} attackers"),
    };
    format!(
        "<p class=\"lead\">From {numbers} that <b>{}</b> publishes about an item, {who} identifies \
         <b>{}</b> correctly <b>{} %</b> of the time; somebody who knows only the main label, {} %.</p>\n",
        escape(&report.network),
        escape(&report.attribute),
        percent(found.accuracy),
        percent(found.chance),
    ) + &super::precision::warning(report)
        + &super::people::warnings(report)
}

fn card(at: usize, report: &AuditReport) -> String {
    let mut out = format!(
        "<article class=\"card\" style=\"--c:var(--c{})\">\n<h2>{}</h2>\n\
         <p class=\"verdict\">{} about {}; {} training and {} test items</p>\n<dl>\n",
        at % 8,
        escape(&report.network),
        verdict(report),
        escape(&report.attribute),
        count(report.items.train),
        count(report.items.test),
    );
    let floor = report.controls.shuffled.as_ref();
    let pooled = &report.strongest_pooled;
    let compared = |finding: &Finding, floor: Option<&Finding>| {
        let mut text = format!("chance {} %", percent(finding.chance));
        if let Some(floor) = floor {
            let _ = write!(text, ", shuffled labels {} %", percent(floor.accuracy));
        }
        text
    };
    let mut beside = compared(pooled, floor.map(|f| &f.strongest_pooled));
    for control in &report.controls.others {
        let _ = write!(beside, ", {} {} %", escape(&control.name), percent(control.strongest_pooled.accuracy));
    }
    if let Some(found) = &report.strongest_balanced {
        let floor = floor.and_then(|control| control.strongest_balanced.as_ref());
        let told = match found.auc {
            Some(auc) => format!("by {}, area under the curve {auc:.3}", escape(&family(&found.family))),
            None => format!("by {}", escape(&family(&found.family))),
        };
        entry(
            &mut out,
            (at, "balanced"),
            "One item, main label known, values equally frequent",
            [found.accuracy, found.low, found.high, found.chance],
            &told,
            &compared(found, floor),
        );
    }
    entry(
        &mut out,
        (at, "one"),
        "One item, main label known",
        [pooled.accuracy, pooled.low, pooled.high, pooled.chance],
        &format!("by {}", escape(&family(&pooled.family))),
        &beside,
    );
    if let Some(found) = &report.strongest_class {
        let class = escape(found.class.as_deref().unwrap_or_default());
        entry(
            &mut out,
            (at, "class"),
            &format!("One item of the worst class, “{class}”"),
            [found.accuracy, found.low, found.high, found.chance],
            &format!("by {}", escape(&family(&found.family))),
            &compared(found, floor.and_then(|f| f.strongest_class.as_ref())),
        );
    }
    for vote in report.vote.iter().filter(|v| v.k > 1).rev().take(1) {
        let floor = floor.and_then(|f| f.vote.iter().find(|v| v.k == vote.k));
        let mut compared = format!("chance {} %", percent(vote.chance));
        if let Some(floor) = floor {
            let _ = write!(compared, ", shuffled labels {} %", percent(floor.accuracy));
        }
        entry(
            &mut out,
            (at, "vote"),
            &format!("{} items of one subject together", vote.k),
            [vote.accuracy, vote.low, vote.high, vote.chance],
            &format!("by {}", escape(&family(&vote.family))),
            &compared,
        );
    }
    let pooled_rows = report.attackers.iter().filter(|a| a.class.is_none());
    let row = pooled_rows.clone().find(|a| a.family == pooled.family);
    if let Some(row) = row {
        let _ = write!(
            out,
            "<dt>Bits about {} in one item</dt>\n<dd><span class=\"value\">{:.3}</span> \
             <span class=\"by\">and {:.2} % found at one false alarm in a thousand</span></dd>\n",
            escape(&report.attribute),
            row.bits,
            100.0 * row.tpr_at_fpr.unwrap_or(0.0),
        );
    }
    super::people::lines(&mut out, report);
    out.push_str("</dl>\n</article>\n");
    out
}

/// `figures` are accuracy, low, high and chance; `by` and `compared` are HTML.
fn entry(out: &mut String, id: (usize, &str), term: &str, figures: [f64; 4], by: &str, compared: &str) {
    let [accuracy, low, high, _] = figures;
    let bar = bar(id, figures);
    let _ = write!(
        out,
        "<dt>{term}</dt>\n<dd><span class=\"value\">{} %</span> <span class=\"by\">{by}</span>\n\
         {bar}<span class=\"by\">95 %: {}; {compared}</span></dd>\n",
        percent(accuracy),
        range(low, high),
    );
}

/// Interval on a track from 0 to 100 %, with a tick at chance.
fn bar(id: (usize, &str), [accuracy, low, high, chance]: [f64; 4]) -> String {
    let (at, name) = id;
    let title = format!("{accuracy:.1} percent");
    let description = format!("interval {low:.1} to {high:.1}, chance {chance:.1} percent");
    let mut svg = Svg::new(&format!("bar-{at}-{name}"), 300.0, 16.0, &title, &description);
    let scale = Scale { from: (0.0, 100.0), to: (0.0, 300.0) };
    svg.rect("track", (0.0, 6.0), (300.0, 4.0));
    let (from, to) = (scale.at(chance.min(accuracy)), scale.at(chance.max(accuracy)));
    svg.rect(&format!("f{}", at % 8), (from, 5.0), (to - from, 6.0));
    svg.line("chance", (scale.at(chance), 0.0), (scale.at(chance), 16.0));
    let class = format!("whisker s{}", at % 8);
    svg.line(&class, (scale.at(low), 8.0), (scale.at(high), 8.0));
    svg.mark(&format!("f{}", at % 8), 0, (scale.at(accuracy), 8.0), 4.5);
    svg.finish()
}
