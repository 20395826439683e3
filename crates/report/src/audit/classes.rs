//! The strongest attacker within each main class.

use super::words::networks;
use crate::legend::legend;
use crate::svg::{Scale, Svg, percent_range, tick};
use leakage::{AttackerScore, AuditReport};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const TOP: f64 = 16.0;
const HEIGHT: f64 = 250.0;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let shown = reports.iter().any(|r| r.strongest_class.is_some());
    if !shown {
        return String::new();
    }
    let mut out = String::from(
        "<section>\n<h2>Within each main class</h2>\n<p>For every class the family that did best on held-out training \
         items, scored on test items, with 95 % intervals; the dashed lines are chance.</p>\n",
    );
    if reports.len() > 1 {
        out.push_str(&legend(networks(reports), 0));
    }
    let _ = write!(out, "<figure>\n{}</figure>\n</section>\n", plot(reports));
    out
}

/// Per class of the report the row with the largest held-out accuracy.
fn best(report: &AuditReport) -> Vec<&AttackerScore> {
    let of = |class: &String| {
        let rows = report.attackers.iter().filter(|a| a.class.as_ref() == Some(class));
        rows.reduce(|a, b| if b.held_out > a.held_out { b } else { a })
    };
    report.main_classes.iter().filter_map(of).collect()
}

fn plot(reports: &[&AuditReport]) -> String {
    let rows: Vec<Vec<&AttackerScore>> = reports.iter().map(|r| best(r)).collect();
    let mut classes: Vec<&String> = Vec::new();
    for class in rows.iter().flatten().filter_map(|r| r.class.as_ref()) {
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    let y =
        Scale { from: percent_range(rows.iter().flatten().flat_map(|a| [a.low, a.high, a.chance])), to: (HEIGHT, TOP) };
    let step = (WIDTH - 70.0) / classes.len().max(1) as f64;
    let worst = reports.iter().filter_map(|r| r.strongest_class.as_ref().map(|f| (r, f)));
    let description: Vec<String> = worst
        .map(|(r, f)| {
            let class = f.class.as_deref().unwrap_or_default();
            format!("{}: worst class {class} with {:.1} percent by {}.", r.network, f.accuracy, f.family)
        })
        .collect();
    let title = "Strongest attacker within each main class";
    let mut svg = Svg::new("classes", WIDTH, HEIGHT + 44.0, title, &description.join(" "));
    for at in y.ticks(5) {
        svg.line("grid", (50.0, y.at(at)), (WIDTH - 10.0, y.at(at)));
        svg.text("soft", "end", (44.0, y.at(at) + 4.0), &format!("{} %", tick(at)));
    }
    for (column, class) in classes.iter().enumerate() {
        let left = 56.0 + step * column as f64;
        let middle = left + step / 2.0;
        // Many classes: every name that fits.
        let every = (classes.len() / 30 + 1).max(1);
        if column % every == 0 {
            let short: String = class.chars().take((step / 7.0).max(2.0) as usize).collect();
            svg.text("", "middle", (middle, HEIGHT + 20.0), &short);
        }
        for (at, rows) in rows.iter().enumerate() {
            let Some(row) = rows.iter().find(|r| r.class.as_ref() == Some(*class)) else { continue };
            if at == 0 {
                svg.line("chance", (left, y.at(row.chance)), (left + step, y.at(row.chance)));
            }
            let gap = (step * 0.6 / reports.len() as f64).min(14.0);
            let x = middle + (at as f64 - (reports.len() as f64 - 1.0) / 2.0) * gap;
            svg.line(&format!("whisker s{}", at % 8), (x, y.at(row.low)), (x, y.at(row.high)));
            svg.mark(&format!("f{}", at % 8), at, (x, y.at(row.accuracy)), 4.2);
        }
    }
    svg.text("soft", "middle", (WIDTH / 2.0, HEIGHT + 40.0), "main class");
    svg.finish()
}
