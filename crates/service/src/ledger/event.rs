//! The events that a ledger records.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Retirement;
use crate::grant::{Grant, Part};
use crate::hash::Hash;
use crate::signature::VerifyingKey;

/// An event, as the ledger records it.
///
/// Fields may be added; none is ever renamed or removed, since old entries must stay readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A project got its first public key.
    ProjectCreated {
        /// Its name.
        project: String,
        /// The public key of epoch 1.
        public_key: Hash,
        /// Inputs `(n, m)` of the two sides.
        inputs: (usize, usize),
        /// Who asked.
        by: String,
    },
    /// A project got a new public key; its old one stays closed to new functions.
    Rotated {
        /// The project.
        project: String,
        /// The new epoch, counted from 1.
        epoch: u32,
        /// Its public key.
        public_key: Hash,
        /// Why.
        reason: String,
        /// Who asked.
        by: String,
    },
    /// A compiled network became known.
    NetworkRegistered {
        /// Its hash.
        network: Hash,
        /// Outputs S.
        outputs: usize,
        /// Units d.
        units: usize,
        /// Bytes of its file; 0 in entries from before they were counted.
        #[serde(skip_serializing_if = "is_zero", default)]
        bytes: u64,
        /// Who brought it.
        by: String,
    },
    /// A signed audit of a network became known.
    AuditRecorded {
        /// The network it is about.
        network: Hash,
        /// Hash of the signed file.
        audit: Hash,
        /// The collateral attribute.
        attribute: String,
        /// Accuracy of the strongest attacker, in percent.
        strongest: f64,
        /// Upper end of its interval, in percent.
        high: f64,
        /// Name of the auditor in the policy.
        auditor: String,
        /// Its key; none in entries from before keys were recorded.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        key: Option<VerifyingKey>,
        /// The date that the auditor signed, in seconds since 1970, if any.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        date: Option<i64>,
        /// Bytes of its file; 0 in entries from before they were counted.
        #[serde(skip_serializing_if = "is_zero", default)]
        bytes: u64,
        /// Who brought it.
        by: String,
    },
    /// A functional key was issued, or this authority's part of one.
    KeyIssued(Grant),
    /// This authority took a share of a key: its first, or one that replaces a share of an earlier renewal.
    ShareTaken {
        /// The public key.
        public_key: Hash,
        /// Which share.
        part: Part,
        /// Who brought it.
        by: String,
    },
    /// Entries from before they were signed are taken over: this entry, which is signed, vouches for them.
    Migrated {
        /// How many.
        entries: i64,
        /// Hash of the last of them.
        hash: Hash,
    },
    /// The ledger key that signs this entry signs no other after it.
    LedgerKeyRetired(Retirement),
    /// The head file was lost, and somebody accepted the last entry found as the end.
    HeadAdopted {
        /// How many entries were there.
        entries: i64,
        /// Hash of the last of them.
        hash: Hash,
        /// Who accepted it.
        by: String,
    },
    /// Another policy is in force from here on.
    PolicyChanged {
        /// Hash of the file.
        policy: Hash,
        /// The whole file.
        text: String,
        /// Who asked for it to be read, or for the first decision under it.
        by: String,
    },
    /// A request was refused.
    Refused {
        /// The request: `key`, `network`, `audit`, `project` or `rotation`.
        request: String,
        /// The project, if any.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        project: Option<String>,
        /// The public key, if any.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        public_key: Option<Hash>,
        /// The network, if any.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        network: Option<Hash>,
        /// Every reason.
        reasons: Vec<String>,
        /// Refusals of the same caller since its entry before, which have none of their own: after many within an hour
        /// only every so many is recorded.
        #[serde(skip_serializing_if = "is_zero", default)]
        unrecorded: u64,
        /// Who asked.
        by: String,
    },
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// One line for people.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProjectCreated { project, public_key, by, .. } => {
                write!(f, "project '{project}' with public key {public_key}, by {by}")
            }
            Self::Rotated { project, epoch, public_key, reason, by } => {
                write!(f, "project '{project}' rotated to epoch {epoch}, public key {public_key}, by {by}: {reason}")
            }
            Self::NetworkRegistered { network, outputs, units, by, .. } => {
                write!(f, "network {network} of {outputs} outputs and {units} units registered by {by}")
            }
            Self::AuditRecorded { network, attribute, strongest, high, auditor, by, .. } => write!(
                f,
                "audit of network {network} by auditor {auditor}: strongest attacker on '{attribute}' {strongest:.2} %, \
                 up to {high:.2} %, brought by {by}"
            ),
            Self::ShareTaken { public_key, part, by } => {
                write!(f, "share of public key {public_key} taken, by {by}: {part}")
            }
            Self::KeyIssued(Grant {
                project, public_key, network, holder, rank, bits, approved_by, by, part, ..
            }) => {
                if let Some(part) = part {
                    write!(f, "{part}: ")?;
                }
                write!(
                    f,
                    "key of network {network} under public key {public_key} of '{project}' to {holder}, by {by}"
                )?;
                write!(f, "; open now: rank {rank}, {bits:.1} bits")?;
                if approved_by.is_empty() { Ok(()) } else { write!(f, "; approved by {}", approved_by.join(", ")) }
            }
            Self::Migrated { entries, hash } => {
                write!(f, "{entries} entries from before signatures taken over, up to hash {hash}")
            }
            Self::LedgerKeyRetired(Retirement { key, successor, by, .. }) => {
                write!(f, "ledger key {key} counts up to here, {successor} from here on, by {by}")
            }
            Self::HeadAdopted { entries, hash, by } => {
                write!(f, "head file lost; the end found, {entries} entries up to hash {hash}, accepted by {by}")
            }
            Self::PolicyChanged { policy, by, .. } => write!(f, "policy {policy} in force, read for {by}"),
            Self::Refused { request, reasons, unrecorded, by, .. } => {
                write!(f, "{request} refused to {by}: {}", reasons.join("; "))?;
                if *unrecorded == 0 { Ok(()) } else { write!(f, "; {unrecorded} refusals before it have no entry") }
            }
        }
    }
}

impl Event {
    /// One line of JSON.
    pub fn text(&self) -> String {
        // Strings, numbers and hashes only: nothing in an event can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}
