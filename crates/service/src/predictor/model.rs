//! One model: a compiled network with the functional key that opens it.
//!
//! A model is a folder:
//!
//! ```text
//! digits/network.safetensors    the compiled network
//! digits/functional.key         opens it under one public key
//! digits/public.key             optional: handed to owners who ask
//! digits/grant.json             optional: what the authority said; its expiry is kept
//! digits/audit.json             optional: the signed audit, handed to owners who ask
//! digits/page.json              optional: what the page shows besides, samples and a cloud of outputs
//! digits/model.toml             optional: who may send what
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use qfe::LogTable;
use roles::{FolderError, ModelFolder, Prediction, Step};
use serde::Deserialize;

use crate::audit::{AuditError, SignedAudit};
use crate::clock;
use crate::files::{self, FileError};
use crate::grant::{GrantError, GrantFile};
use crate::hash::Hash;
use crate::page::PageFile;
use crate::parameters::Parameters;
use crate::signature::VerifyingKey;

/// A model that can predict.
pub struct Model {
    name: String,
    predictor: roles::Predictor,
    parameters: Parameters,
    pin: Hash,
    /// Files as they are sent, made once.
    files: Files,
    signature: Option<String>,
    expires: Option<i64>,
    options: ModelOptions,
}

struct Files {
    parameters: Bytes,
    public_key: Option<Bytes>,
    audit: Option<Bytes>,
    /// With its hash.
    page: Option<(Bytes, Hash)>,
}

/// `model.toml`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelOptions {
    /// Refuse bare ciphertexts and unsigned envelopes.
    pub require_signature: bool,
    /// Who may send, where signatures are required: name = public key.
    pub senders: BTreeMap<String, VerifyingKey>,
    /// The context that envelopes must carry; none takes any.
    pub context: Option<String>,
    /// What envelopes must call this predictor; none takes any, and envelopes of before, which name no recipient.
    pub recipient: Option<String>,
    /// Keys of authorities whose grants count; empty takes any grant that verifies.
    pub authorities: Vec<VerifyingKey>,
}

/// What one ciphertext gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The outputs, exactly as the network in the clear gives them.
    pub output: Vec<i64>,
    /// Of each main class.
    pub probabilities: Vec<f32>,
    /// The most probable main class.
    pub label: String,
}

