//! The policy: one small file that says which functions may ever be opened.
//!
//! ```toml
//! version = 1
//!
//! [networks]
//! allow = ["9f…"]               # hashes of compiled networks; nothing else is ever opened
//!
//! [limits]                      # per public key, over everyone who holds keys: holders can pool them
//! rank = 4                      # dimension of the span of all functions opened
//! bits = 120.0                  # log2 of the ranges of a basis of that span
//! unnoised_bits = 40.0          # those bits that no noise covers; absent: any
//! holders = 16                  # different people or machines with keys
//!
//! [audit]                       # omit to demand none
//! attributes = ["font"]         # a signed audit of exactly this network for each
//! strongest_below = 60.0        # percent: upper end of the interval of the strongest attacker
//! balanced_below = 60.0         # the same as if every value were equally frequent; absent: any
//! max_age_days = 365            # from the date that the auditor signed
//! auditors = { lab = "ed25519:3b…" }  # name = public key
//! min_attackers = 20            # the least data that an audit may use; 0 or absent: any
//! min_items = 1000
//! min_seeds = 3
//! panel = "full"                # or "quick"; absent: any attackers
//! undated = false               # whether audits without a signed date count, from the day they were recorded
//!
//! [certificate]                 # omit to demand none; the audits above must carry one
//! pooled_below = 55.0           # percent: bound for every attacker on one item
//! class_below = 60.0            # the same within any main class; absent: any
//! votes = { 20 = 75.0 }         # bound for every attacker from this many items of one subject
//! confidence = 0.999            # least confidence of the bounds
//! maximal_leakage_bits = 30.0   # most bits that an item may reveal about any attribute; absent: any
//!
//! [noise]
//! required = false              # no combination of opened functions may be free of noise
//!
//! [keys]
//! valid_days = 90               # 0: they do not expire
//!
//! [register]                    # what one caller may register over time; these by default
//! networks = 1000
//! megabytes = 4096              # of networks and audits together
//!
//! [approval]                    # omit to demand none
//! above_rank = 3                # two people must sign for a key that takes the totals above these
//! above_bits = 100.0
//! people = 2
//! max_days = 30                 # longest validity of an approval
//! new_holders = true            # whether a new holder needs it too if others already have the key
//! approvers = { anna = "ed25519:77…", ben = "ed25519:a0…" }
//!
//! [ledger]                      # omit where one authority writes alone and has no witnesses
//! writers = ["ed25519:9c…"]     # ledger keys of other authorities on the same ledger; read at the start
//! witnesses = { north = "ed25519:1f…", south = "ed25519:8e…" }
//! quorum = 1                    # witnesses that must have cosigned the issue of a key before it is handed out
//!
//! [witness]                     # omit to cosign no ledger
//! name = "west"                 # this authority's name as a witness in the others' policies
//! ledgers = ["ed25519:b7…"]     # ledger keys of the authorities whose heads it cosigns
//! ```

mod certificate;
mod decide;
mod starting;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use certificate::CertificateDemand;
pub use decide::{AuditEvidence, CountedAudit, Decision, Opened, Request};
pub use starting::starting_policy;

use crate::files::{self, FileError};
use crate::hash::Hash;
use crate::ledger::{Quorum, note};
use crate::signature::VerifyingKey;

