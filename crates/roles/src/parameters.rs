//! Public parameters: all that an owner needs besides the public key, as one file whose hash pins them.
//!
//! Owner and predictor cannot disagree, and a predictor cannot swap the key or the encoder, once an owner has the pin
//! from the authority, `pin = SHA-256(file)`, or the authority's key. The authority signs the pin with project, epoch
//! and date, and the signature travels next to the file, so that pins do not depend on it. An owner who remembers the
//! newest epoch of a project detects parameters of a public key that was rotated out.

use std::fmt;
use std::str::FromStr;

use encoder::Encoder;
use host::files::is_plain_name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::{Hash, to_hex};
use crate::signature::{SignatureError, SigningKey, VerifyingKey, parse_signature};

const DOMAIN_OF_VERSION_1: &str = "halflight public parameters v1";
const DOMAIN: &str = "halflight public parameters v2";
const VERSION_2: &str = "parameters2:";
/// Header in which a server sends the [`ParametersSignature`] of parameters.
pub const SIGNATURE_HEADER: &str = "halflight-parameters-signature";
const FORMAT: &str = "halflight public parameters";
/// Maximum size of a parameters file, in bytes.
pub const MAX_BYTES: usize = 8 << 20;

/// The encoder and public key that an owner uses, and the network they are for.
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

/// A file that is not a parameters file, or not the expected one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// It is not a parameters file.
    #[error("public parameters: not a parameters file: {0}")]
    Format(String),
    /// It is not the one that was pinned.
    #[error(
        "public parameters: their hash is {found}, but {pinned} is pinned; the server changed key, network or encoder: \
         ask the authority before trusting the new ones"
    )]
    Pin {
        /// Hash of the received file.
        found: Hash,
        /// Expected hash.
        pinned: Hash,
    },
}

/// The authority's signature of parameters: `parameters2:KEY/PROJECT/EPOCH/DATE/SIGNATURE` as text. Version 1,
/// `KEY/SIGNATURE`, can be read, but does not state its purpose.
#[derive(Clone, Debug, PartialEq)]
pub struct ParametersSignature {
    /// The signer.
    pub authority: VerifyingKey,
    /// The purpose; none in version 1.
    pub purpose: Option<Purpose>,
    signature: [u8; 64],
}

/// The purpose of parameters, as the authority signs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purpose {
    /// The project.
    pub project: String,
    /// Its epoch: the higher of two has the newer public key.
    pub epoch: u32,
    /// Time of the signature, in seconds since 1970.
    pub date: i64,
}

impl Purpose {
    /// The signed text. Public key and network are part of the parameters, whose hash is the pin; they are repeated so
    /// that the signed text can be understood without the file.
    fn parts(&self, parameters: &Parameters, pin: Hash) -> [Vec<u8>; 6] {
        [
            self.project.as_bytes().to_vec(),
            self.epoch.to_be_bytes().to_vec(),
            self.date.to_be_bytes().to_vec(),
            parameters.public_key.0.to_vec(),
            parameters.network.0.to_vec(),
            pin.0.to_vec(),
        ]
    }
}

impl ParametersSignature {
    /// Signs parameters for a purpose.
    pub fn sign(parameters: &Parameters, purpose: Purpose, key: &SigningKey) -> Self {
        let parts = purpose.parts(parameters, parameters.pin());
        let signature = key.sign(DOMAIN, &parts.each_ref().map(Vec::as_slice));
        Self { authority: key.verifying_key(), purpose: Some(purpose), signature }
    }

    /// Checks that the authority signed these parameters, whose file has this hash. Whether that authority is trusted,
    /// and for this purpose, the caller must decide.
    ///
    /// # Errors
    /// [`SignatureError::Wrong`].
    pub fn check(&self, parameters: &Parameters, pin: Hash) -> Result<(), SignatureError> {
        match &self.purpose {
            None => self.authority.verify(DOMAIN_OF_VERSION_1, &[&pin.0], &self.signature, "the parameters"),
            Some(purpose) => {
                let parts = purpose.parts(parameters, pin);
                let parts = parts.each_ref().map(Vec::as_slice);
                self.authority.verify(DOMAIN, &parts, &self.signature, "the parameters")
            }
        }
    }
}

impl fmt::Display for ParametersSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (authority, signature) = (&self.authority, to_hex(&self.signature));
        match &self.purpose {
            None => write!(f, "{authority}/{signature}"),
            Some(Purpose { project, epoch, date }) => {
                write!(f, "{VERSION_2}{authority}/{project}/{epoch}/{date}/{signature}")
            }
        }
    }
}

impl FromStr for ParametersSignature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let number = |_| SignatureError::Format;
        let Some(body) = text.strip_prefix(VERSION_2) else {
            let (authority, signature) = text.split_once('/').ok_or(SignatureError::Format)?;
            return Ok(Self { authority: authority.parse()?, purpose: None, signature: parse_signature(signature)? });
        };
        let parts: Vec<&str> = body.split('/').collect();
        let [authority, project, epoch, date, signature] = parts[..] else { return Err(SignatureError::Format) };
        let project = is_plain_name(project).then(|| project.to_owned()).ok_or(SignatureError::Format)?;
        let (epoch, date) = (epoch.parse().map_err(number)?, date.parse().map_err(number)?);
        let purpose = Some(Purpose { project, epoch, date });
        Ok(Self { authority: authority.parse()?, purpose, signature: parse_signature(signature)? })
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

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and a checked encoder: cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The hash that pins them.
    pub fn pin(&self) -> Hash {
        Hash::of_bytes(&self.to_bytes())
    }

    /// Reads a file, and refuses any but the pinned one.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        let encoder = Encoder::pixels(2, 2, 8).unwrap();
        Parameters::new(Hash([1; 32]), Hash([2; 32]), 1, vec!["a".into(), "b".into()], encoder)
    }

    #[test]
    fn a_signature_is_for_one_project_epoch_and_date() {
        let (key, parameters) = (SigningKey::generate().unwrap(), parameters());
        let purpose = Purpose { project: "wards".into(), epoch: 2, date: 1_795_355_100 };
        let signed = ParametersSignature::sign(&parameters, purpose, &key);
        let text = signed.to_string();
        assert_eq!(text.parse::<ParametersSignature>().unwrap(), signed);
        signed.check(&parameters, parameters.pin()).unwrap();
        for (from, to) in [("/wards/", "/other/"), ("/2/", "/3/"), ("/1795355100/", "/1795355101/")] {
            assert!(text.contains(from));
            let changed: ParametersSignature = text.replace(from, to).parse().unwrap();
            let refused = changed.check(&parameters, parameters.pin());
            assert!(matches!(refused, Err(SignatureError::Wrong { .. })), "{to}");
        }
        assert!(signed.check(&parameters, Hash([0; 32])).is_err());
        let other = Parameters { network: Hash([3; 32]), ..parameters.clone() };
        assert!(signed.check(&other, parameters.pin()).is_err());
        for wrong in ["parameters2:", &text.replace("wards", "../wards"), &text.replace("/2/", "/-2/")] {
            assert!(wrong.parse::<ParametersSignature>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_of_version_1_is_read_and_has_no_purpose() {
        let (key, parameters) = (SigningKey::generate().unwrap(), parameters());
        let signature = to_hex(&key.sign(DOMAIN_OF_VERSION_1, &[&parameters.pin().0]));
        let read: ParametersSignature = format!("{}/{signature}", key.verifying_key()).parse().unwrap();
        assert_eq!(read.purpose, None);
        read.check(&parameters, parameters.pin()).unwrap();
    }
}
