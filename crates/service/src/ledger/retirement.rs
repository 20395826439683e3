//! The end of a ledger key: the last entry for which it is valid, and the key that is valid from there on.

use serde::{Deserialize, Serialize};

use super::Head;
use crate::hash::{Hash, to_hex};
use crate::signature::{SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight ledger key retirement v1";

/// A ledger key that signs nothing after the entry that says so, and its successor. Both sign it: whoever trusts the
/// old key follows it to the new one, and whoever trusts the new one takes what the old one signed before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retirement {
    /// The key that ends with this entry, which it signs.
    pub key: VerifyingKey,
    /// Signs from the next entry on.
    pub successor: VerifyingKey,
    /// Of the key, over both keys, the place of the entry and the hash of the one before.
    signature: String,
    /// Of the successor, over the same.
    accepted: String,
    /// Who asked.
    pub by: String,
}

impl Retirement {
    /// The retirement of `old` by the entry after `last`.
    pub(super) fn sign(old: &SigningKey, new: &SigningKey, last: Head, by: &str) -> Self {
        let (key, successor) = (old.verifying_key(), new.verifying_key());
        let parts = parts(&key, &successor, last.sequence + 1, last.hash);
        let [signature, accepted] =
            [old, new].map(|signer| to_hex(&signer.sign(DOMAIN, &parts.each_ref().map(Vec::as_slice))));
        Self { key, successor, signature, accepted, by: by.to_owned() }
    }

    /// Whether both keys signed this for the entry at this place, after this hash.
    pub(super) fn holds(&self, sequence: i64, previous: Hash) -> bool {
        let parts = parts(&self.key, &self.successor, sequence, previous);
        let signed = |key: &VerifyingKey, signature: &str| {
            let parts = parts.each_ref().map(Vec::as_slice);
            let signature = parse_signature(signature);
            signature.is_ok_and(|signature| key.verify(DOMAIN, &parts, &signature, "the retirement").is_ok())
        };
        self.key != self.successor && signed(&self.key, &self.signature) && signed(&self.successor, &self.accepted)
    }
}

fn parts(key: &VerifyingKey, successor: &VerifyingKey, sequence: i64, previous: Hash) -> [Vec<u8>; 4] {
    [key.to_bytes().to_vec(), successor.to_bytes().to_vec(), sequence.to_be_bytes().to_vec(), previous.0.to_vec()]
}
