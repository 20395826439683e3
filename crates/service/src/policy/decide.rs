//! The decision on one request: a function of the policy, of what is already open, and of the evidence.

use std::collections::BTreeSet;

pub use quadratic::Opened;
use serde::{Deserialize, Serialize};

use super::Policy;
use crate::approval::Subject;
use crate::audit::{CertificateSummary, Evidence};
use crate::clock;
use crate::hash::Hash;
use crate::signature::VerifyingKey;

/// How far the clocks of auditor and authority may be apart, in seconds.
const CLOCKS: i64 = 86_400;

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
    /// The same if every value were as frequent: [`AuditSummary::balanced_high`](crate::audit::AuditSummary::balanced_high);
    /// none where the audit does not say, or the file was not read.
    pub balanced: Option<f64>,
    /// Name of the auditor when it was recorded.
    pub auditor: String,
    /// Its key; none where it was recorded before keys were, and the file was not read.
    pub key: Option<VerifyingKey>,
    /// When the auditor signed and on how much the audit rests; none where it signed neither.
    pub evidence: Option<Evidence>,
    /// The certificate in the signed file; none if the auditor certified nothing, or the file was not read.
    pub certificate: Option<CertificateSummary>,
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
    /// Whether the holder has no key of this network under this public key yet.
    pub new_holder: bool,
    /// Different holders of keys under this public key, this one included.
    pub holders: usize,
    /// Whether functions of other networks are open under this public key: a certificate of one network bounds what its
    /// own outputs tell, not what they tell together with others.
    pub others_open: bool,
    /// Seconds since 1970.
    pub now: i64,
}

/// What the policy says, and what the key would add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Every reason to refuse; none means that the key may be issued.
    pub refusals: Vec<String>,
    /// What is open now.
    pub before: Opened,
    /// What would be open with this key.
    pub after: Opened,
    /// Seconds since 1970 after which the key must not be used.
    pub expires: Option<i64>,
    /// The audits that count for the network.
    pub audits: Vec<CountedAudit>,
    /// The text that approvers would sign; none if the decision is about no project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Subject>,
}

/// An audit that counts, as approvers see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountedAudit {
    /// Hash of the signed file.
    pub audit: Hash,
    /// The collateral attribute.
    pub attribute: String,
    /// What attackers may reach, in percent.
    pub high: f64,
    /// Name of the auditor in the policy.
    pub auditor: String,
    /// Upper bound for every attacker on one item, in percent, where one was certified.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certified: Option<f64>,
    /// When it was signed and on how much it rests.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<Evidence>,
}

impl Policy {
    /// Decides on a request; every reason to refuse is listed, not only the first.
    pub fn decide(&self, request: &Request) -> Decision {
        let mut refusals = Vec::new();
        self.check_network(request, &mut refusals);
        self.check_limits(request, &mut refusals);
        self.check_audits(request, &mut refusals);
        self.check_certificates(request, &mut refusals);
        self.check_approval(request, &mut refusals);
        let expires = self.valid_days().map(|days| request.now + i64::from(days) * 86_400);
        let audits = self.counted(request).into_iter().map(|(name, found)| CountedAudit {
            audit: found.audit,
            attribute: found.attribute.clone(),
            high: found.high,
            auditor: name.to_owned(),
            certified: found.certificate.as_ref().map(|certificate| certificate.pooled.bound),
            evidence: found.evidence.clone(),
        });
        let audits = audits.collect();
        Decision { refusals, before: request.before, after: request.after, expires, audits, approval: None }
    }

