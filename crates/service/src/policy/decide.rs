//! The decision on one request: a function of the policy, what is open already, and the evidence.

use std::collections::BTreeSet;

pub use quadratic::Opened;
use serde::Serialize;

use super::Policy;
use crate::hash::Hash;

/// A recorded audit.
#[derive(Clone, Debug)]
pub struct AuditEvidence {
    /// The network it is about.
    pub network: Hash,
    /// Hash of the signed file.
    pub audit: Hash,
    /// The collateral attribute.
    pub attribute: String,
    /// What attackers may reach, in percent: [`AuditSummary::high`](crate::audit::AuditSummary::high).
    pub high: f64,
    /// Name of the auditor when it was recorded.
    pub auditor: String,
    /// Seconds since 1970 when it was recorded.
    pub at: i64,
}

/// Everything a decision depends on.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The network.
    pub network: Hash,
    /// Whether it was registered.
    pub registered: bool,
    /// What is open now.
    pub before: Opened,
    /// What would be open with this key.
    pub after: Opened,
    /// Audits on record.
    pub audits: &'a [AuditEvidence],
    /// Names of different approvers who signed this request.
    pub approved_by: &'a BTreeSet<String>,
    /// Seconds since 1970.
    pub now: i64,
}

/// What the policy says, and what the key would add.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Every reason to refuse; none means that the key may be issued.
    pub refusals: Vec<String>,
    /// What is open now.
    pub before: Opened,
    /// What would be open with this key.
    pub after: Opened,
    /// Seconds since 1970 after which the key must not be used.
    pub expires: Option<i64>,
}

impl Policy {
    /// Decides on a request; every reason to refuse is listed, not only the first.
    pub fn decide(&self, request: &Request) -> Decision {
        let mut refusals = Vec::new();
        self.check_network(request, &mut refusals);
        self.check_limits(request, &mut refusals);
        self.check_audits(request, &mut refusals);
        self.check_approval(request, &mut refusals);
        let expires = self.valid_days().map(|days| request.now + i64::from(days) * 86_400);
        Decision { refusals, before: request.before, after: request.after, expires }
    }

    fn check_network(&self, request: &Request, refusals: &mut Vec<String>) {
        if !self.networks.allow.contains(&request.network) {
            refusals.push(format!("network {} is not in the policy's allow-list", request.network));
        }
        if !request.registered {
            refusals.push(format!("network {} is not registered", request.network));
        }
    }

    /// A function inside the span opened already adds nothing and is within every limit.
    fn check_limits(&self, request: &Request, refusals: &mut Vec<String>) {
        let Request { before, after, .. } = request;
        if after.rank > before.rank && after.rank > self.limits.rank {
            refusals.push(format!(
                "rank: {} functions are open under this public key, {} would be; the policy allows {}",
                before.rank, after.rank, self.limits.rank
            ));
        }
        if after.bits > before.bits && after.bits > self.limits.bits {
            refusals.push(format!(
                "bits: {:.1} are open under this public key, {:.1} would be; the policy allows {:.1}",
                before.bits, after.bits, self.limits.bits
            ));
        }
        if self.noise.required && after.noise_free > 0 {
            refusals.push(format!(
                "noise: {} independent combinations of the opened functions would be free of noise; \
                 the policy allows none",
                after.noise_free
            ));
        }
    }

    fn check_audits(&self, request: &Request, refusals: &mut Vec<String>) {
        let Some(audit) = &self.audit else { return };
        let oldest = request.now - i64::from(audit.max_age_days) * 86_400;
        for attribute in &audit.attributes {
            // The newest counts: an older, better one must not outlive a worse result.
            let newest = request
                .audits
                .iter()
                .filter(|found| found.network == request.network && found.attribute == *attribute)
                .filter(|found| audit.auditors.contains_key(&found.auditor))
                .max_by_key(|found| found.at);
            match newest {
                None => refusals.push(format!(
                    "audit: none on record for attribute '{attribute}' of network {}, signed by one of the policy's \
                     auditors",
                    request.network
                )),
                Some(found) if found.at < oldest => refusals.push(format!(
                    "audit: the one for attribute '{attribute}' is older than {} days",
                    audit.max_age_days
                )),
                Some(found) if found.high >= audit.strongest_below || found.high.is_nan() => refusals.push(format!(
                    "audit: the strongest attacker on '{attribute}' may reach {:.2} %; the policy demands less than \
                     {:.2} %",
                    found.high, audit.strongest_below
                )),
                Some(_) => {}
            }
        }
    }

    fn check_approval(&self, request: &Request, refusals: &mut Vec<String>) {
        let Some(approval) = &self.approval else { return };
        let Request { before, after, .. } = request;
        let above_rank = after.rank > before.rank && after.rank > approval.above_rank;
        let above_bits = after.bits > before.bits && after.bits > approval.above_bits;
        let signed = request.approved_by.iter().filter(|name| approval.approvers.contains_key(*name)).count();
        if (above_rank || above_bits) && signed < approval.people {
            refusals.push(format!(
                "approval: above rank {} or {:.1} bits, {} people must sign, {signed} did",
                approval.above_rank, approval.above_bits, approval.people
            ));
        }
    }
}
