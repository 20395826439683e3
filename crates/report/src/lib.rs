//! Findings as one self-contained HTML page: no script, no external file, pictures as SVG.
//!
//! A [`Page`] shows audits side by side, and custom sections. For audits, the first screen says what can be learned, by
//! whom, with what certainty and compared with what; plots, tables and the method follow. Every text that comes from
//! outside is escaped.
//!
//! | to show | use |
//! |---|---|
//! | the findings of an audit | [`Page::report`] |
//! | a proved bound for every attacker | [`Page::certificate`] |
//! | text, tables, pictures | [`Section`], [`Table`], [`Picture`] |
//! | points of two figures each | [`Scatter`], [`Dot`] |
//!
//! ```
//! use report::{Dot, Page, Scatter, Section, Table};
//!
//! let timings = Table::of(["step", "ms"], [["encrypt", "412"], ["evaluate", "96"]]);
//! let scatter = Scatter {
//!     title: "Accuracy against cost".into(),
//!     groups: vec!["networks".into()],
//!     dots: vec![Dot { x: 1.0, y: 98.5, size: 1.0, label: "<small>".into(), group: 0 }],
//!     ..Scatter::default()
//! };
//! let html = Page::new("Drawn digits").section(Section::new("Timings").table(timings).scatter(scatter)).html();
//! assert!(html.contains("<td class=\"n\">412</td>") && html.contains("&lt;small&gt;"));
//! ```

#![warn(missing_debug_implementations)]

mod audit;
mod block;
mod legend;
mod page;
mod picture;
mod scatter;
mod svg;
mod text;

pub use block::{Section, Table};
pub use page::Page;
pub use picture::Picture;
pub use scatter::{Dot, Scatter};
