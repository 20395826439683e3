//! Sections that a caller adds to a page.

use super::picture::Picture;
use super::scatter::Scatter;
use super::text::escape;
use std::fmt::Write;

/// A titled part of the page.
#[derive(Debug, Clone, Default)]
pub struct Section {
    title: String,
    blocks: Vec<Block>,
}

/// The content of a section; texts are escaped when they are written.
#[derive(Debug, Clone)]
enum Block {
    Text(String),
    Table(Table),
    Pictures(Vec<Picture>),
    Scatter(Scatter),
}

impl Section {
    /// An empty section.
    pub fn new(title: impl Into<String>) -> Section {
        Section { title: title.into(), blocks: Vec::new() }
    }

    /// Adds a paragraph.
    pub fn text(self, text: impl Into<String>) -> Section {
        self.block(Block::Text(text.into()))
    }

    /// Adds a table.
    pub fn table(self, table: Table) -> Section {
        self.block(Block::Table(table))
    }

    /// Adds a row of pictures.
    pub fn pictures(self, pictures: Vec<Picture>) -> Section {
        self.block(Block::Pictures(pictures))
    }

    /// Adds a plot of points.
    pub fn scatter(self, scatter: Scatter) -> Section {
        self.block(Block::Scatter(scatter))
    }

    fn block(mut self, block: Block) -> Section {
        self.blocks.push(block);
        self
    }

    /// `number` is the section's number on its page.
    pub(super) fn html(&self, number: usize) -> String {
        let mut out = format!("<section>\n<h2>{}</h2>\n", escape(&self.title));
        for (at, block) in self.blocks.iter().enumerate() {
            match block {
                Block::Text(text) => {
                    let _ = writeln!(out, "<p>{}</p>", escape(text));
                }
                Block::Table(table) => out.push_str(&table.html()),
                Block::Pictures(pictures) => {
                    out.push_str("<div class=\"pictures\">\n");
                    pictures.iter().for_each(|p| out.push_str(&p.html()));
                    out.push_str("</div>\n");
                }
                Block::Scatter(scatter) => out.push_str(&scatter.html(&format!("scatter-{number}-{at}"))),
            }
        }
        out.push_str("</section>\n");
        out
    }
}

/// A table of text; columns whose cells all start with a digit or sign are right-aligned.
#[derive(Debug, Clone, Default)]
pub struct Table {
    caption: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub fn new<T: Into<String>>(columns: impl IntoIterator<Item = T>) -> Table {
        Table { columns: columns.into_iter().map(Into::into).collect(), ..Table::default() }
    }

    /// A table of these column heads and rows.
    pub fn of<C: Into<String>, T: Into<String>, R: IntoIterator<Item = T>>(
        columns: impl IntoIterator<Item = C>,
        rows: impl IntoIterator<Item = R>,
    ) -> Table {
        rows.into_iter().fold(Table::new(columns), Table::row)
    }

    /// Sets the caption.
    pub fn caption(mut self, caption: impl Into<String>) -> Table {
        self.caption = caption.into();
        self
    }

    /// Adds a row; missing cells stay empty, surplus ones are dropped.
    pub fn row<T: Into<String>>(mut self, cells: impl IntoIterator<Item = T>) -> Table {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self
    }

    pub(super) fn html(&self) -> String {
        let numeric: Vec<bool> = (0..self.columns.len())
            .map(|column| {
                let mut cells = self.rows.iter().filter_map(|row| row.get(column));
                let number = |c: char| c.is_ascii_digit() || "+-−.–±".contains(c);
                !self.rows.is_empty() && cells.all(|c| c.chars().next().is_none_or(number))
            })
            .collect();
        let class = |column: usize| if numeric[column] { " class=\"n\"" } else { "" };
        let mut out = String::from("<div class=\"scroll\"><table>\n");
        if !self.caption.is_empty() {
            let _ = writeln!(out, "<caption>{}</caption>", escape(&self.caption));
        }
        out.push_str("<thead><tr>");
        for (i, name) in self.columns.iter().enumerate() {
            let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(i), escape(name));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for i in 0..self.columns.len() {
                let cell = escape(row.get(i).map_or("", String::as_str));
                let _ = match i {
                    0 => write!(out, "<th scope=\"row\"{}>{cell}</th>", class(i)),
                    _ => write!(out, "<td{}>{cell}</td>", class(i)),
                };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table></div>\n");
        out
    }
}
