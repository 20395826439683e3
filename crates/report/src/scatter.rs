//! Points of two figures each, in groups, with labels.

use super::legend::legend;
use super::svg::{Scale, Svg, tick};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 380.0;
const TOP: f64 = 16.0;
/// Radii of the largest and of the smallest dot.
const RADII: (f64, f64) = (11.0, 3.5);

/// A plot of points: two axes, each in its own units, and groups that differ in colour and shape.
#[derive(Debug, Clone, Default)]
pub struct Scatter {
    /// Description of the plot, for screen readers.
    pub title: String,
    /// Name of the horizontal axis.
    pub across: String,
    /// Name of the vertical axis.
    pub up: String,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// A height to compare with, such as chance.
    pub level: Option<f64>,
    /// The points.
    pub dots: Vec<Dot>,
}

/// One point.
#[derive(Debug, Clone, Default)]
pub struct Dot {
    /// Place on the horizontal axis.
    pub x: f64,
    /// Place on the vertical axis.
    pub y: f64,
    /// Area, relative to the largest.
    pub size: f64,
    /// Label of the point.
    pub label: String,
    /// Number of its group.
    pub group: usize,
}

impl Scatter {
    /// `id` must be unique on the page.
    pub(super) fn html(&self, id: &str) -> String {
        let finite = |dot: &&Dot| dot.x.is_finite() && dot.y.is_finite();
        let dots: Vec<&Dot> = self.dots.iter().filter(finite).collect();
        if dots.is_empty() {
            return String::new();
        }
        let x = Scale { from: range(dots.iter().map(|dot| dot.x)), to: (70.0, WIDTH - 130.0) };
        let y = Scale { from: range(dots.iter().map(|dot| dot.y).chain(self.level)), to: (HEIGHT, TOP) };
        let each: Vec<String> = dots.iter().map(|dot| format!("{}: {:.2}, {:.2}.", dot.label, dot.x, dot.y)).collect();
        let mut svg = Svg::new(id, WIDTH, HEIGHT + 44.0, &self.title, &each.join(" "));
        for value in y.ticks(6) {
            svg.line("grid", (56.0, y.at(value)), (WIDTH - 20.0, y.at(value)));
            svg.text("soft", "end", (50.0, y.at(value) + 4.0), &tick(value));
        }
        for value in x.ticks(6) {
            svg.line("grid", (x.at(value), HEIGHT), (x.at(value), HEIGHT + 5.0));
            svg.text("soft", "middle", (x.at(value), HEIGHT + 20.0), &tick(value));
        }
        svg.text("soft", "middle", (WIDTH / 2.0, HEIGHT + 40.0), &self.across);
        svg.text("soft", "start", (56.0, TOP - 4.0), &self.up);
        if let Some(level) = self.level {
            svg.line("chance", (56.0, y.at(level)), (WIDTH - 20.0, y.at(level)));
        }
        let largest = dots.iter().map(|dot| dot.size).fold(f64::MIN_POSITIVE, f64::max);
        for dot in &dots {
            let place = (x.at(dot.x), y.at(dot.y));
            let radius = RADII.1 + (RADII.0 - RADII.1) * (dot.size.max(0.0) / largest).sqrt();
            svg.mark(&format!("f{}", dot.group % 8), dot.group, place, radius);
            svg.text("soft", "start", (place.0 + radius + 3.0, place.1 + 4.0), &dot.label);
        }
        let legend = legend(self.groups.iter().map(String::as_str), 0);
        format!("{legend}<figure>\n{}</figure>\n", svg.finish())
    }
}

/// A range that holds all values, a little wider.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let room = 0.06 * (high - low).max(0.5);
    (low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dot_and_no_markup_from_outside() {
        let dot = |x, label: &str| Dot { x, y: 50.0, size: 1.0, label: label.into(), group: 1 };
        let scatter = Scatter { dots: vec![dot(1.0, "<b>"), dot(f64::NAN, "lost")], ..Scatter::default() };
        let html = scatter.html("one");
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>") && !html.contains("lost"));
        assert!(Scatter::default().html("two").is_empty());
    }
}
