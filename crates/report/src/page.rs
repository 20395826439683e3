//! The page, from the first screen to the method.

use super::audit;
use super::block::Section;
use super::text::escape;
use leakage::AuditReport;
use leakage::certificate::Certificate;
use std::fmt::Write;

/// One or several reports side by side (an undefended network next to a defended one), and custom sections.
#[derive(Debug, Clone, Default)]
pub struct Page<'a> {
    title: String,
    reports: Vec<&'a AuditReport>,
    certificates: Vec<(usize, &'a Certificate)>,
    sections: Vec<Section>,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Page<'a> {
        Page { title: title.into(), ..Page::default() }
    }

    /// Adds a report; the reports of one page are compared in the given order.
    pub fn report(mut self, report: &'a AuditReport) -> Page<'a> {
        self.reports.push(report);
        self
    }

    /// Adds the certificate for the outputs of the last report, shown on the first screen.
    pub fn certificate(mut self, certificate: &'a Certificate) -> Page<'a> {
        self.certificates.extend(self.reports.len().checked_sub(1).map(|report| (report, certificate)));
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
            out.push_str(&audit::summary(&self.reports));
        }
        for &(report, certificate) in &self.certificates {
            out.push_str(&audit::certified(report, self.reports[report], certificate));
        }
        for (number, section) in self.sections.iter().enumerate() {
            out.push_str(&section.html(number));
        }
        if !self.reports.is_empty() {
            out.push_str(&audit::details(&self.reports));
        }
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }
}
