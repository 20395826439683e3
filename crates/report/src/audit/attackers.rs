//! Every family's pooled accuracy with its interval.

use super::words::{family, networks};
use crate::legend::legend;
use crate::svg::{Scale, Svg, percent_range, tick};
use crate::text::percent;
use leakage::{AttackerScore, AuditReport};
use std::fmt::Write;

const LEFT: f64 = 200.0;
const WIDTH: f64 = 860.0;
const ROW: f64 = 20.0;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let mut out = String::from(
        "<section>\n<h2>Attackers with the main label given</h2>\n<p>Accuracy over all test items, with 95 % \
         intervals. The dashed line is chance, the grey band the range of the strongest attacker's interval on \
         shuffled labels.</p>\n",
    );
    if reports.len() > 1 {
        out.push_str(&legend(networks(reports), 0));
    }
    let _ = write!(out, "<figure>\n{}</figure>\n</section>\n", plot(reports));
    out
}

fn plot(reports: &[&AuditReport]) -> String {
    let pooled = |report: &AuditReport| -> Vec<AttackerScore> {
        report.attackers.iter().filter(|a| a.class.is_none()).cloned().collect()
    };
    let rows: Vec<Vec<AttackerScore>> = reports.iter().map(|r| pooled(r)).collect();
    // Families in the order of the last report, usually the defended one, strongest first.
    let mut names: Vec<(String, f64)> = Vec::new();
    for row in rows.iter().rev().flatten() {
        if names.iter().all(|(name, _)| *name != row.family) {
            names.push((row.family.clone(), row.accuracy));
        }
    }
    names.sort_by(|a, b| b.1.total_cmp(&a.1));
    let band = ROW * reports.len().max(1) as f64 * 0.55 + 12.0;
    let height = 34.0 + band * names.len() as f64;
    let floors = reports.iter().filter_map(|r| r.controls.shuffled.as_ref()).map(|c| &c.strongest_pooled);
    let all = rows.iter().flatten().flat_map(|a| [a.low, a.high, a.chance]);
    let scale =
        Scale { from: percent_range(all.chain(floors.flat_map(|f| [f.low, f.high]))), to: (LEFT, WIDTH - 60.0) };
    let title = "Accuracy of every attacker";
    let mut svg = Svg::new("attackers", WIDTH, height, title, &description(reports));
    for at in scale.ticks(7) {
        svg.line("grid", (scale.at(at), 22.0), (scale.at(at), height));
        svg.text("soft", "middle", (scale.at(at), 14.0), &format!("{} %", tick(at)));
    }
    let floor = reports.iter().filter_map(|r| r.controls.shuffled.as_ref()).map(|c| &c.strongest_pooled);
    for floor in floor.take(1) {
        let (from, to) = (scale.at(floor.low), scale.at(floor.high));
        svg.rect("floor", (from, 22.0), (to - from, height - 22.0));
    }
    for report in reports.iter().take(1) {
        let x = scale.at(report.strongest_pooled.chance);
        svg.line("chance", (x, 22.0), (x, height));
    }
    for (line, (name, _)) in names.iter().enumerate() {
        let middle = 30.0 + band * (line as f64 + 0.5);
        svg.text("", "end", (LEFT - 14.0, middle + 4.5), &family(name));
        for (at, rows) in rows.iter().enumerate() {
            let Some(row) = rows.iter().find(|r| r.family == *name) else { continue };
            let y = middle + (at as f64 - (reports.len() as f64 - 1.0) / 2.0) * ROW * 0.55;
            let class = format!("whisker s{}", at % 8);
            svg.line(&class, (scale.at(row.low), y), (scale.at(row.high), y));
            svg.mark(&format!("f{}", at % 8), at, (scale.at(row.accuracy), y), 4.2);
            svg.text("soft", "start", (scale.at(row.high) + 8.0, y + 4.0), &percent(row.accuracy));
        }
    }
    svg.finish()
}

fn description(reports: &[&AuditReport]) -> String {
    let each = reports.iter().map(|r| {
        let f = &r.strongest_pooled;
        format!("{}: strongest {} with {:.1} percent, chance {:.1} percent.", r.network, f.family, f.accuracy, f.chance)
    });
    each.collect::<Vec<_>>().join(" ")
}
