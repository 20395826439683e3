//! Inputs next to their reconstructions from outputs.

use crate::block::Table;
use crate::picture::Picture;
use crate::text::{count, escape};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leakage::{AuditReport, Example, Reconstruction};
use std::fmt::Write;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let found: Vec<_> = reports.iter().filter_map(|r| r.reconstruction.as_ref().map(|x| (r, x))).collect();
    if found.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section>\n<h2>Rebuilding the input</h2>\n<p>A decoder reconstructs the input from outputs and main label. \
         The baseline is the mean picture of the main class, which needs no output; ranks are those of the true input \
         among candidates ordered by distance.</p>\n",
    );
    for (report, found) in found {
        if reports.len() > 1 {
            let _ = writeln!(out, "<h3>{}</h3>", escape(&report.network));
        }
        out.push_str(&figures(found));
        out.push_str("<div class=\"pictures\">\n");
        for (at, example) in found.examples.iter().enumerate() {
            out.push_str(&pair(found, example, at));
        }
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
    out
}

fn figures(found: &Reconstruction) -> String {
    let table =
        Table::new(["guess", "squared error per pixel", "structural similarity", "median rank"]).caption(format!(
            "{} training items, {} inputs sought among {} candidates; found first {:.1} % of the time",
            count(found.train),
            count(found.test),
            count(found.candidates),
            found.first
        ));
    let row = |name: &str, mse: f64, ssim: f64, rank: f64| {
        [name.to_owned(), format!("{mse:.4}"), format!("{ssim:.3}"), format!("{rank:.1}")]
    };
    table
        .row(row(&format!("rebuilt from outputs ({})", found.decoder), found.mse, found.ssim, found.median_rank))
        .row(row("mean of the main class", found.mse_class_mean, found.ssim_class_mean, found.median_rank_class_mean))
        .html()
}

/// Empty if the report's bytes are not a picture of the stated size.
fn pair(found: &Reconstruction, example: &Example, at: usize) -> String {
    let sides = [(&example.input, "input"), (&example.rebuilt, "rebuilt")];
    let pictures = sides.map(|(data, what)| {
        let pixels = STANDARD.decode(data).ok()?;
        Picture::grey(&pixels, found.across, found.height, &format!("{what} {}", at + 1))
    });
    pictures.iter().flatten().map(Picture::html).collect()
}
