//! The figures that approvers see before they sign: those of a dry run, computed and signed by the authority, so that
//! nobody who passes them on can change one.

use serde::{Deserialize, Serialize};

use crate::approval::Subject;
use crate::hash::to_hex;
use crate::policy::CountedAudit;
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight approval proposal v1";

/// The figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The project.
    pub project: String,
    /// The key to approve, with what would be open.
    pub subject: Subject,
    /// Rank of the span of all functions that were open before.
    pub rank_before: usize,
    /// Bits that were open before.
    pub bits_before: f64,
    /// The audits that count for the network.
    pub audits: Vec<CountedAudit>,
    /// Seconds since 1970 when the authority computed this.
    pub date: i64,
}

/// A [`Proposal`] that an authority vouches for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedProposal {
    /// JSON, kept as it was so that the signature stays checkable.
    text: String,
    authority: VerifyingKey,
    signature: String,
}

/// Figures that nobody should approve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// Signed by somebody else.
    #[error("the figures are signed by {found}, not by the authority {expected}: ask it for a new dry run")]
    Authority {
        /// Who signed.
        found: VerifyingKey,
        /// Who should have.
        expected: VerifyingKey,
    },
    /// Changed or unsigned.
    #[error("the figures: {0}; ask the authority for a new dry run")]
    Signature(#[from] SignatureError),
    /// Signed, and no figures.
    #[error("the figures cannot be read: {0}")]
    Format(#[from] serde_json::Error),
}

impl SignedProposal {
    /// Signs figures.
    pub fn sign(proposal: &Proposal, key: &SigningKey) -> Self {
        // Strings, numbers and hashes only: cannot fail.
        let text = serde_json::to_string(proposal).unwrap_or_default();
        let signature = to_hex(&key.sign(DOMAIN, &[text.as_bytes()]));
        Self { text, authority: key.verifying_key(), signature }
    }

    /// The figures, once they are shown to be this authority's.
    ///
    /// # Errors
    /// [`ProposalError`].
    pub fn open(&self, authority: &VerifyingKey) -> Result<Proposal, ProposalError> {
        if self.authority != *authority {
            let (found, expected) = (self.authority.clone(), authority.clone());
            return Err(ProposalError::Authority { found, expected });
        }
        let signature = parse_signature(&self.signature)?;
        authority.verify(DOMAIN, &[self.text.as_bytes()], &signature, "the dry run")?;
        Ok(serde_json::from_str(&self.text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;

    #[test]
    fn figures_cannot_be_changed_on_the_way() {
        let key = SigningKey::generate().unwrap();
        let subject = Subject {
            public_key: Hash([1; 32]),
            network: Hash([2; 32]),
            holder: "ward".into(),
            rank: 3,
            bits: 106.906_968_255_106_15,
            audits: Hash([3; 32]),
        };
        let audit = CountedAudit {
            audit: Hash([4; 32]),
            attribute: "font".into(),
            high: 59.5,
            auditor: "lab".into(),
            certified: None,
            evidence: None,
        };
        let (project, audits, date) = ("p".to_owned(), vec![audit], 1_795_355_100);
        let proposal = Proposal { project, subject, rank_before: 1, bits_before: 20.5, audits, date };
        let signed = SignedProposal::sign(&proposal, &key);
        let text = serde_json::to_string(&signed).unwrap();
        let read = |text: &str| serde_json::from_str::<SignedProposal>(text).unwrap().open(&key.verifying_key());
        assert_eq!(read(&text).unwrap(), proposal);
        for (from, to) in [("59.5", "51.5"), ("rank_before\\\":1", "rank_before\\\":3"), ("ward", "wade")] {
            assert!(text.contains(from), "{from}: {text}");
            assert!(matches!(read(&text.replace(from, to)), Err(ProposalError::Signature(_))), "{to}");
        }
        let stranger = SignedProposal::sign(&proposal, &SigningKey::generate().unwrap());
        assert!(matches!(stranger.open(&key.verifying_key()), Err(ProposalError::Authority { .. })));
    }
}
