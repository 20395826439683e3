//! Public parameters: all that an owner needs besides the public key, as one file whose hash pins them.
//!
//! Owner and predictor cannot disagree, and a predictor cannot swap the key or the encoder, once an owner has the pin
//! from the authority, `pin = SHA-256(file)`, or the authority's key: the authority signs the pin, and the signature
//! travels beside the file, so that pins do not depend on it.

use std::fmt;
use std::str::FromStr;

use encoder::Encoder;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::{Hash, to_hex};
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN: &str = "halflight public parameters v1";
/// Header in which a server sends the [`ParametersSignature`] of parameters.
pub const SIGNATURE_HEADER: &str = "halflight-parameters-signature";
const FORMAT: &str = "halflight public parameters";
/// Most bytes of a parameters file.
pub const MAX_BYTES: usize = 8 << 20;

/// What an owner encodes with, under which key it encrypts, and for which network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    format: String,
    version: u32,
    /// Identity of the public key.
    pub public_key: Hash,
    /// Hash of the compiled network whose outputs are opened.
    pub network: Hash,
    /// Outputs S.
    pub outputs: usize,
    /// Names of the main classes.
    pub classes: Vec<String>,
    /// From an image to the integers that are encrypted.
    pub encoder: Encoder,
}

/// A file that is no parameters file, or another one than expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// It is none.
    #[error("public parameters: not a parameters file: {0}")]
    Format(String),
    /// It is not the one that was pinned.
    #[error(
        "public parameters: their hash is {found}, but {pinned} is pinned; the server changed key, network or encoder: \
         ask the authority before trusting the new ones"
    )]
    Pin {
        /// Hash of what came.
        found: Hash,
        /// Hash that was expected.
        pinned: Hash,
    },
}

/// The authority's word for parameters: `KEY/SIGNATURE` as text.
#[derive(Clone, Debug, PartialEq)]
pub struct ParametersSignature {
    /// Who signed.
    pub authority: VerifyingKey,
    signature: [u8; 64],
}

impl ParametersSignature {
    /// Signs parameters.
    pub fn sign(parameters: &Parameters, key: &SigningKey) -> Self {
        Self { authority: key.verifying_key(), signature: key.sign(DOMAIN, &[&parameters.pin().0]) }
    }

    /// Checks that the authority signed parameters of this pin. Whether that authority is trusted is for the reader to
    /// say.
    ///
    /// # Errors
    /// [`SignatureError::Wrong`].
    pub fn check(&self, pin: Hash) -> Result<(), SignatureError> {
        self.authority.verify(DOMAIN, &[&pin.0], &self.signature, "the parameters")
    }
}

impl fmt::Display for ParametersSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.authority, to_hex(&self.signature))
    }
}

impl FromStr for ParametersSignature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let (authority, signature) = text.split_once('/').ok_or(SignatureError::Format)?;
        Ok(Self { authority: authority.parse()?, signature: parse_signature(signature)? })
    }
}

impl<'de> Deserialize<'de> for ParametersSignature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for ParametersSignature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Parameters {
    /// The parameters of one network under one public key.
    pub fn new(public_key: Hash, network: Hash, outputs: usize, classes: Vec<String>, encoder: Encoder) -> Self {
        Self { format: FORMAT.into(), version: 1, public_key, network, outputs, classes, encoder }
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and a checked encoder: cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The hash that pins them.
    pub fn pin(&self) -> Hash {
        Hash::of_bytes(&self.to_bytes())
    }

    /// Reads a file, and refuses any other than the pinned one.
    ///
    /// # Errors
    /// [`ParametersError`].
    pub fn from_bytes(bytes: &[u8], pinned: Option<Hash>) -> Result<Self, ParametersError> {
        let found = Hash::of_bytes(bytes);
        if let Some(pinned) = pinned.filter(|&pinned| pinned != found) {
            return Err(ParametersError::Pin { found, pinned });
        }
        if bytes.len() > MAX_BYTES {
            return Err(ParametersError::Format(format!("{} bytes, more than {MAX_BYTES}", bytes.len())));
        }
        let parameters: Self =
            serde_json::from_slice(bytes).map_err(|error| ParametersError::Format(error.to_string()))?;
        if parameters.format != FORMAT || parameters.version != 1 {
            let found = format!("format '{}', version {}", parameters.format, parameters.version);
            return Err(ParametersError::Format(found));
        }
        Ok(parameters)
    }
}
