//! Approvals: people who sign for one key, so that no single person can open much.
//!
//! An approver signs (public key, network, holder) with a key that the policy lists; the signature is good for that
//! key alone, on any day. It travels as one line: `approval:` and the approver's public key and signature, `/` between.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::{Hash, to_hex};
use crate::policy::Policy;
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight approval v1";

/// One person's word for one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    approver: VerifyingKey,
    signature: [u8; 64],
}

/// The key that is approved.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The public key whose ciphertexts it opens.
    pub public_key: Hash,
    /// The network whose outputs it opens.
    pub network: Hash,
    /// Who gets it.
    pub holder: &'a str,
}

impl Approval {
    /// Signs.
    pub fn sign(subject: Subject, key: &SigningKey) -> Self {
        Self { approver: key.verifying_key(), signature: key.sign(DOMAIN, &subject.parts()) }
    }

    /// The approver's name, if the policy lists this key and the signature is for this subject.
    ///
    /// # Errors
    /// The signature does not fit; none of the policy's approvers has the key.
    pub fn check<'p>(&self, subject: Subject, policy: &'p Policy) -> Result<&'p str, String> {
        self.approver
            .verify(DOMAIN, &subject.parts(), &self.signature, "the approval")
            .map_err(|error| format!("approval: {error}"))?;
        policy
            .approver(&self.approver)
            .ok_or_else(|| format!("approval: {} is no approver of the policy", self.approver))
    }
}

/// The names of different approvers, and what is wrong with the rest.
pub fn check_all(approvals: &[Approval], subject: Subject, policy: &Policy) -> (BTreeSet<String>, Vec<String>) {
    let (mut names, mut problems) = (BTreeSet::new(), Vec::new());
    for approval in approvals {
        match approval.check(subject, policy) {
            Ok(name) => {
                names.insert(name.to_owned());
            }
            Err(problem) => problems.push(problem),
        }
    }
    (names, problems)
}

impl Subject<'_> {
    fn parts(&self) -> [&[u8]; 3] {
        [&self.public_key.0, &self.network.0, self.holder.as_bytes()]
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "approval:{}/{}", self.approver, to_hex(&self.signature))
    }
}

impl FromStr for Approval {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let body = text.trim().strip_prefix("approval:").ok_or(SignatureError::Format)?;
        let (approver, signature) = body.split_once('/').ok_or(SignatureError::Format)?;
        Ok(Self { approver: approver.parse()?, signature: parse_signature(signature)? })
    }
}

impl<'de> Deserialize<'de> for Approval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Approval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
