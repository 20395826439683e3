//! A signed audit: a leakage report bound to exactly one compiled network by the auditor's signature.
//!
//! ```json
//! {"format": "halflight signed audit", "version": 2, "network": "9f…", "report": "{…}", "evidence": "{…}",
//!  "auditor": "ed25519:3b…", "signature": "…"}
//! ```
//!
//! `report` is the text of the JSON report, unchanged so that the signature stays checkable; `evidence` states its date
//! and the amount of data ([`Evidence`]). Version 1 has none: such an audit is undated.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::files::{self, FileError};
use crate::hash::{Hash, to_hex};
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const UNDATED: &str = "halflight signed audit v1";
const DOMAIN: &str = "halflight signed audit v2";
const FORMAT: &str = "halflight signed audit";
/// Maximum size of a signed audit, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// A leakage report that an auditor vouches for.
#[derive(Clone, Debug)]
pub struct SignedAudit {
    file: File,
    summary: AuditSummary,
    evidence: Option<Evidence>,
}

/// When an audit was made, and on how much it rests, as the auditor signs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Seconds since 1970 when the auditor signed.
    pub date: i64,
    /// Hash of the data that attackers learned from and were scored on, where the auditor says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<Hash>,
    /// The panel of attackers, if it was `quick` or `full`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub panel: Option<String>,
    /// Attacker configurations, each once.
    pub attackers: u64,
    /// Items that attackers were scored on.
    pub items: u64,
    /// Whole runs of the panel.
    pub seeds: u64,
}

/// The size that a report states for itself; old reports state none.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Sizes {
    attackers: Vec<Attacker>,
    items: Items,
    seeds: Vec<u64>,
}

#[derive(Deserialize)]
struct Attacker {
    family: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Items {
    test: u64,
}

/// The figures of a report that a policy and an odometer look at. Accuracies are in percent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AuditSummary {
    /// The collateral attribute.
    pub attribute: String,
    /// The strongest attacker.
    pub strongest: Figure,
    /// The strongest over all items, and within a main class; old reports lack these three fields.
    #[serde(default)]
    pub strongest_pooled: Option<Figure>,
    /// As above.
    #[serde(default)]
    pub strongest_class: Option<Figure>,
    /// The largest accuracy over all items, with an interval that holds for every family at once.
    #[serde(default)]
    pub highest_pooled: Option<Figure>,
    /// The strongest if every value were as frequent, and the largest; accuracies are balanced ones.
    #[serde(default)]
    pub strongest_balanced: Option<Figure>,
    /// As above.
    #[serde(default)]
    pub highest_balanced: Option<Figure>,
    /// What k items of one subject reveal.
    #[serde(default)]
    pub vote: Vec<VoteFigure>,
    /// Upper bound for every attacker, where the auditor certified one.
    #[serde(default)]
    pub certificate: Option<CertificateSummary>,
}

/// The bounds of a certificate that a policy looks at. Bounds are in percent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CertificateSummary {
    /// Chance, from 0 to 1, that all bounds hold at once.
    pub confidence: f64,
    /// All main classes alike.
    pub pooled: BoundFigure,
    /// Every main class.
    pub classes: Vec<BoundFigure>,
    /// k items of one subject.
    pub votes: Vec<VoteBoundFigure>,
    /// Maximum information in one item's outputs about any attribute, in bits.
    pub maximal_leakage_bits: f64,
}

/// An upper bound.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BoundFigure {
    /// Percent.
    pub bound: f64,
}

/// An upper bound for k items of one subject.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct VoteBoundFigure {
    /// Items of the subject.
    pub k: u64,
    /// Percent.
    pub bound: f64,
}

/// An accuracy with its 95 % interval.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Figure {
    /// Family of the attacker.
    pub family: String,
    /// Accuracy, percent.
    pub accuracy: f64,
    /// Upper end of its interval, percent.
    pub high: f64,
    /// Accuracy without the output, percent.
    pub chance: f64,
}

/// Accuracy on one subject from k items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoteFigure {
    /// Items of the subject.
    pub k: u64,
    /// Accuracy, percent.
    pub accuracy: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u32,
    network: Hash,
    report: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    evidence: Option<String>,
    auditor: VerifyingKey,
    signature: String,
}

