//! How much finer the outputs are than anything accounts for.

use crate::Table;
use crate::text::escape;
use leakage::AuditReport;
use std::fmt::Write;

/// The warning of the first screen, if there is one.
pub(super) fn warning(report: &AuditReport) -> String {
    let warning = report.precision.as_ref().and_then(|precision| precision.warning.as_ref());
    warning.map_or_else(String::new, |text| format!("<p class=\"warning\"><b>Warning:</b> {}.</p>\n", escape(text)))
}

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let found: Vec<_> = reports.iter().filter_map(|r| r.precision.as_ref().map(|precision| (r, precision))).collect();
    if found.is_empty() {
        return String::new();
    }
    let mut out = String::from("<section>\n<h2>How fine the outputs are</h2>\n");
    for (report, precision) in found {
        let needed = precision.needed_bits.map_or_else(|| "–".to_owned(), |bits| format!("{bits:.0}"));
        let mut table = Table::new(["output", "range on the data", "bits opened", "needed", "under noise", "idle"])
            .caption(format!("Outputs of {}", report.network));
        for (at, output) in precision.outputs.iter().enumerate() {
            table = table.row([
                at.to_string(),
                format!("{} to {}", output.low, output.high),
                format!("{:.1}", output.opened_bits),
                needed.clone(),
                format!("{:.1}", output.noise_bits),
                format!("{:.1}", output.idle_bits),
            ]);
        }
        let _ = writeln!(out, "{}", table.html());
    }
    out.push_str(
        "<p>A key opens outputs to the last bit. <i>Needed</i>: the least number of bits of each output at which a \
         quadratic discriminant predicts the main label as well. <i>Under noise</i>: the entropy of what owners add. \
         The rest is <i>idle</i>. Idle bits are not a leak, but room for one: a network can hide anything in them, and \
         attackers find only what they look for.</p>\n</section>\n",
    );
    out
}
