//! Accuracy against the number of items of one subject.

use super::words::networks;
use crate::legend::legend;
use crate::svg::{Scale, Svg, percent_range, tick};
use leakage::{AuditReport, Vote};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const TOP: f64 = 16.0;
const HEIGHT: f64 = 280.0;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    if reports.iter().all(|r| r.vote.len() < 2) {
        return String::new();
    }
    let mut out = String::from(
        "<section>\n<h2>Several items of one subject</h2>\n<p>Somebody with k items that share one value of the \
         attribute can combine their evidence. Small leaks grow with √k, so a service should limit the items per \
         subject. Dotted: the same with shuffled labels.</p>\n",
    );
    if reports.len() > 1 {
        out.push_str(&legend(networks(reports), 0));
    }
    let _ = write!(out, "<figure>\n{}</figure>\n</section>\n", plot(reports));
    out
}

fn plot(reports: &[&AuditReport]) -> String {
    let votes = || reports.iter().flat_map(|r| &r.vote);
    let most = votes().map(|v| v.k).max().unwrap_or(1).max(2) as f64;
    let y = Scale { from: percent_range(votes().flat_map(|v| [v.low, v.high, v.chance])), to: (HEIGHT, TOP) };
    let x = Scale { from: (0.0, most.ln()), to: (70.0, WIDTH - 70.0) };
    let at = |v: &Vote| (x.at((v.k as f64).ln()), y.at(v.accuracy));
    let each = reports.iter().filter_map(|r| r.vote.last().map(|v| (r, v)));
    let description: Vec<String> =
        each.map(|(r, v)| format!("{}: {:.1} percent from {} items.", r.network, v.accuracy, v.k)).collect();
    let title = "Accuracy on one subject against its number of items";
    let mut svg = Svg::new("vote", WIDTH, HEIGHT + 44.0, title, &description.join(" "));
    for value in y.ticks(5) {
        svg.line("grid", (56.0, y.at(value)), (WIDTH - 20.0, y.at(value)));
        svg.text("soft", "end", (50.0, y.at(value) + 4.0), &format!("{} %", tick(value)));
    }
    let mut ks: Vec<usize> = votes().map(|v| v.k).collect();
    ks.sort_unstable();
    ks.dedup();
    for k in ks {
        let place = x.at((k as f64).ln());
        svg.line("grid", (place, HEIGHT), (place, HEIGHT + 5.0));
        svg.text("soft", "middle", (place, HEIGHT + 20.0), &k.to_string());
    }
    svg.text("soft", "middle", (WIDTH / 2.0, HEIGHT + 40.0), "items of one subject, k");
    if let Some(vote) = votes().next() {
        svg.line("chance", (56.0, y.at(vote.chance)), (WIDTH - 20.0, y.at(vote.chance)));
    }
    for (i, report) in reports.iter().enumerate() {
        let class = i % 8;
        if let Some(control) = &report.controls.shuffled {
            let points: Vec<(f64, f64)> = control.vote.iter().map(at).collect();
            svg.path(&format!("curve dashed s{class}"), &points);
        }
        let points: Vec<(f64, f64)> = report.vote.iter().map(at).collect();
        svg.path(&format!("curve s{class}"), &points);
        for vote in &report.vote {
            let (place, height) = at(vote);
            svg.line(&format!("whisker s{class}"), (place, y.at(vote.low)), (place, y.at(vote.high)));
            svg.mark(&format!("f{class}"), i, (place, height), 4.2);
        }
        if let Some(last) = report.vote.last() {
            let (place, height) = at(last);
            svg.text("", "start", (place + 10.0, height + 4.5), &format!("{:.1}", last.accuracy));
        }
    }
    svg.finish()
}
