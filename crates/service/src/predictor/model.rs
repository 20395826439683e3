//! One model: a compiled network with the functional key that opens it.
//!
//! A model is a folder:
//!
//! ```text
//! digits/network.safetensors    the compiled network
//! digits/functional.key         opens it under one public key
//! digits/public.key             optional: sent to owners who ask
//! digits/grant.json             optional: the authority's grant; its expiry is enforced
//! digits/audit.json             optional: the signed audit, sent to owners who ask
//! digits/page.json              optional: additional content of the web page, samples and a cloud of outputs
//! digits/model.toml             optional: who may send what
//! ```

use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use qfe::LogTable;
pub use roles::ModelOptions;
use roles::{Admission, AdmissionError, FolderError, ModelFolder, Prediction, Step};

use crate::audit::{AuditError, SignedAudit};
use crate::clock;
use crate::files::FileError;
use crate::grant::GrantError;
use crate::hash::Hash;
use crate::page::PageFile;
use crate::parameters::Parameters;

/// A model that can predict.
pub struct Model {
    name: String,
    predictor: roles::Predictor,
    parameters: Parameters,
    pin: Hash,
    /// Files as they are sent, made once.
    files: Files,
    signature: Option<String>,
    admission: Admission,
}

struct Files {
    parameters: Bytes,
    public_key: Option<Bytes>,
    audit: Option<Bytes>,
    /// With its hash.
    page: Option<(Bytes, Hash)>,
}

/// The result for one ciphertext.
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
    /// The bytes are not a ciphertext.
    #[error("the ciphertext cannot be read: {0}")]
    Ciphertext(#[from] qfe::WireError),
    /// It cannot be evaluated with this key.
    #[error(transparent)]
    Evaluate(#[from] qfe::EvaluateError),
    /// The public head does not take the output.
    #[error("the public head: {0}")]
    Head(String),
    /// A fault in the evaluation, already in the log.
    #[error("the evaluation failed because of an internal error")]
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

/// A folder that is not a model.
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
        let hash = Hash(network.hash());
        let audit = files.audit.as_deref().map(SignedAudit::from_bytes).transpose()?;
        if audit.as_ref().is_some_and(|audit| audit.network() != hash) {
            return Err(mismatch("audit.json is for another network".into()));
        }
        let admission = Admission::read(folder, &files).map_err(|error| match error {
            AdmissionError::File(error) => ModelError::File(error),
            AdmissionError::Grant(error) => ModelError::Grant(error),
            other => mismatch(other.to_string()),
        })?;
        if let Some(bytes) = &files.page {
            let page =
                PageFile::from_bytes(bytes).map_err(|error| FileError::content(&folder.join("page.json"), error))?;
            if page.network != hash {
                return Err(mismatch("page.json is for another network".into()));
            }
        }
        let (outputs, classes) = (network.outputs(), network.classes().to_vec());
        let parameters = Parameters::new(public_key, hash, outputs, classes, network.encoder().clone());
        let predictor = files.predictor(Arc::clone(table)).map_err(|error| mismatch(error.to_string()))?;
        let bytes = parameters.to_bytes();
        let pin = Hash::of_bytes(&bytes);
        let signature = admission.grant().and_then(|file| file.parameters.as_ref());
        let signature =
            signature.filter(|signature| signature.check(&parameters, pin).is_ok()).map(ToString::to_string);
        let files = Files {
            parameters: bytes.into(),
            public_key: files.public_key.as_ref().map(|key| key.to_bytes().into()),
            audit: audit.as_ref().map(|audit| audit.to_bytes().into()),
            page: files.page.map(Bytes::from).map(|page| (page.clone(), Hash::of_bytes(&page))),
        };
        Ok(Self { name: name.to_owned(), predictor, parameters, pin, files, signature, admission })
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

    /// Its name for clients.
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

    /// The authority's signature of the parameters, if the grant has one that fits.
    pub fn parameters_signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// The page file and its hash, where the predictor has it.
    pub fn page(&self) -> Option<(Bytes, Hash)> {
        self.files.page.clone()
    }

    /// Who may send what.
    pub fn options(&self) -> &ModelOptions {
        self.admission.options()
    }

    /// What it accepts from whom, and until when.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Seconds since 1970 after which the key must not be used.
    pub fn expires(&self) -> Option<i64> {
        self.admission.expires()
    }

    /// Whether its key must not be used any more.
    pub fn is_expired(&self) -> bool {
        self.expires().is_some_and(|expires| clock::now() > expires)
    }

    /// Outputs S, and the number of main classes.
    pub fn extents(&self) -> (usize, usize) {
        (self.parameters.outputs, self.parameters.classes.len())
    }
}
