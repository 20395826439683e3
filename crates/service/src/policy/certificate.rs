//! A policy's requirements on certificates.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::audit::CertificateSummary;

/// The bounds that a certificate must keep. Accuracies are in percent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CertificateDemand {
    pooled_below: f64,
    #[serde(default)]
    class_below: Option<f64>,
    /// Numbers of items of one subject, in decimal.
    #[serde(default)]
    votes: BTreeMap<String, f64>,
    #[serde(default = "usual")]
    confidence: f64,
    #[serde(default)]
    maximal_leakage_bits: Option<f64>,
}

impl CertificateDemand {
    /// The first field that makes no sense, with its value.
    pub fn unsound(&self) -> Option<(&'static str, String)> {
        let percent = |value: f64| value > 0.0 && value <= 100.0;
        let sound = |items: &str, bound: f64| items.parse::<u64>().is_ok_and(|items| items > 0) && percent(bound);
        if !percent(self.pooled_below) {
            return Some(("certificate.pooled_below", self.pooled_below.to_string()));
        }
        if let Some(value) = self.class_below.filter(|value| !percent(*value)) {
            return Some(("certificate.class_below", value.to_string()));
        }
        if let Some((items, bound)) = self.votes.iter().find(|(items, bound)| !sound(items, **bound)) {
            return Some(("certificate.votes", format!("{items} = {bound}")));
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Some(("certificate.confidence", self.confidence.to_string()));
        }
        let bits = self.maximal_leakage_bits.filter(|value| !(*value >= 0.0 && value.is_finite()));
        bits.map(|value| ("certificate.maximal_leakage_bits", value.to_string()))
    }

    /// Adds a reason for everything that a certificate lacks. NaN meets no bound.
    pub fn check(&self, attribute: &str, found: Option<&CertificateSummary>, refusals: &mut Vec<String>) {
        let Some(found) = found else {
            refusals.push(format!(
                "certificate: none in the audit for attribute '{attribute}'; ask the auditor to run `halflight audit \
                 --certify`"
            ));
            return;
        };
        let mut demand = |what: String, bound: Option<f64>, below: f64| match bound {
            Some(bound) if bound < below => {}
            Some(bound) => refusals.push(format!(
                "certificate: an attacker on '{attribute}' may reach {bound:.2} % {what}; the policy demands less than \
                 {below:.2} %",
                bound = (100.0 * bound).ceil() / 100.0
            )),
            None => refusals.push(format!("certificate: the one for '{attribute}' has no bound {what}")),
        };
        demand("on single items".into(), Some(found.pooled.bound), self.pooled_below);
        if let Some(below) = self.class_below {
            demand("within a main class".into(), Some(found.worst_class()), below);
        }
        for (items, below) in &self.votes {
            let bound = items.parse().ok().and_then(|items| found.vote_at(items));
            demand(format!("from {items} items of one subject"), bound, *below);
        }
        if found.confidence.is_nan() || found.confidence < self.confidence {
            refusals.push(format!(
                "certificate: the one for '{attribute}' holds with confidence {}; the policy demands {}",
                found.confidence, self.confidence
            ));
        }
        if let Some(most) = self
            .maximal_leakage_bits
            .filter(|most| found.maximal_leakage_bits.is_nan() || found.maximal_leakage_bits > *most)
        {
            refusals.push(format!(
                "certificate: an item may reveal {:.1} bits about any attribute; the policy allows {most:.1}",
                (10.0 * found.maximal_leakage_bits).ceil() / 10.0
            ));
        }
    }
}

fn usual() -> f64 {
    0.999
}