/// What an authority may issue. See the [module](self) for the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    version: u32,
    networks: Networks,
    limits: Limits,
    #[serde(default)]
    audit: Option<Audit>,
    #[serde(default)]
    certificate: Option<CertificateDemand>,
    #[serde(default)]
    noise: Noise,
    #[serde(default)]
    keys: Keys,
    #[serde(default)]
    register: Register,
    #[serde(default)]
    approval: Option<Approval>,
    #[serde(default)]
    ledger: LedgerPart,
    #[serde(default)]
    witness: Option<WitnessPart>,
    /// Hash of the file, for the ledger.
    #[serde(skip, default = "no_hash")]
    hash: Hash,
    /// The file, for the ledger.
    #[serde(skip)]
    text: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Networks {
    allow: BTreeSet<Hash>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    rank: usize,
    bits: f64,
    #[serde(default)]
    unnoised_bits: Option<f64>,
    #[serde(default = "sixteen")]
    holders: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Audit {
    attributes: BTreeSet<String>,
    strongest_below: f64,
    #[serde(default)]
    balanced_below: Option<f64>,
    #[serde(default = "a_year")]
    max_age_days: u32,
    auditors: BTreeMap<String, VerifyingKey>,
    #[serde(default)]
    min_attackers: u64,
    #[serde(default)]
    min_items: u64,
    #[serde(default)]
    min_seeds: u64,
    #[serde(default)]
    panel: Option<Panel>,
    #[serde(default)]
    undated: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Panel {
    Quick,
    Full,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Noise {
    required: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    valid_days: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Register {
    networks: u64,
    megabytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    above_rank: usize,
    above_bits: f64,
    #[serde(default = "two")]
    people: usize,
    #[serde(default = "a_month")]
    max_days: u32,
    #[serde(default = "yes")]
    new_holders: bool,
    approvers: BTreeMap<String, VerifyingKey>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerPart {
    #[serde(default)]
    writers: Vec<VerifyingKey>,
    #[serde(default)]
    witnesses: BTreeMap<String, VerifyingKey>,
    #[serde(default)]
    quorum: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessPart {
    name: String,
    ledgers: Vec<VerifyingKey>,
}

/// A policy file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It cannot be read.
    #[error("policy {0}")]
    File(#[from] FileError),
    /// It is not a policy.
    #[error("policy {path}: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
    /// A field has a value that makes no sense.
    #[error("policy {path}: {field} is {value}; {remedy}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What to write.
        remedy: &'static str,
    },
}

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// [`PolicyError`] names the field, its value and what to write.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let text = files::read_text(path, 1 << 20)?;
        Self::parse(&text, path)
    }

    /// As [`Policy::load`], from the text of the file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, PolicyError> {
        let mut policy: Self = toml::from_str(text)
            .map_err(|error| PolicyError::Syntax { path: path.to_owned(), problem: error.to_string() })?;
        policy.hash = Hash::of_bytes(text.as_bytes());
        policy.text = text.to_owned();
        policy.check(path)?;
        Ok(policy)
    }

    /// Hash of the file.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the list of allowed networks has this one.
    pub fn allows(&self, network: Hash) -> bool {
        self.networks.allow.contains(&network)
    }

    /// Ledger keys of other authorities whose entries are accepted.
    pub fn writers(&self) -> &[VerifyingKey] {
        &self.ledger.writers
    }

    /// Who must have cosigned the issue of a key before it is handed out; none if no witness is required.
    pub fn quorum(&self) -> Option<Quorum> {
        let LedgerPart { witnesses, quorum, .. } = &self.ledger;
        (*quorum > 0).then(|| Quorum { people: *quorum, witnesses: witnesses.clone() })
    }

    /// The name as which this authority cosigns heads of a ledger, where the policy names that ledger.
    pub fn witness_of(&self, ledger: &VerifyingKey) -> Option<&str> {
        self.witness.as_ref().filter(|witness| witness.ledgers.contains(ledger)).map(|witness| witness.name.as_str())
    }

    /// Longest time in days that an approval may hold.
    pub fn approval_days(&self) -> i64 {
        self.approval.as_ref().map_or(0, |approval| i64::from(approval.max_days))
    }

    /// Most networks that one caller may register, and most bytes of networks and audits.
    pub fn room(&self) -> (u64, u64) {
        (self.register.networks, self.register.megabytes.saturating_mul(1_000_000))
    }

    /// Whether audits of an attribute are demanded.
    pub fn demands_audit(&self, attribute: &str) -> bool {
        self.audit.as_ref().is_some_and(|audit| audit.attributes.contains(attribute))
    }

    /// Days for which a new key is valid; none means that it does not expire.
    pub fn valid_days(&self) -> Option<u32> {
        Some(self.keys.valid_days).filter(|&days| days > 0)
    }

    /// The name of the auditor with this key, where the policy knows one.
    pub fn auditor(&self, key: &VerifyingKey) -> Option<&str> {
        let auditors = &self.audit.as_ref()?.auditors;
        auditors.iter().find(|(_, known)| *known == key).map(|(name, _)| name.as_str())
    }

    /// The name of the approver with this key, where the policy knows one.
    pub fn approver(&self, key: &VerifyingKey) -> Option<&str> {
        let approvers = &self.approval.as_ref()?.approvers;
        approvers.iter().find(|(_, known)| *known == key).map(|(name, _)| name.as_str())
    }

    fn check(&self, path: &Path) -> Result<(), PolicyError> {
        let value =
            |field, value: String, remedy| Err(PolicyError::Value { path: path.to_owned(), field, value, remedy });
        if self.version != 1 {
            return value("version", self.version.to_string(), "write 1");
        }
        if self.limits.rank == 0 {
            return value("limits.rank", "0".into(), "write the number of outputs of the widest network, or more");
        }
        if !(self.limits.bits > 0.0 && self.limits.bits.is_finite()) {
            return value("limits.bits", self.limits.bits.to_string(), "write a positive number");
        }
        if let Some(bits) = self.limits.unnoised_bits.filter(|bits| !(*bits >= 0.0 && bits.is_finite())) {
            return value("limits.unnoised_bits", bits.to_string(), "write a number of bits, 0 or more, or omit it");
        }
        if self.limits.holders == 0 {
            return value("limits.holders", "0".into(), "write how many different holders may have keys");
        }
        let LedgerPart { witnesses, quorum, .. } = &self.ledger;
        let keys: BTreeSet<[u8; 32]> = witnesses.values().map(VerifyingKey::to_bytes).collect();
        if *quorum > keys.len() || (*quorum == 0 && !keys.is_empty()) {
            let remedy = "write 1 to the number of different keys under ledger.witnesses";
            return value("ledger.quorum", quorum.to_string(), remedy);
        }
        if let Some(name) = witnesses.keys().find(|name| !note::is_name(name)) {
            return value("ledger.witnesses", name.clone(), "use letters, digits, '-' and '.' in names");
        }
        if let Some(witness) = self.witness.as_ref().filter(|witness| !note::is_name(&witness.name)) {
            return value("witness.name", witness.name.clone(), "use letters, digits, '-' and '.'");
        }
        if let Some(audit) = &self.audit {
            if audit.attributes.is_empty() {
                return value("audit.attributes", "empty".into(), "name at least one, or omit [audit]");
            }
            if !(audit.strongest_below > 0.0 && audit.strongest_below <= 100.0) {
                return value("audit.strongest_below", audit.strongest_below.to_string(), "write a percentage");
            }
            if let Some(most) = audit.balanced_below.filter(|most| !(*most > 0.0 && *most <= 100.0)) {
                return value("audit.balanced_below", most.to_string(), "write a percentage");
            }
            if audit.auditors.is_empty() {
                return value("audit.auditors", "empty".into(), "name who may sign audits, with their public keys");
            }
        }
        if let Some(certificate) = &self.certificate {
            if self.audit.is_none() {
                return value("certificate", "given".into(), "write [audit] as well: audits carry the certificates");
            }
            if let Some((field, given)) = certificate.unsound() {
                return value(field, given, "write a percentage, a fraction, or a number of items and a percentage");
            }
        }
        if let Some(approval) = &self.approval {
            if approval.max_days == 0 {
                return value("approval.max_days", "0".into(), "write how many days an approval may hold");
            }
            if approval.above_bits.is_nan() {
                return value("approval.above_bits", "nan".into(), "write a number of bits");
            }
            if approval.people < 2 {
                return value("approval.people", approval.people.to_string(), "write 2 or more, or omit [approval]");
            }
            let keys: BTreeSet<String> = approval.approvers.values().map(ToString::to_string).collect();
            if keys.len() < approval.people {
                let count = format!("{} different keys", keys.len());
                return value("approval.approvers", count, "name at least as many approvers as must sign");
            }
        }
        Ok(())
    }
}

impl Panel {
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }

    /// The full panel has all that the quick one has.
    fn is_met(self, by: Option<&str>) -> bool {
        by == Some("full") || by == Some(self.name())
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { valid_days: 90 }
    }
}

impl Default for Register {
    fn default() -> Self {
        Self { networks: 1000, megabytes: 4096 }
    }
}

fn a_year() -> u32 {
    365
}

fn a_month() -> u32 {
    30
}

fn yes() -> bool {
    true
}

fn sixteen() -> usize {
    16
}

fn two() -> usize {
    2
}

fn no_hash() -> Hash {
    Hash([0; 32])
}