/// A signed audit that cannot be made, read or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// It cannot be read or written.
    #[error("audit {0}")]
    File(#[from] FileError),
    /// It is not a signed audit.
    #[error("audit: not a signed audit: {0}; make one with `halflight audit` and sign it")]
    Format(String),
    /// The report inside is invalid.
    #[error("audit: its report cannot be used: {0}")]
    Report(String),
    /// The signature does not hold.
    #[error("audit: {0}")]
    Signature(#[from] SignatureError),
    /// A path, for context.
    #[error("{path}: {source}")]
    At {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<AuditError>,
    },
}

impl SignedAudit {
    /// Signs the JSON text of a report about `network`, and on what it rests.
    ///
    /// # Errors
    /// The text is not a report.
    pub fn sign(network: Hash, report: &str, evidence: &Evidence, key: &SigningKey) -> Result<Self, AuditError> {
        let summary = summarise(report)?;
        let text = serde_json::to_string(evidence).map_err(|error| AuditError::Report(error.to_string()))?;
        let signature = key.sign(DOMAIN, &[&network.0, report.as_bytes(), text.as_bytes()]);
        let file = File {
            format: FORMAT.into(),
            version: 2,
            network,
            report: report.to_owned(),
            evidence: Some(text),
            auditor: key.verifying_key(),
            signature: to_hex(&signature),
        };
        Ok(Self { file, summary, evidence: Some(evidence.clone()) })
    }

    /// Reads one and checks that its auditor signed this report for this network. Whether that auditor is trusted is
    /// for the policy to say.
    ///
    /// # Errors
    /// [`AuditError`]: no signed audit, no report inside, or a signature that does not hold.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AuditError> {
        if bytes.len() > MAX_BYTES {
            return Err(AuditError::Format(format!("{} bytes, more than {MAX_BYTES}", bytes.len())));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| AuditError::Format(error.to_string()))?;
        if file.format != FORMAT || file.version != if file.evidence.is_some() { 2 } else { 1 } {
            return Err(AuditError::Format(format!("format '{}', version {}", file.format, file.version)));
        }
        let signature = parse_signature(&file.signature)?;
        let (network, report) = (&file.network.0[..], file.report.as_bytes());
        let evidence = match &file.evidence {
            None => {
                file.auditor.verify(UNDATED, &[network, report], &signature, "the audit")?;
                None
            }
            Some(text) => {
                file.auditor.verify(DOMAIN, &[network, report, text.as_bytes()], &signature, "the audit")?;
                Some(serde_json::from_str(text).map_err(|error| AuditError::Format(format!("evidence: {error}")))?)
            }
        };
        let summary = summarise(&file.report)?;
        Ok(Self { file, summary, evidence })
    }

    /// As [`SignedAudit::from_bytes`], from a file.
    ///
    /// # Errors
    /// As there, with the path.
    pub fn load(path: &Path) -> Result<Self, AuditError> {
        let bytes = files::read(path, MAX_BYTES as u64)?;
        Self::from_bytes(&bytes).map_err(|source| AuditError::At { path: path.to_owned(), source: source.into() })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and hashes only: cannot fail.
        serde_json::to_vec_pretty(&self.file).unwrap_or_default()
    }

    /// The network it is about.
    pub fn network(&self) -> Hash {
        self.file.network
    }

    /// Who signed.
    pub fn auditor(&self) -> &VerifyingKey {
        &self.file.auditor
    }

    /// The figures that count.
    pub fn summary(&self) -> &AuditSummary {
        &self.summary
    }

    /// When it was made and on how much it rests; none in one from before auditors signed that.
    pub fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_ref()
    }

    /// The whole report, JSON.
    pub fn report(&self) -> &str {
        &self.file.report
    }
}

