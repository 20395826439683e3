//! The grant: the authority's statement about a functional key that it issues.
//!
//! It travels with the key. Predictors refuse to serve a key whose grant has expired, but that is their promise, not
//! mathematics: only a new public key (rotation) certainly ends a key.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, to_hex};
use crate::parameters::{Parameters, ParametersSignature, Purpose};
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight grant v1";
const FORMAT: &str = "halflight grant";
/// Maximum size of a grant file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// A functional key that was issued, and what it opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The project.
    pub project: String,
    /// Its epoch.
    pub epoch: u32,
    /// The public key whose ciphertexts it opens.
    pub public_key: Hash,
    /// The network whose outputs it opens.
    pub network: Hash,
    /// The holder.
    pub holder: String,
    /// Rank of the span of all functions under this public key, this one included.
    pub rank: usize,
    /// Bits opened under this public key, this one included.
    pub bits: f64,
    /// Seconds since 1970 after which the key must not be used; none means never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<i64>,
    /// Names of the approvers.
    pub approved_by: Vec<String>,
    /// Hash of the policy file in force.
    pub policy: Hash,
    /// Who made the request.
    pub by: String,
    /// Which part of the key was issued, if this authority holds a share; none for a whole key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub part: Option<Part>,
}

/// One of the shares of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Number of the share, from 1.
    pub server: u16,
    /// Shares in all.
    pub servers: u16,
    /// The threshold: this many parts reveal nothing; one more gives the key.
    pub threshold: u16,
    /// Counts renewals of the shares, from zero.
    pub epoch: u64,
}

impl From<&qfe::shares::Seat> for Part {
    fn from(seat: &qfe::shares::Seat) -> Self {
        let (servers, threshold) = (seat.sharing.servers(), seat.sharing.threshold());
        Self { server: seat.index, servers, threshold, epoch: seat.epoch }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, servers, threshold, epoch } = self;
        write!(f, "part {server} of {servers}, {} needed, epoch {epoch}", u32::from(*threshold) + 1)
    }
}

/// A grant as recorded in the ledger, signed by the authority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantFile {
    format: String,
    version: u32,
    /// The issued key.
    pub grant: Grant,
    /// Place in the ledger.
    pub sequence: i64,
    /// Hash of the ledger entry.
    pub entry: Hash,
    /// The authority.
    pub authority: VerifyingKey,
    signature: String,
    /// The authority's signature of the parameters that owners get; none in older grants.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameters: Option<ParametersSignature>,
}

/// A grant that cannot be read or is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// It is not a grant.
    #[error("grant: not a grant file: {0}")]
    Format(String),
    /// The signature is invalid.
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

    /// Also signs the parameters that owners need, dated `date`: when a key of their network was last issued. With
    /// another date a network that was replaced could come back as the newer one.
    pub fn with_parameters(self, parameters: &Parameters, date: i64, key: &SigningKey) -> Self {
        let Grant { project, epoch, .. } = &self.grant;
        let purpose = Purpose { project: project.clone(), epoch: *epoch, date };
        Self { parameters: Some(ParametersSignature::sign(parameters, purpose, key)), ..self }
    }

    /// Reads a grant and checks its signature. Whether that authority is trusted, the caller must decide.
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

    /// The signed text: the fields in a fixed order, independent of the file's layout.
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
