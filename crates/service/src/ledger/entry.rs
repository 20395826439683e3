//! One link of the chain.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Event, Head, LedgerError};
use crate::hash::{Hash, to_hex};
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight ledger entry signature v1";

/// An event, its place, and the hash that ties it to everything before it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// 1 for the first entry.
    pub sequence: i64,
    /// Seconds since 1970.
    pub at: i64,
    /// The event as it was written: JSON, one line.
    pub text: String,
    /// Hash of the entry before; [`GENESIS`](super::GENESIS) for the first.
    pub previous: Hash,
    /// Hash of this one.
    pub hash: Hash,
    /// Who wrote it; none in entries from before they were signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<EntrySignature>,
}

/// A key, and its signature over the hash of an entry: `ed25519:KEY/SIGNATURE` as text.
#[derive(Clone, Debug, PartialEq)]
pub struct EntrySignature {
    /// Who signed.
    pub key: VerifyingKey,
    signature: [u8; 64],
}

impl Entry {
    /// The entry that follows `previous`, signed.
    pub(super) fn next(at: i64, event: &Event, previous: Head, key: &SigningKey) -> Self {
        let (sequence, text, previous) = (previous.sequence + 1, event.text(), previous.hash);
        let hash = chain(sequence, at, &text, previous);
        let signature = EntrySignature { key: key.verifying_key(), signature: key.sign(DOMAIN, &[&hash.0]) };
        Self { sequence, at, text, previous, hash, signature: Some(signature) }
    }

    /// The ledger's head with this entry as the last.
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash }
    }

    /// The event, once the entry has been shown to follow `previous` in place and hash. Who wrote it is for
    /// [`Chain::follow`](super::Chain::follow) to say.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names what does not fit.
    pub fn check(&self, sequence: i64, previous: Hash) -> Result<Event, LedgerError> {
        let broken = |problem: String| LedgerError::Broken { sequence, problem };
        if self.sequence != sequence {
            return Err(broken(format!("is missing; the next one present is {}", self.sequence)));
        }
        if self.previous != previous {
            return Err(broken(format!("follows {}, but the previous entry has hash {previous}", self.previous)));
        }
        if self.hash != chain(self.sequence, self.at, &self.text, self.previous) {
            return Err(broken("was changed: its hash does not match its contents".into()));
        }
        serde_json::from_str(&self.text).map_err(|error| broken(format!("holds an unknown event: {error}")))
    }
}

impl EntrySignature {
    /// Whether its key signed an entry of this hash.
    pub(super) fn holds(&self, hash: Hash) -> bool {
        self.key.verify(DOMAIN, &[&hash.0], &self.signature, "the entry").is_ok()
    }
}

pub(super) fn chain(sequence: i64, at: i64, text: &str, previous: Hash) -> Hash {
    Hash::of("halflight ledger entry v1", &[&sequence.to_be_bytes(), &at.to_be_bytes(), text.as_bytes(), &previous.0])
}

impl fmt::Display for EntrySignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.key, to_hex(&self.signature))
    }
}

impl FromStr for EntrySignature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let (key, signature) = text.split_once('/').ok_or(SignatureError::Format)?;
        Ok(Self { key: key.parse()?, signature: parse_signature(signature)? })
    }
}

impl Serialize for EntrySignature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