impl Evidence {
    /// Evidence of this moment: the sizes that a report says, which is the JSON text of one, and what the auditor adds.
    ///
    /// # Errors
    /// The text is not a report.
    pub fn now(report: &str, data: Option<Hash>, panel: Option<&str>) -> Result<Self, AuditError> {
        let sizes: Sizes = serde_json::from_str(report).map_err(|error| AuditError::Report(error.to_string()))?;
        let families: std::collections::BTreeSet<_> = sizes.attackers.iter().map(|found| &found.family).collect();
        Ok(Self {
            date: clock::now(),
            data,
            panel: panel.map(str::to_owned),
            attackers: families.len() as u64,
            items: sizes.items.test,
            seeds: sizes.seeds.len() as u64,
        })
    }
}

impl AuditSummary {
    /// What attackers may reach, percent: the largest upper end among the strongest of both scopes and the highest over
    /// all items. `strongest` alone is chosen on few items, and a lucky class can hide a sure leak.
    pub fn high(&self) -> f64 {
        let others = [&self.strongest_pooled, &self.strongest_class, &self.highest_pooled];
        others.into_iter().flatten().map(|figure| figure.high).fold(self.strongest.high, f64::max)
    }

    /// What attackers may reach if every value were as frequent, percent; none in reports that do not say.
    pub fn balanced_high(&self) -> Option<f64> {
        let figures = [&self.strongest_balanced, &self.highest_balanced].into_iter().flatten();
        figures.map(|figure| figure.high).reduce(f64::max)
    }

    /// What `items` items of one subject reveal: the accuracy at the smallest audited k that is not smaller, so
    /// that it is never understated within the range audited.
    pub fn vote_at(&self, items: u64) -> Option<f64> {
        let not_smaller = self.vote.iter().filter(|vote| vote.k >= items).min_by_key(|vote| vote.k);
        not_smaller.or_else(|| self.vote.iter().max_by_key(|vote| vote.k)).map(|vote| vote.accuracy)
    }
}

impl CertificateSummary {
    /// The largest bound of a main class.
    pub fn worst_class(&self) -> f64 {
        // NaN counts as the largest value, so that it fails every limit.
        let larger = |worst: f64, bound: f64| if bound > worst || bound.is_nan() { bound } else { worst };
        self.classes.iter().map(|class| class.bound).fold(self.pooled.bound, larger)
    }

    /// The bound for `items` items of one subject: that of the smallest certified k that is not smaller.
    pub fn vote_at(&self, items: u64) -> Option<f64> {
        let not_smaller = self.votes.iter().filter(|vote| vote.k >= items);
        not_smaller.min_by_key(|vote| vote.k).map(|vote| vote.bound)
    }

    fn check(&self) -> Result<(), AuditError> {
        let bounds = self.classes.iter().chain([&self.pooled]).map(|found| found.bound);
        let sound = bounds.chain(self.votes.iter().map(|vote| vote.bound)).all(|bound| (0.0..=100.0).contains(&bound));
        if sound
            && !self.classes.is_empty()
            && (0.0..=1.0).contains(&self.confidence)
            && self.maximal_leakage_bits >= 0.0
        {
            return Ok(());
        }
        Err(AuditError::Report(
            "certificate: no class, bounds that are not percentages, or a confidence that is not between 0 and 1"
                .into(),
        ))
    }
}