    fn check_network(&self, request: &Request, refusals: &mut Vec<String>) {
        if !self.allows(request.network) {
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
        if let Some(allowed) = self.limits.unnoised_bits
            && after.unnoised_bits > before.unnoised_bits
            && after.unnoised_bits > allowed
        {
            refusals.push(format!(
                "unnoised bits: {:.1} that no noise covers are open under this public key, {:.1} would be; the policy allows \
                 {allowed:.1}; compile with more noise or with fewer bits",
                before.unnoised_bits, after.unnoised_bits
            ));
        }
        if request.new_holder && request.holders > self.limits.holders {
            refusals.push(format!(
                "holders: {} would have keys under this public key; the policy allows {}",
                request.holders, self.limits.holders
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

    /// The audit that counts for each attribute demanded, with the name of its auditor: the newest by an auditor's key,
    /// since an older, better one must not outlive a worse result; of two of one date the worse one.
    pub fn counted<'a>(&self, request: &Request<'a>) -> Vec<(&str, &'a AuditEvidence)> {
        let Some(audit) = &self.audit else { return Vec::new() };
        let newest = |attribute: &String| {
            let by_auditor = request
                .audits
                .iter()
                .filter(|found| found.network == request.network && found.attribute == *attribute)
                .filter_map(|found| Some((self.auditor(found.key.as_ref()?)?, found)));
            by_auditor.max_by(|(_, a), (_, b)| {
                let worse = a.high.total_cmp(&b.high).then(a.bound().total_cmp(&b.bound()));
                a.date().cmp(&b.date()).then(worse)
            })
        };
        audit.attributes.iter().filter_map(newest).collect()
    }

    fn check_audits(&self, request: &Request, refusals: &mut Vec<String>) {
        let Some(audit) = &self.audit else { return };
        let counted = self.counted(request);
        for attribute in &audit.attributes {
            match counted.iter().find(|(_, found)| found.attribute == *attribute) {
                None => refusals.push(format!(
                    "audit: none recorded for attribute '{attribute}' of network {}, signed by one of the policy's \
                     auditors",
                    request.network
                )),
                Some((_, found)) => self.check_audit(audit, found, request.now, refusals),
            }
        }
    }

    fn check_audit(&self, audit: &super::Audit, found: &AuditEvidence, now: i64, refusals: &mut Vec<String>) {
        let attribute = &found.attribute;
        match &found.evidence {
            None if !audit.undated => refusals.push(format!(
                "audit: the one for attribute '{attribute}' has no signed date; ask the auditor to sign it again, or \
                 write undated = true under [audit]"
            )),
            Some(evidence) if evidence.date > now + CLOCKS => refusals.push(format!(
                "audit: the one for attribute '{attribute}' is dated {}, which is in the future",
                clock::utc(evidence.date)
            )),
            _ => {}
        }
        if found.date() < now - i64::from(audit.max_age_days) * 86_400 {
            refusals
                .push(format!("audit: the one for attribute '{attribute}' is older than {} days", audit.max_age_days));
        }
        if found.high >= audit.strongest_below || found.high.is_nan() {
            refusals.push(format!(
                "audit: the strongest attacker on '{attribute}' may reach {:.2} %; the policy demands less than {:.2} %",
                found.high, audit.strongest_below
            ));
        }
        match (audit.balanced_below, found.balanced) {
            (Some(_), None) => refusals.push(format!(
                "audit: the one for attribute '{attribute}' has no balanced accuracy, which the policy demands; \
                 audit again"
            )),
            (Some(most), Some(high)) if high >= most || high.is_nan() => refusals.push(format!(
                "audit: the strongest attacker on '{attribute}' may reach a balanced accuracy of {high:.2} %; the policy \
                 demands less than {most:.2} %"
            )),
            _ => {}
        }
        let evidence = found.evidence.as_ref();
        let least = [
            ("attackers", audit.min_attackers, evidence.map_or(0, |evidence| evidence.attackers)),
            ("items", audit.min_items, evidence.map_or(0, |evidence| evidence.items)),
            ("seeds", audit.min_seeds, evidence.map_or(0, |evidence| evidence.seeds)),
        ];
        for (what, least, given) in least.into_iter().filter(|(_, least, given)| given < least) {
            refusals.push(format!(
                "audit: the one for attribute '{attribute}' is based on {given} {what}; the policy demands {least}"
            ));
        }
        let panel = evidence.and_then(|evidence| evidence.panel.as_deref());
        if let Some(demanded) = audit.panel.filter(|demanded| !demanded.is_met(panel)) {
            refusals.push(format!(
                "audit: the one for attribute '{attribute}' is by {}; the policy demands the {} panel",
                panel.map_or_else(|| "no known panel".to_owned(), |panel| format!("the {panel} panel")),
                demanded.name()
            ));
        }
    }

    fn check_certificates(&self, request: &Request, refusals: &mut Vec<String>) {
        let Some(demanded) = &self.certificate else { return };
        if request.others_open {
            refusals.push(
                "certificate: functions of other networks are open under this public key, and no certificate covers \
                 all together; rotate the project, or open them in one network"
                    .into(),
            );
        }
        // Where no audit counts, the audits were refused already.
        for (_, found) in self.counted(request) {
            demanded.check(&found.attribute, found.certificate.as_ref(), refusals);
        }
    }

    fn check_approval(&self, request: &Request, refusals: &mut Vec<String>) {
        let Some(approval) = &self.approval else { return };
        let Request { before, after, .. } = request;
        // To a new holder everything is new, whoever else has it already; and who has it gets it for longer, which the
        // people who signed until a day have not signed.
        let new = !request.new_holder || approval.new_holders;
        let above_rank = (new || after.rank > before.rank) && after.rank > approval.above_rank;
        let above_bits = (new || after.bits > before.bits) && after.bits > approval.above_bits;
        let signed = request.approved_by.iter().filter(|name| approval.approvers.contains_key(*name)).count();
        if (above_rank || above_bits) && signed < approval.people {
            refusals.push(format!(
                "approval: above rank {} or {:.1} bits, {} people must sign, but {signed} did",
                approval.above_rank, approval.above_bits, approval.people
            ));
        }
    }
}

impl AuditEvidence {
    /// Upper bound for every attacker, in percent; 100 without a certificate.
    fn bound(&self) -> f64 {
        self.certificate.as_ref().map_or(100.0, |certificate| certificate.pooled.bound)
    }

    /// When it was signed; where the auditor signed no date, when it was recorded.
    pub fn date(&self) -> i64 {
        self.evidence.as_ref().map_or(self.at, |evidence| evidence.date)
    }
}
