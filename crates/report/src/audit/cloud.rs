//! Pictures of the outputs.

use crate::legend::legend;
use crate::svg::{Scale, Svg};
use crate::text::escape;
use leakage::{AuditReport, Points};
use std::fmt::Write;

const SIDE: f64 = 400.0;
/// The attribute's colours start here, so that they are not taken for the networks'.
const HUE: usize = 4;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let mut out = String::from(
        "<section>\n<h2>What the outputs look like</h2>\n<p>Test items, each a mark. Left: all main classes along the \
         two directions that separate them best. Right: the worst class alone, along the directions that separate the \
         attribute best; where the colours mix, nothing can be seen. Attackers use all outputs, not only these two \
         directions.</p>\n",
    );
    for (at, report) in reports.iter().enumerate() {
        if reports.len() > 1 {
            let _ = writeln!(out, "<h3>{}</h3>", escape(&report.network));
        }
        out.push_str("<div class=\"columns\">\n");
        let _ = write!(out, "<figure>\n{}</figure>\n", overall(at, report));
        if let Some(points) = &report.cloud.class {
            let _ = write!(out, "<figure>\n{}{}</figure>\n", within(at, report, points), values(report));
        }
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
    out
}

fn overall(at: usize, report: &AuditReport) -> String {
    let points = &report.cloud.overall;
    let description = format!("{} test items coloured by main class", points.x.len());
    let title = format!("Outputs of {} by main class", report.network);
    let mut svg = Svg::new(&format!("cloud-{at}"), SIDE, SIDE, &title, &description);
    let [x, y] = scales(points);
    for i in shown(points, [x, y]) {
        let class = points.main[i] as usize;
        let place = (x.at(points.x[i] as f64), y.at(points.y[i] as f64));
        svg.mark(&format!("dot f{}", class % 8), class / 8, place, 2.2);
    }
    for (class, name) in report.main_classes.iter().enumerate() {
        let mut sums = (0.0, 0.0, 0.0);
        for i in (0..points.x.len()).filter(|&i| points.main[i] as usize == class) {
            sums = (sums.0 + points.x[i] as f64, sums.1 + points.y[i] as f64, sums.2 + 1.0);
        }
        if sums.2 > 0.0 {
            let place = (x.at(sums.0 / sums.2), y.at(sums.1 / sums.2) + 4.0);
            svg.text("name", "middle", place, &name.chars().take(12).collect::<String>());
        }
    }
    svg.finish()
}

fn within(at: usize, report: &AuditReport, points: &Points) -> String {
    let class = report.strongest_class.as_ref().and_then(|f| f.class.clone()).unwrap_or_default();
    let title = format!("Outputs of {} within class {class} by {}", report.network, report.attribute);
    let description = format!("{} test items of class {class} coloured by {}", points.x.len(), report.attribute);
    let mut svg = Svg::new(&format!("class-{at}"), SIDE, SIDE, &title, &description);
    let [x, y] = scales(points);
    for i in shown(points, [x, y]) {
        let value = points.collateral[i] as usize;
        let place = (x.at(points.x[i] as f64), y.at(points.y[i] as f64));
        svg.mark(&format!("dot f{}", (value + HUE) % 8), value, place, 3.0);
    }
    svg.finish()
}

/// Names of the attribute's values next to their colours.
fn values(report: &AuditReport) -> String {
    let class = report.strongest_class.as_ref().and_then(|f| f.class.as_deref()).unwrap_or_default();
    let mut out = format!("<figcaption>Class “{}” only. ", escape(class));
    out.push_str("</figcaption>\n");
    out.push_str(&legend(report.collateral_classes.iter().map(String::as_str), HUE));
    out
}

/// Points within the drawing.
fn shown(points: &Points, [x, y]: [Scale; 2]) -> impl Iterator<Item = usize> + '_ {
    let inside = |at: f64| (4.0..=SIDE - 4.0).contains(&at);
    (0..points.x.len()).filter(move |&i| inside(x.at(points.x[i] as f64)) && inside(y.at(points.y[i] as f64)))
}

/// Scales that leave out the outermost half percent on each side, so that one outlier does not
/// squeeze the rest.
fn scales(points: &Points) -> [Scale; 2] {
    [(&points.x, (14.0, SIDE - 14.0)), (&points.y, (SIDE - 14.0, 14.0))].map(|(values, to)| {
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        let at = |share: f64| sorted.get((share * (sorted.len().max(1) - 1) as f64) as usize).copied();
        let low = at(0.005).unwrap_or(0.0) as f64;
        let high = at(0.995).unwrap_or(1.0) as f64;
        Scale { from: (low, high.max(low + 1e-9)), to }
    })
}
