//! Frames, axes and marks shared by the plots.

use super::text::escape;
use std::fmt::Write;

/// A drawing with a title and a description for screen readers.
pub(super) struct Svg {
    id: String,
    width: f64,
    height: f64,
    title: String,
    description: String,
    body: String,
}

impl Svg {
    /// `id` must be unique on the page.
    pub fn new(id: &str, width: f64, height: f64, title: &str, description: &str) -> Svg {
        Svg {
            id: id.to_owned(),
            width,
            height,
            title: title.to_owned(),
            description: description.to_owned(),
            body: String::new(),
        }
    }

    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    pub fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        let ((x, y), (w, h)) = (corner, size);
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\"/>"
        );
    }

    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut data = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(data, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        let _ = writeln!(self.body, "<path class=\"{class}\" d=\"{data}\"/>");
    }

    /// A mark whose shape (0 disc, 1 square, 2 triangle, 3 diamond) carries the same information as its colour.
    pub fn mark(&mut self, class: &str, shape: usize, at: (f64, f64), size: f64) {
        let (x, y) = at;
        let s = size * 0.9;
        let _ = match shape % 4 {
            0 => writeln!(self.body, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size:.1}\"/>"),
            1 => writeln!(
                self.body,
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                x - s,
                y - s,
                2.0 * s,
                2.0 * s
            ),
            2 => writeln!(
                self.body,
                "<path class=\"{class}\" d=\"M{x:.1} {:.1}l{:.1} {:.1}h{:.1}z\"/>",
                y - size * 1.15,
                size * 1.1,
                size * 2.0,
                -size * 2.2
            ),
            _ => writeln!(
                self.body,
                "<path class=\"{class}\" d=\"M{x:.1} {:.1}l{:.1} {:.1}l{:.1} {:.1}l{:.1} {:.1}z\"/>",
                y - size * 1.3,
                size * 1.3,
                size * 1.3,
                -size * 1.3,
                size * 1.3,
                -size * 1.3,
                -size * 1.3
            ),
        };
    }

    /// `anchor` is `start`, `middle` or `end`; the text is escaped.
    pub fn text(&mut self, class: &str, anchor: &str, at: (f64, f64), text: &str) {
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.0,
            at.1,
            escape(text)
        );
    }

    /// The element; `natural` keeps it at its size on wide screens.
    pub fn finish(self) -> String {
        let Svg { id, width, height, title, description, body } = self;
        format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             style=\"max-width:{width:.0}px\">\n<title id=\"{id}-t\">{}</title>\n\
             <desc id=\"{id}-d\">{}</desc>\n{body}</svg>\n",
            escape(&title),
            escape(&description)
        )
    }
}

/// A linear scale from values to pixels.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub from: (f64, f64),
    pub to: (f64, f64),
}

impl Scale {
    pub fn at(&self, value: f64) -> f64 {
        let share = (value - self.from.0) / (self.from.1 - self.from.0);
        self.to.0 + share * (self.to.1 - self.to.0)
    }

    /// About `wanted` round values within the range.
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        let span = self.from.1 - self.from.0;
        let rough = span / wanted as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .map(|m| m * power)
            .into_iter()
            .find(|s| *s >= rough * 0.999)
            .unwrap_or(10.0 * power);
        let first = (self.from.0 / step - 1e-9).ceil() as i64;
        let last = (self.from.1 / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// A range of percentages that holds all values, extended to round ends within 0 to 100.
pub(super) fn percent_range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((100.0, 0.0), |(l, h): (f64, f64), v| (l.min(v), h.max(v)));
    let span = (high - low).max(4.0);
    let step = if span > 25.0 {
        10.0
    } else if span > 10.0 {
        5.0
    } else {
        1.0
    };
    let low = ((low - 0.04 * span) / step).floor() * step;
    let high = ((high + 0.04 * span) / step).ceil() * step;
    (low.max(0.0), high.min(100.0).max(low + 1.0))
}

/// `54` or `52.5`.
pub(super) fn tick(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
