//! Marks with names.

use crate::text::escape;
use std::fmt::Write;

/// A list of marks in the order of `names`; `hue` shifts their colours.
pub(crate) fn legend<'a>(names: impl IntoIterator<Item = &'a str>, hue: usize) -> String {
    let mut out = String::from("<ul class=\"legend\">\n");
    for (at, name) in names.into_iter().enumerate() {
        let key = key(at, hue);
        let _ = writeln!(out, "<li><svg aria-hidden=\"true\" viewBox=\"0 0 14 14\">{key}</svg>{}</li>", escape(name));
    }
    out.push_str("</ul>\n");
    out
}

/// One mark as an SVG element.
fn key(at: usize, hue: usize) -> String {
    let class = format!("f{}", (at + hue) % 8);
    match at % 4 {
        0 => format!("<circle class=\"{class}\" cx=\"7\" cy=\"7\" r=\"5\"/>"),
        1 => format!("<rect class=\"{class}\" x=\"2.5\" y=\"2.5\" width=\"9\" height=\"9\"/>"),
        2 => format!("<path class=\"{class}\" d=\"M7 1.5l5.5 10h-11z\"/>"),
        _ => format!("<path class=\"{class}\" d=\"M7 .5l6.5 6.5l-6.5 6.5l-6.5 -6.5z\"/>"),
    }
}