/// A ciphertext that gives no prediction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The bytes are no ciphertext.
    #[error("the ciphertext cannot be read: {0}")]
    Ciphertext(#[from] qfe::WireError),
    /// It cannot be evaluated with this key.
    #[error(transparent)]
    Evaluate(#[from] qfe::EvaluateError),
    /// The public head does not take the output.
    #[error("the public head: {0}")]
    Head(String),
    /// A fault in the evaluation, already in the log.
    #[error("the evaluation failed for a reason that is ours")]
    Fault,
}

impl From<roles::PredictError> for PredictError {
    fn from(error: roles::PredictError) -> Self {
        match error {
            roles::PredictError::Ciphertext(error) => Self::Ciphertext(error),
            roles::PredictError::Evaluate(error) => Self::Evaluate(error),
            other => Self::Head(other.to_string()),
        }
    }
}

/// A folder that is no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file is missing, cannot be read, or holds something else.
    #[error(transparent)]
    File(#[from] FileError),
    /// Network and keys are missing, damaged or of different models.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The files do not belong together.
    #[error("model {name}: {problem}")]
    Mismatch {
        /// The model.
        name: String,
        /// What differs.
        problem: String,
    },
    /// The audit does not hold.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The grant does not hold.
    #[error(transparent)]
    Grant(#[from] GrantError),
}

impl ModelOptions {
    /// Whether bare ciphertexts lack what these options ask for.
    pub fn wants_envelope(&self) -> bool {
        self.context.is_some() || self.recipient.is_some()
    }

    /// Those of a model's folder; without a file the default ones.
    ///
    /// # Errors
    /// The file cannot be read, or says what is no option.
    pub fn read(folder: &Path) -> Result<Self, ModelError> {
        let Some((path, bytes)) = optional(folder, "model.toml", 1 << 20)? else { return Ok(Self::default()) };
        let text = String::from_utf8(bytes).map_err(|error| FileError::content(&path, error))?;
        toml::from_str(&text).map_err(|error| FileError::content(&path, error).into())
    }
}

impl Model {
    /// Loads a folder; `name` is what clients call it.
    ///
    /// # Errors
    /// [`ModelError`] names the file and the reason.
    pub fn load(name: &str, folder: &Path, table: &Arc<LogTable>) -> Result<Self, ModelError> {
        let mismatch = |problem: String| ModelError::Mismatch { name: name.to_owned(), problem };
        let files = ModelFolder::read(folder)?;
        let (network, key) = (&files.network, &files.key);
        let public_key = Hash(*key.public_key_id().as_bytes());
        let options = ModelOptions::read(folder)?;
        if options.require_signature && options.senders.is_empty() {
            return Err(mismatch("model.toml requires signatures, but names no senders".into()));
        }
        let hash = Hash(network.hash());
        let audit = files.audit.as_deref().map(SignedAudit::from_bytes).transpose()?;
        if audit.as_ref().is_some_and(|audit| audit.network() != hash) {
            return Err(mismatch("audit.json is about another network".into()));
        }
        let grant = files.grant.as_deref().map(GrantFile::from_bytes).transpose()?;
        if let Some(file) = &grant {
            if file.grant.public_key != public_key || file.grant.network != hash {
                return Err(mismatch("grant.json is about another key".into()));
            }
            if !options.authorities.is_empty() && !options.authorities.contains(&file.authority) {
                return Err(mismatch(format!(
                    "grant.json is signed by {}, which model.toml does not name",
                    file.authority
                )));
            }
        } else if !options.authorities.is_empty() {
            return Err(mismatch("model.toml names authorities, but grant.json is missing".into()));
        }
        if let Some(bytes) = &files.page {
            let page =
                PageFile::from_bytes(bytes).map_err(|error| FileError::content(&folder.join("page.json"), error))?;
            if page.network != hash {
                return Err(mismatch("page.json is about another network".into()));
            }
        }
        let (outputs, classes) = (network.outputs(), network.classes().to_vec());
        let parameters = Parameters::new(public_key, hash, outputs, classes, network.encoder().clone());
        let predictor = files.predictor(Arc::clone(table)).map_err(|error| mismatch(error.to_string()))?;
        let bytes = parameters.to_bytes();
        let pin = Hash::of_bytes(&bytes);
        let signature = grant.as_ref().and_then(|file| file.parameters.as_ref());
        let signature =
            signature.filter(|signature| signature.check(&parameters, pin).is_ok()).map(ToString::to_string);
        let files = Files {
            parameters: bytes.into(),
            public_key: files.public_key.as_ref().map(|key| key.to_bytes().into()),
            audit: audit.as_ref().map(|audit| audit.to_bytes().into()),
            page: files.page.map(Bytes::from).map(|page| (page.clone(), Hash::of_bytes(&page))),
        };
        let expires = grant.and_then(|file| file.grant.expires);
        Ok(Self { name: name.to_owned(), predictor, parameters, pin, files, signature, expires, options })
    }

    /// Reads, checks and evaluates one ciphertext, and applies the public head.
    ///
    /// # Errors
    /// [`PredictError`].
    pub fn predict(&self, ciphertext: &[u8]) -> Result<Answer, PredictError> {
        self.predict_in_steps(ciphertext, |_| ())
    }

    /// The same; `ended` hears of each step when it ends.
    ///
    /// # Errors
    /// [`PredictError`].
    pub fn predict_in_steps(&self, ciphertext: &[u8], ended: impl FnMut(Step)) -> Result<Answer, PredictError> {
        let Prediction { output, probabilities, label, .. } = self.predictor.predict_in_steps(ciphertext, ended)?;
        Ok(Answer { output, probabilities, label })
    }

    /// What clients call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What owners need.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The hash of the parameters, which is the model's version.
    pub fn pin(&self) -> Hash {
        self.pin
    }

    /// The parameters file.
    pub fn parameters_file(&self) -> Bytes {
        self.files.parameters.clone()
    }

    /// The public key file, where the predictor has it.
    pub fn public_key(&self) -> Option<Bytes> {
        self.files.public_key.clone()
    }

    /// The file of the signed audit, where the predictor has it.
    pub fn audit(&self) -> Option<Bytes> {
        self.files.audit.clone()
    }

    /// The authority's word for the parameters, where the grant has one that fits.
    pub fn parameters_signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// The page file and its hash, where the predictor has it.
    pub fn page(&self) -> Option<(Bytes, Hash)> {
        self.files.page.clone()
    }

    /// Who may send what.
    pub fn options(&self) -> &ModelOptions {
        &self.options
    }

    /// Seconds since 1970 after which the key must not be used.
    pub fn expires(&self) -> Option<i64> {
        self.expires
    }

    /// Whether its key must not be used any more.
    pub fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| clock::now() > expires)
    }

    /// Outputs S, and the number of main classes.
    pub fn extents(&self) -> (usize, usize) {
        (self.parameters.outputs, self.parameters.classes.len())
    }
}

fn optional(folder: &Path, name: &str, limit: u64) -> Result<Option<(PathBuf, Vec<u8>)>, FileError> {
    let path = folder.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = files::read(&path, limit)?;
    Ok(Some((path, bytes)))
}
