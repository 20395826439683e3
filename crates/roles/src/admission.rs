//! Who may send ciphertexts to a model, and the checks that are possible before an item costs an evaluation.
//!
//! The rules are in `model.toml` of the model's folder. Servers and batch jobs apply the same rules. Whether an
//! envelope is fresh and arrives for the first time, only a server can check.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use host::files::{self, FileError};
use qfe::{Kind, peek};
use serde::Deserialize;

use crate::clock;
use crate::envelope::{Envelope, EnvelopeError};
use crate::folder::ModelFolder;
use crate::grant::{GrantError, GrantFile};
use crate::hash::Hash;
use crate::signature::VerifyingKey;

const OPTIONS: &str = "model.toml";
const MAX_OPTIONS_BYTES: u64 = 1 << 20;

/// `model.toml`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelOptions {
    /// Refuse bare ciphertexts and unsigned envelopes.
    pub require_signature: bool,
    /// Who may send, where signatures are required: name = public key.
    pub senders: BTreeMap<String, VerifyingKey>,
    /// The context that envelopes must carry; if none, any context is accepted.
    pub context: Option<String>,
    /// The recipient that envelopes must name. If none, any recipient is accepted, and so are old envelopes, which name
    /// no recipient.
    pub recipient: Option<String>,
    /// Keys of authorities whose grants count; if empty, any grant that verifies counts.
    pub authorities: Vec<VerifyingKey>,
}

impl ModelOptions {
    /// Whether these options refuse bare ciphertexts.
    pub fn wants_envelope(&self) -> bool {
        self.context.is_some() || self.recipient.is_some()
    }

    /// Reads the options of a model's folder; without a file, the default ones.
    ///
    /// # Errors
    /// The file cannot be read, or holds an unknown option.
    pub fn read(folder: &Path) -> Result<Self, FileError> {
        let path = folder.join(OPTIONS);
        let Some(bytes) = files::read_if_there(&path, MAX_OPTIONS_BYTES)? else { return Ok(Self::default()) };
        let text = String::from_utf8(bytes).map_err(|error| FileError::content(&path, error))?;
        toml::from_str(&text).map_err(|error| FileError::content(&path, error))
    }
}

/// What a model accepts from whom, and until when: its options and its grant, checked against its network and key.
#[derive(Clone, Debug)]
pub struct Admission {
    options: ModelOptions,
    grant: Option<GrantFile>,
    public_key: Hash,
    network: Hash,
    inputs: (usize, usize),
}

/// A folder whose rules cannot be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// The options cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Options and grant do not fit the model, or each other.
    #[error("{0}")]
    Mismatch(String),
    /// The grant does not hold.
    #[error(transparent)]
    Grant(#[from] GrantError),
}

/// The functional key has expired.
#[derive(Debug, thiserror::Error)]
#[error("the functional key expired at {}; ask the authority for a new one", clock::utc(*.0))]
pub struct Expired(pub i64);

/// Why an item is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is neither a ciphertext nor an envelope.
    #[error("{0}")]
    Malformed(String),
    /// No permitted sender signed it.
    #[error("{0}")]
    Forbidden(String),
    /// It was made for something else.
    #[error("{0}")]
    Elsewhere(String),
}

/// An item that passed the checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted<'a> {
    /// The ciphertext, as it arrived.
    pub ciphertext: Cow<'a, [u8]>,
    /// Present if it arrived in an envelope.
    pub seal: Option<Seal>,
}

/// What identifies an envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Seal {
    /// A hash of signer and nonce.
    pub name: Hash,
    /// The signer, if it is a permitted sender.
    pub sender: Option<VerifyingKey>,
    /// The sending time that it states, in seconds since 1970.
    pub sent: i64,
}

impl Admission {
    /// The rules of a folder that has been read.
    ///
    /// # Errors
    /// [`AdmissionError`].
    pub fn read(folder: &Path, files: &ModelFolder) -> Result<Self, AdmissionError> {
        let mismatch = |problem: String| Err(AdmissionError::Mismatch(problem));
        let options = ModelOptions::read(folder)?;
        let public_key = Hash(*files.key.public_key_id().as_bytes());
        let network = Hash(files.network.hash());
        if options.require_signature && options.senders.is_empty() {
            return mismatch("model.toml requires signatures, but names no senders".into());
        }
        let grant = files.grant.as_deref().map(GrantFile::from_bytes).transpose()?;
        if let Some(file) = &grant {
            if file.grant.public_key != public_key || file.grant.network != network {
                return mismatch("grant.json is for another key".into());
            }
            if !options.authorities.is_empty() && !options.authorities.contains(&file.authority) {
                let problem = format!("grant.json is signed by {}, which model.toml does not name", file.authority);
                return mismatch(problem);
            }
        } else if !options.authorities.is_empty() {
            return mismatch("model.toml names authorities, but grant.json is missing".into());
        }
        Ok(Self { options, grant, public_key, network, inputs: files.network.encoder().inputs() })
    }

