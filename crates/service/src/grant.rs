//! The grant: what the authority says about a functional key when it hands it out.
//!
//! It travels beside the key. Predictors refuse to serve a key whose grant has expired; that is their word, not
//! mathematics: what ends a key for certain is a new public key (rotation).

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, to_hex};
use crate::ledger::Grant;
use crate::parameters::{Parameters, ParametersSignature, Purpose};
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight grant v1";
const FORMAT: &str = "halflight grant";
/// Most bytes of a grant file.
pub const MAX_BYTES: usize = 1 << 20;

/// A grant as it stands in the ledger, signed by the authority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantFile {
    format: String,
    version: u32,
    /// What was issued.
    pub grant: Grant,
    /// Place in the ledger.
    pub sequence: i64,
    /// Hash of the ledger entry.
    pub entry: Hash,
    /// The authority.
    pub authority: VerifyingKey,
    signature: String,
    /// The authority's word for the parameters that owners get; none in grants of before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameters: Option<ParametersSignature>,
}

/// A grant that cannot be read or does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// It is none.
    #[error("grant: not a grant file: {0}")]
    Format(String),
    /// The signature does not hold.
    #[error("grant: {0}")]
    Signature(#[from] SignatureError),
}

impl GrantFile {
    /// Signs what was written to the ledger.
    pub fn sign(grant: Grant, sequence: i64, entry: Hash, key: &SigningKey) -> Self {
        let (authority, signature) = (key.verifying_key(), String::new());
        let mut file =
            Self { format: FORMAT.into(), version: 1, grant, sequence, entry, authority, signature, parameters: None };
        file.signature = to_hex(&key.sign(DOMAIN, &[file.text().as_bytes()]));
        file
    }

    /// Also signs the parameters that owners need, as of `date`: when a key of their network was issued last. A date of
    /// another moment would let a network that was replaced come back as the newer one.
    pub fn with_parameters(self, parameters: &Parameters, date: i64, key: &SigningKey) -> Self {
        let Grant { project, epoch, .. } = &self.grant;
        let purpose = Purpose { project: project.clone(), epoch: *epoch, date };
        Self { parameters: Some(ParametersSignature::sign(parameters, purpose, key)), ..self }
    }

    /// Reads a grant and checks its signature. Whether that authority is trusted is for the reader to say.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GrantError> {
        if bytes.len() > MAX_BYTES {
            return Err(GrantError::Format(format!("{} bytes, more than {MAX_BYTES}", bytes.len())));
        }
        let file: Self = serde_json::from_slice(bytes).map_err(|error| GrantError::Format(error.to_string()))?;
        if file.format != FORMAT || file.version != 1 {
            return Err(GrantError::Format(format!("format '{}', version {}", file.format, file.version)));
        }
        let signature = parse_signature(&file.signature)?;
        file.authority.verify(DOMAIN, &[file.text().as_bytes()], &signature, "the grant")?;
        Ok(file)
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// What is signed: the fields in a fixed order, independent of how the file is laid out.
    fn text(&self) -> String {
        serde_json::json!([self.grant, self.sequence, self.entry, self.authority]).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signed(bits: f64) -> Vec<u8> {
        let grant = Grant {
            project: "main".into(),
            epoch: 1,
            public_key: Hash([1; 32]),
            network: Hash([2; 32]),
            holder: "ward-3".into(),
            rank: 4,
            bits,
            expires: Some(1_803_168_083),
            approved_by: Vec::new(),
            policy: Hash([3; 32]),
            by: "the command line".into(),
            part: None,
        };
        GrantFile::sign(grant, 3, Hash([4; 32]), &SigningKey::generate().unwrap()).to_bytes()
    }

    /// A parser that is off by one in the last bit of this number made a predictor refuse its own authority's grant.
    #[test]
    fn bits_whose_last_digit_counts_verify() {
        assert_eq!(GrantFile::from_bytes(&signed(106.90696825510615)).unwrap().grant.bits, 106.90696825510615);
    }

    proptest! {
        #[test]
        fn every_grant_verifies_where_it_is_read(bits in 0.0..1e6) {
            prop_assert_eq!(GrantFile::from_bytes(&signed(bits)).unwrap().grant.bits, bits);
        }
    }
}
