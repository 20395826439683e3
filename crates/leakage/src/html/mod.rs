//! The report as one self-contained HTML page: no script, no external file, pictures as SVG.
//!
//! The first screen says what can be learned, by whom, how surely and compared with what; plots,
//! tables and the method follow. Every text that comes from outside is escaped.

mod attackers;
mod block;
mod classes;
mod cloud;
mod growth;
mod method;
mod pairs;
mod picture;
mod reconstruction;
mod scatter;
mod summary;
mod svg;
mod tables;
mod text;
mod vote;

pub use block::{Block, Section, Table};
pub use picture::Picture;
pub use scatter::{Dot, Scatter};

use crate::report::AuditReport;
use std::fmt::Write;
use text::escape;

/// One or several reports side by side (undefended beside defended), and sections of one's own.
///
/// ```
/// # fn page(undefended: &leakage::AuditReport, defended: &leakage::AuditReport) -> String {
/// use leakage::{Page, Section, Table};
///
/// let timings = Table::new(["step", "ms"]).row(["encrypt", "412"]);
/// Page::new("Drawn digits")
///     .report(undefended)
///     .report(defended)
///     .section(Section::new("Timings").table(timings))
///     .html()
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Page<'a> {
    title: String,
    reports: Vec<&'a AuditReport>,
    sections: Vec<Section>,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Page<'a> {
        Page { title: title.into(), ..Page::default() }
    }

    /// Adds a report; those of one page are compared in the order given.
    pub fn report(mut self, report: &'a AuditReport) -> Page<'a> {
        self.reports.push(report);
        self
    }

    /// Adds a section, shown between the summary and the plots.
    pub fn section(mut self, section: Section) -> Page<'a> {
        self.sections.push(section);
        self
    }

    /// The whole page.
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let mut out = String::with_capacity(1 << 18);
        out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
        let style = include_str!("style.css");
        let _ = write!(out, "<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n");
        let _ = write!(out, "<header>\n<h1>{title}</h1>\n</header>\n<main>\n");
        if !self.reports.is_empty() {
            out.push_str(&summary::section(&self.reports));
        }
        for section in &self.sections {
            out.push_str(&section.html());
        }
        if !self.reports.is_empty() {
            out.push_str(&attackers::section(&self.reports));
            out.push_str(&classes::section(&self.reports));
            out.push_str(&vote::section(&self.reports));
            out.push_str(&growth::section(&self.reports));
            out.push_str(&pairs::section(&self.reports));
            out.push_str(&cloud::section(&self.reports));
            out.push_str(&reconstruction::section(&self.reports));
            out.push_str(&tables::section(&self.reports));
            out.push_str(&method::section(&self.reports));
        }
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }
}

impl AuditReport {
    /// This report alone as a self-contained HTML page.
    pub fn html(&self, title: &str) -> String {
        Page::new(title).report(self).html()
    }
}
