//! Approvals: people who sign for one key, so that no single person can open much.
//!
//! An approver signs what a key would open and for whom ([`Subject`]) until a date, with a key that the policy lists.
//! The signature is valid for that holder, as long as no more is open than was approved and the audits are the same. It
//! travels as one line: `approval2:` and the approver's public key, rank, bits, audits, last second and signature,
//! separated by `/`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock;
use crate::hash::{Hash, to_hex};
use crate::policy::Policy;
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight approval v2";

/// One person's approval of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    approver: VerifyingKey,
    rank: usize,
    bits: f64,
    audits: Hash,
    expires: i64,
    signature: [u8; 64],
}

/// What is approved: a key, who gets it, and what is open with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The public key whose ciphertexts it opens.
    pub public_key: Hash,
    /// The network whose outputs it opens.
    pub network: Hash,
    /// Who gets it.
    pub holder: String,
    /// Rank of the span of all functions under this public key, this one included.
    pub rank: usize,
    /// Bits opened under this public key, this one included.
    pub bits: f64,
    /// Names the audits that count for the network: [`Subject::audits_of`].
    pub audits: Hash,
}

impl Subject {
    /// One name for a set of audits.
    pub fn audits_of(audits: &BTreeSet<Hash>) -> Hash {
        let parts: Vec<&[u8]> = audits.iter().map(|hash| &hash.0[..]).collect();
        Hash::of("halflight approval audits v1", &parts)
    }
}

impl Approval {
    /// Signs, until `expires` in seconds since 1970.
    pub fn sign(subject: &Subject, expires: i64, key: &SigningKey) -> Self {
        let Subject { rank, bits, audits, .. } = *subject;
        let mut approval = Self { approver: key.verifying_key(), rank, bits, audits, expires, signature: [0; 64] };
        approval.signature = key.sign(DOMAIN, &approval.parts(subject).each_ref().map(Vec::as_slice));
        approval
    }

    /// The approver's name, if the policy lists this key, the signature is for this key and holder, and what would be
    /// open is within what was approved.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check<'p>(&self, subject: &Subject, policy: &'p Policy) -> Result<&'p str, String> {
        self.approver
            .verify(DOMAIN, &self.parts(subject).each_ref().map(Vec::as_slice), &self.signature, "the approval")
            .map_err(|error| format!("approval: {error}"))?;
        let name = policy
            .approver(&self.approver)
            .ok_or_else(|| format!("approval: {} is not an approver of the policy", self.approver))?;
        let now = clock::now();
        if now > self.expires {
            return Err(format!("approval: that of {name} expired {}; sign a new one", clock::utc(self.expires)));
        }
        let most = policy.approval_days().saturating_mul(86_400);
        if self.expires.saturating_sub(now) > most {
            return Err(format!(
                "approval: that of {name} is valid for longer than the policy's {} days",
                most / 86_400
            ));
        }
        // The last digits of a sum of logarithms are no difference.
        if subject.rank > self.rank || subject.bits.is_nan() || subject.bits > self.bits + 1e-6 {
            return Err(format!(
                "approval: {name} signed for rank {} and {:.1} bits, but {} and {:.1} would be open: sign a new one",
                self.rank, self.bits, subject.rank, subject.bits
            ));
        }
        if subject.audits != self.audits {
            return Err(format!("approval: {name} signed for other audits than the current ones: sign a new one"));
        }
        Ok(name)
    }

    /// What is signed: the key and its holder, with the totals, audits and day of this approval.
    fn parts(&self, subject: &Subject) -> [Vec<u8>; 7] {
        [
            subject.public_key.0.to_vec(),
            subject.network.0.to_vec(),
            subject.holder.as_bytes().to_vec(),
            (self.rank as u64).to_be_bytes().to_vec(),
            self.bits.to_bits().to_be_bytes().to_vec(),
            self.audits.0.to_vec(),
            self.expires.to_be_bytes().to_vec(),
        ]
    }
}

/// The names of different approvers, and what is wrong with the rest.
pub fn check_all(approvals: &[Approval], subject: &Subject, policy: &Policy) -> (BTreeSet<String>, Vec<String>) {
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

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { approver, rank, bits, audits, expires, signature } = self;
        write!(f, "approval2:{approver}/{rank}/{:016x}/{audits}/{expires}/{}", bits.to_bits(), to_hex(signature))
    }
}

impl FromStr for Approval {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        if text.trim().starts_with("approval:") {
            return Err(SignatureError::OldApproval);
        }
        let body = text.trim().strip_prefix("approval2:").ok_or(SignatureError::Format)?;
        let parts: Vec<&str> = body.split('/').collect();
        let [approver, rank, bits, audits, expires, signature] = parts[..] else { return Err(SignatureError::Format) };
        let number = |_| SignatureError::Format;
        Ok(Self {
            approver: approver.parse()?,
            rank: rank.parse().map_err(number)?,
            bits: f64::from_bits(u64::from_str_radix(bits, 16).map_err(number)?),
            audits: audits.parse().map_err(|_| SignatureError::Format)?,
            expires: expires.parse().map_err(number)?,
            signature: parse_signature(signature)?,
        })
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
