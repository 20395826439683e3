//! The proved bound next to the measured accuracy: the truth lies between.

use crate::svg::{Scale, Svg};
use crate::text::{escape, percent};
use leakage::AuditReport;
use leakage::certificate::Certificate;
use std::fmt::Write;

/// Items of one subject that are shown in addition to one item.
const TOGETHER: u32 = 20;

pub(super) fn section(at: usize, report: &AuditReport, certificate: &Certificate) -> String {
    let found = &report.strongest_pooled;
    let attribute = escape(&report.attribute);
    let mut out = format!(
        "<section>\n<h2>Proved about {}</h2>\n<p class=\"lead\">No attacker, known or not, identifies <b>{attribute}</b> of \
         one item more than <b>{} %</b> of the time, with confidence {} %.</p>\n<dl>\n",
        escape(&report.network),
        above(certificate.pooled.bound),
        100.0 * certificate.confidence,
    );
    entry(&mut out, (at, 1), Some(found.accuracy), certificate.pooled.bound, found.chance);
    if let Some(vote) = certificate.votes.iter().find(|vote| vote.k == TOGETHER) {
        let same = report.vote.iter().find(|found| found.k as u64 == u64::from(vote.k));
        let chance = same.map_or(found.chance, |found| found.chance);
        // An audit's votes take items of random main classes.
        entry(&mut out, (at, TOGETHER), same.map(|found| found.accuracy), vote.mixed.unwrap_or(vote.bound), chance);
        if vote.mixed.is_some() {
            let _ = writeln!(out, "<dt>… of whatever main classes</dt>\n<dd>proved {} %</dd>", above(vote.bound));
        }
    }
    let _ = write!(
        out,
        "<dt>About any attribute, including those that nobody listed</dt>\n<dd>at most {} bits an item</dd>\n</dl>\n\
         <details><summary>What this rests on</summary>\n<ul>\n",
        above(certificate.maximal_leakage_bits)
    );
    for assumption in &certificate.assumptions {
        let _ = writeln!(out, "<li>{}</li>", escape(assumption));
    }
    out.push_str("</ul>\n</details>\n</section>\n");
    out
}

/// A bound is never rounded down.
fn above(bound: f64) -> String {
    percent((10.0 * bound).ceil() / 10.0)
}

/// One bar: guessing, the strongest attacker found, and the proved bound.
fn entry(out: &mut String, (at, items): (usize, u32), found: Option<f64>, bound: f64, chance: f64) {
    let term = if items == 1 { "One item".to_owned() } else { format!("{items} items of one subject") };
    let text = match found {
        Some(found) => {
            format!("found {} % ≤ true ≤ proved {} %; guessing {} %", percent(found), above(bound), percent(chance))
        }
        None => format!("true ≤ proved {} %; guessing {} %", above(bound), percent(chance)),
    };
    let title = format!("proved {} percent", above(bound));
    let mut svg = Svg::new(&format!("proved-{at}-{items}"), 300.0, 16.0, &title, &text);
    let scale = Scale { from: (0.0, 100.0), to: (0.0, 300.0) };
    svg.rect("track", (0.0, 6.0), (300.0, 4.0));
    let from = found.unwrap_or(chance).min(bound);
    svg.rect(&format!("f{}", at % 8), (scale.at(from), 5.0), (scale.at(bound) - scale.at(from), 6.0));
    svg.line("chance", (scale.at(chance), 0.0), (scale.at(chance), 16.0));
    if let Some(found) = found {
        svg.mark(&format!("f{}", at % 8), 0, (scale.at(found), 8.0), 4.5);
    }
    let _ = write!(out, "<dt>{term}</dt>\n<dd>{}<span class=\"by\">{}</span></dd>\n", svg.finish(), escape(&text));
}
