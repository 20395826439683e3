//! Accuracy against the number of training items, and the code length.

use super::words::{family, networks};
use crate::legend::legend;
use crate::svg::{Scale, Svg, percent_range, tick};
use crate::text::{count, escape};
use leakage::AuditReport;
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const TOP: f64 = 16.0;
const HEIGHT: f64 = 240.0;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    if reports.iter().all(|r| r.growth.len() < 2) {
        return String::new();
    }
    let mut out = String::from(
        "<section>\n<h2>More training items, stronger attackers</h2>\n<p>The strongest family trained on growing parts \
         of the items. Where the curve still rises at its end, an attacker with more items learns more than this \
         report says.</p>\n",
    );
    if reports.len() > 1 {
        out.push_str(&legend(networks(reports), 0));
    }
    let _ = write!(out, "<figure>\n{}</figure>\n", plot(reports));
    for report in reports {
        let Some(code) = &report.code_length else { continue };
        let _ = writeln!(
            out,
            "<p>To send <b>{}</b> of all training items of <b>{}</b> to someone who has outputs and main labels takes \
             {:.4} bits per item with {}, learning included; {:.4} without outputs.</p>",
            escape(&report.attribute),
            escape(&report.network),
            code.bits_per_item,
            escape(&family(&code.family)),
            code.without_outputs,
        );
    }
    out.push_str("</section>\n");
    out
}

fn plot(reports: &[&AuditReport]) -> String {
    let points = || reports.iter().flat_map(|r| &r.growth);
    let (least, most) = points().fold((usize::MAX, 2), |(l, m), g| (l.min(g.train), m.max(g.train)));
    let chances = reports.iter().map(|r| r.strongest_pooled.chance);
    let y = Scale { from: percent_range(points().flat_map(|g| [g.low, g.high]).chain(chances)), to: (HEIGHT, TOP) };
    let x = Scale { from: ((least as f64).ln(), (most as f64 + 1.0).ln()), to: (70.0, WIDTH - 70.0) };
    let each = reports.iter().filter_map(|r| r.growth.first().zip(r.growth.last()).map(|(a, b)| (r, a, b)));
    let description: Vec<String> = each
        .map(|(r, a, b)| {
            let (from, to) = (a.accuracy, b.accuracy);
            format!("{}: {from:.1} percent from {} items, {to:.1} from {}.", r.network, a.train, b.train)
        })
        .collect();
    let title = "Accuracy against training items";
    let mut svg = Svg::new("growth", WIDTH, HEIGHT + 44.0, title, &description.join(" "));
    for value in y.ticks(5) {
        svg.line("grid", (56.0, y.at(value)), (WIDTH - 20.0, y.at(value)));
        svg.text("soft", "end", (50.0, y.at(value) + 4.0), &format!("{} %", tick(value)));
    }
    let mut sizes: Vec<usize> = points().map(|g| g.train).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for size in sizes {
        let place = x.at((size as f64).ln());
        svg.line("grid", (place, HEIGHT), (place, HEIGHT + 5.0));
        svg.text("soft", "middle", (place, HEIGHT + 20.0), &count(size));
    }
    svg.text("soft", "middle", (WIDTH / 2.0, HEIGHT + 40.0), "training items");
    for report in reports.iter().take(1) {
        let chance = y.at(report.strongest_pooled.chance);
        svg.line("chance", (56.0, chance), (WIDTH - 20.0, chance));
    }
    for (i, report) in reports.iter().enumerate() {
        let class = i % 8;
        let place = |g: &leakage::Growth| (x.at((g.train as f64).ln()), y.at(g.accuracy));
        svg.path(&format!("curve s{class}"), &report.growth.iter().map(place).collect::<Vec<_>>());
        for g in &report.growth {
            let (left, height) = place(g);
            svg.line(&format!("whisker s{class}"), (left, y.at(g.low)), (left, y.at(g.high)));
            svg.mark(&format!("f{class}"), i, (left, height), 4.2);
        }
    }
    svg.finish()
}
