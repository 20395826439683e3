//! What the noise alone guarantees, with the necessary warning.

use crate::text::escape;
use leakage::AuditReport;
use std::fmt::Write;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let found: Vec<_> = reports.iter().filter_map(|r| r.noise.as_ref().map(|bound| (r, bound))).collect();
    if found.is_empty() {
        return String::new();
    }
    let mut out = String::from("<section>\n<h2>What the noise guarantees on its own</h2>\n");
    for (report, bound) in found {
        let deviations: Vec<String> = bound.deviations.iter().map(|deviation| format!("{deviation:.0}")).collect();
        let _ = writeln!(
            out,
            "<p>Owners add noise to every output of <b>{}</b>, of deviations {}. Two items of one main class and \
             different <b>{}</b> lie {:.3} apart in total variation (median of {} pairs; 95 % lie within {:.3}): \
             the best possible attacker distinguishes such a pair with {:.1} % accuracy. For {:.0} % of the pairs the \
             noise guarantees nothing at all.</p>",
            escape(&report.network),
            escape(&deviations.join(", ")),
            escape(&report.attribute),
            bound.median,
            bound.pairs,
            bound.p95,
            50.0 * (1.0 + bound.median),
            100.0 * bound.vacuous,
        );
    }
    out.push_str(
        "<p>Near 1 this bound is empty: where a network is accurate, outputs differ by more than the noise. What \
         protects then is that both values' outputs have the same distribution, which the attackers above test and no \
         arithmetic proves. Every further function of the same item, and every further encryption of it, takes \
         from the noise: squared distances add up.</p>\n</section>\n",
    );
    out
}
