//! What people and machines see: results on stdout, progress on stderr.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Result;
use host::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// How results and progress are printed.
#[derive(Clone, Copy)]
pub struct Console {
    json: bool,
    quiet: bool,
}

impl Console {
    /// `json`: one JSON object on stdout, nothing else; `quiet`: no progress on stderr.
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Prints a result: `value` as JSON for machines, `text` for people.
    ///
    /// A closed pipe ends the output, not the command.
    pub fn result<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<()> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { text() };
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// One line on stderr about the step that begins.
    pub fn step(&self, message: &str) {
        if !self.quiet {
            eprintln!("{message}");
        }
    }

    /// One important line on stderr.
    pub fn warn(&self, message: &str) {
        eprintln!("warning: {message}");
    }

    /// A progress bar on stderr, hidden if stderr is not a terminal; the work sets its length.
    pub fn bar(&self, message: &str) -> Bar {
        self.bar_with("  {msg} {wide_bar} {pos}/{len} {eta}", message)
    }

    /// The same for rows, with the rate per second.
    pub fn rate(&self, message: &str) -> Bar {
        self.bar_with("  {msg} {wide_bar} {pos}/{len} rows, {per_sec} {eta}", message)
    }

    fn bar_with(&self, template: &str, message: &str) -> Bar {
        if self.quiet {
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar(bar)
    }
}

/// A bar that libraries advance; it is removed when dropped.
pub struct Bar(ProgressBar);

impl Bar {
    /// Removes the bar.
    pub fn finish_and_clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, steps: u64) {
        self.0.set_position(0);
        self.0.set_length(steps);
    }

    fn advance(&self, steps: u64) {
        self.0.inc(steps);
    }

    fn note(&self, words: &str) {
        self.0.set_message(words.to_owned());
    }
}

/// A table with a header, aligned for a terminal.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}

/// Bytes in a readable unit.
pub fn bytes(count: usize) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