fn summarise(report: &str) -> Result<AuditSummary, AuditError> {
    let summary: AuditSummary = serde_json::from_str(report).map_err(|error| AuditError::Report(error.to_string()))?;
    let others = [
        &summary.strongest_pooled,
        &summary.strongest_class,
        &summary.highest_pooled,
        &summary.strongest_balanced,
        &summary.highest_balanced,
    ];
    for &Figure { accuracy, high, chance, .. } in others.into_iter().flatten().chain([&summary.strongest]) {
        if ![accuracy, high, chance].iter().all(|value| (0.0..=100.0).contains(value)) || high < accuracy {
            return Err(AuditError::Report(format!("strongest: accuracy {accuracy}, high {high}: not percentages")));
        }
    }
    summary.certificate.as_ref().map_or(Ok(()), CertificateSummary::check)?;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"attribute":"font","strongest":{"family":"forest","accuracy":54.0,"high":55.5,"chance":50},
        "vote":[{"k":1,"accuracy":54.0},{"k":21,"accuracy":70.0}],"more":1}"#;

    #[test]
    fn a_signature_binds_report_and_network() {
        let key = SigningKey::generate().unwrap();
        let evidence = Evidence { panel: Some("quick".into()), ..Evidence::now(REPORT, None, None).unwrap() };
        let signed = SignedAudit::sign(Hash([7; 32]), REPORT, &evidence, &key).unwrap();
        let bytes = signed.to_bytes();
        let read = SignedAudit::from_bytes(&bytes).unwrap();
        assert_eq!(read.summary().attribute, "font");
        assert_eq!(read.summary().vote_at(2), Some(70.0));
        assert_eq!(read.summary().vote_at(500), Some(70.0));
        assert_eq!(read.summary().high(), 55.5);
        let pooled = r#""highest_pooled":{"family":"qda","accuracy":56.0,"high":57.5,"chance":50},"vote""#;
        let wider = SignedAudit::sign(Hash([7; 32]), &REPORT.replace("\"vote\"", pooled), &evidence, &key).unwrap();
        assert_eq!(wider.summary().high(), 57.5);
        assert_eq!(wider.summary().balanced_high(), None);
        let balanced = pooled.replace("highest_pooled", "highest_balanced");
        let told = SignedAudit::sign(Hash([7; 32]), &REPORT.replace("\"vote\"", &balanced), &evidence, &key).unwrap();
        assert_eq!((told.summary().high(), told.summary().balanced_high()), (55.5, Some(57.5)));
        assert!(SignedAudit::sign(Hash([7; 32]), &REPORT.replace("55.5", "NaN"), &evidence, &key).is_err());
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in
            [("54.0", "51.0"), ("quick", "queer"), (&Hash([7; 32]).to_string(), &Hash([8; 32]).to_string())]
        {
            assert!(text.contains(from));
            let changed = SignedAudit::from_bytes(text.replace(from, to).as_bytes());
            assert!(matches!(changed, Err(AuditError::Signature(SignatureError::Wrong { .. }))), "{changed:?}");
        }
        assert!(SignedAudit::from_bytes(b"{}").is_err());
        assert!(SignedAudit::sign(Hash([7; 32]), "{\"attribute\":\"font\"}", &evidence, &key).is_err());
    }
    #[test]
    fn the_sizes_of_a_report_are_what_the_auditor_signs() {
        let report = r#"{"attribute":"font","strongest":{"family":"a","accuracy":54,"high":55,"chance":50},
            "attackers":[{"family":"a","scope":"pooled"},{"family":"a","scope":"class"},{"family":"b","scope":"pooled"}],
            "items":{"train":9,"test":400},"seeds":[0,1,2]}"#;
        let evidence = Evidence::now(report, Some(Hash([1; 32])), Some("full")).unwrap();
        assert_eq!((evidence.attackers, evidence.items, evidence.seeds), (2, 400, 3));
        let key = SigningKey::generate().unwrap();
        let signed = SignedAudit::sign(Hash([7; 32]), report, &evidence, &key).unwrap();
        assert_eq!(SignedAudit::from_bytes(&signed.to_bytes()).unwrap().evidence(), Some(&evidence));
    }

    #[test]
    fn an_audit_of_before_is_read_and_undated() {
        let key = SigningKey::generate().unwrap();
        let signature = to_hex(&key.sign(UNDATED, &[&[7; 32], REPORT.as_bytes()]));
        let file = serde_json::json!({
            "format": FORMAT, "version": 1, "network": Hash([7; 32]), "report": REPORT,
            "auditor": key.verifying_key(), "signature": signature,
        });
        let read = SignedAudit::from_bytes(file.to_string().as_bytes()).unwrap();
        assert!(read.evidence().is_none() && read.summary().attribute == "font");
        // A date cannot be added to it.
        let mut dated = file;
        dated["version"] = 2.into();
        dated["evidence"] = r#"{"date":1,"attackers":1,"items":1,"seeds":1}"#.into();
        assert!(matches!(SignedAudit::from_bytes(dated.to_string().as_bytes()), Err(AuditError::Signature(_))));
    }
}