    /// The options.
    pub fn options(&self) -> &ModelOptions {
        &self.options
    }

    /// The grant, if the folder has one.
    pub fn grant(&self) -> Option<&GrantFile> {
        self.grant.as_ref()
    }

    /// The public key whose ciphertexts are opened.
    pub fn public_key(&self) -> Hash {
        self.public_key
    }

    /// Hash of the network whose outputs are opened.
    pub fn network(&self) -> Hash {
        self.network
    }

    /// Seconds since 1970 after which the key must not be used.
    pub fn expires(&self) -> Option<i64> {
        self.grant.as_ref().and_then(|file| file.grant.expires)
    }

    /// Refuses a key whose grant has expired at the given time.
    ///
    /// # Errors
    /// [`Expired`].
    pub fn check_expiry(&self, now: i64) -> Result<(), Expired> {
        self.expires().filter(|&expires| now > expires).map_or(Ok(()), |expired| Err(Expired(expired)))
    }

    /// The ciphertext in an item: the item itself, or the content of its envelope, once sender, context, destination
    /// and key have been checked.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn admit<'a>(&self, item: Cow<'a, [u8]>) -> Result<Admitted<'a>, Refusal> {
        let admitted = if Envelope::is(&item) {
            self.open(&item)?
        } else if self.options.require_signature || self.options.wants_envelope() {
            let what = match &self.options {
                options if options.require_signature => "signed envelopes",
                options if options.context.is_none() => "envelopes that name their recipient",
                _ => "envelopes with its context",
            };
            return Err(Refusal::Forbidden(format!("this model takes ciphertexts in {what} only; send one")));
        } else {
            Admitted { ciphertext: item, seal: None }
        };
        self.check_header(&admitted.ciphertext)?;
        Ok(admitted)
    }

    fn check_header(&self, ciphertext: &[u8]) -> Result<(), Refusal> {
        let unreadable = |error| Refusal::Malformed(format!("the ciphertext cannot be read: {error}"));
        let header = peek(ciphertext).map_err(unreadable)?;
        if header.kind != Kind::Ciphertext {
            return Err(Refusal::Malformed(format!("received a {}; send a ciphertext", header.kind)));
        }
        if header.public_key_id.as_bytes() != &self.public_key.0 {
            return Err(Refusal::Elsewhere(format!(
                "the ciphertext was made with public key {}, but this model opens {}; fetch its public key and encrypt \
                 again",
                header.public_key_id, self.public_key
            )));
        }
        if (header.n, header.m) != self.inputs {
            let (n, m) = self.inputs;
            return Err(Refusal::Elsewhere(format!(
                "the ciphertext has {} and {} inputs, but this model takes {n} and {m}",
                header.n, header.m
            )));
        }
        Ok(())
    }

    fn open(&self, item: &[u8]) -> Result<Admitted<'static>, Refusal> {
        let envelope = Envelope::open(item).map_err(|error| match error {
            EnvelopeError::Signature(error) => Refusal::Forbidden(error.to_string()),
            error => Refusal::Malformed(error.to_string()),
        })?;
        let options = &self.options;
        match &envelope.signer {
            None if options.require_signature => {
                return Err(Refusal::Forbidden("this model takes signed envelopes only".into()));
            }
            Some(key) if options.require_signature && !options.senders.values().any(|known| known == key) => {
                return Err(Refusal::Forbidden(format!("the sender {key} is not known to this model")));
            }
            _ => {}
        }
        if options.context.as_ref().is_some_and(|context| *context != envelope.context) {
            return Err(Refusal::Elsewhere("the envelope was made for another context than this model's".into()));
        }
        if envelope.public_key != self.public_key {
            return Err(Refusal::Elsewhere(format!(
                "the envelope names public key {}, but this model opens {}",
                envelope.public_key, self.public_key
            )));
        }
        let elsewhere = |error: EnvelopeError| Refusal::Elsewhere(error.to_string());
        envelope.check(qfe::SUITE, self.network, options.recipient.as_deref()).map_err(elsewhere)?;
        let signer = envelope.signer.as_ref().map(VerifyingKey::to_bytes).unwrap_or_default();
        let name = Hash::of("halflight envelope seen v1", &[&signer, &envelope.nonce]);
        // Anybody can generate keys; only a key that the model lists identifies a sender.
        let sender = envelope.signer.filter(|_| options.require_signature);
        let seal = Some(Seal { name, sender, sent: envelope.sent });
        Ok(Admitted { ciphertext: Cow::Owned(envelope.body), seal })
    }
}
