//! The owner's client: fetches and pins public parameters, encodes, encrypts, seals, sends, and counts what it sends.
//!
//! The client keeps a folder: `pins.json` (the hash of each model's parameters when they were accepted, and the newest
//! epoch of each project), `odometer.json` (how much was sent), and the public keys it fetched.

mod http;
mod odometer;
mod pins;
mod trust;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use encoder::Encoded;
use host::Progress;
use qfe::{Encryptor, PublicKey};
use rand::Rng;

pub use http::{ClientError, Connection, ConnectionOptions, Problem};
pub use odometer::{Limits, Odometer, OdometerError, Reading};
pub use pins::{Accepted, PinError, Pins};

use crate::audit::SignedAudit;
use crate::clock;
use crate::envelope::{Destination, Envelope, EnvelopeError};
use crate::files::{self, FileError};
use crate::hash::Hash;
use crate::parameters::{self, Parameters, ParametersError};
use crate::predictor::Answer;
use crate::signature::{SigningKey, VerifyingKey};

/// Ciphertexts of one request, unless the predictor takes fewer.
const BATCH: usize = 8;
/// Longest wait for a busy server.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which model, and how to treat it.
#[derive(Clone, Debug, Default)]
pub struct OwnerOptions {
    /// The predictor's name for the model.
    pub model: String,
    /// Hash of its parameters, from the authority.
    pub pin: Option<Hash>,
    /// The authority's key: parameters that it signed are taken, later others too. The first time, this or a pin is
    /// needed; what was accepted is held on to.
    pub authority: Option<VerifyingKey>,
    /// The authority's project that is meant; none means that of the parameters that were accepted first.
    pub project: Option<String>,
    /// The predictor's own name; if empty, host and port of its address.
    pub recipient: String,
    /// The purpose of the envelopes.
    pub context: String,
    /// Whom the items are about, for the count; empty counts all together.
    pub subject: String,
    /// How many items may be sent.
    pub limits: Limits,
    /// The auditor whose vote@k is trusted; without one, any audit that verifies serves for warnings only.
    pub auditor: Option<VerifyingKey>,
}

/// An owner that is ready to send to one model.
pub struct OwnerClient {
    connection: Connection,
    options: OwnerOptions,
    parameters: Parameters,
    encryptor: Encryptor,
    audit: Option<SignedAudit>,
    odometer: Odometer,
    sender: Option<SigningKey>,
}

/// What went wrong at the owner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerClientError {
    /// The server cannot be reached or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The parameters are not the pinned ones.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// Nothing says whether the parameters are the authority's.
    #[error(
        "public parameters: nothing authenticates those that the server sent, whose hash is {found}: ask the authority \
         for the pin or its key, and name either"
    )]
    Untrusted {
        /// Hash of what came.
        found: Hash,
    },
    /// The authority did not sign the parameters.
    #[error("public parameters: {problem}; ask the authority for the pin, or the predictor for a newer grant")]
    Unsigned {
        /// What is missing or wrong.
        problem: String,
    },
    /// The authority signed the parameters for something else.
    #[error(
        "public parameters: they are of project '{found}', but '{expected}' is expected: ask the authority which \
         project this model belongs to, and name it"
    )]
    Project {
        /// The authority whose parameters arrived.
        found: String,
        /// The authority that was expected.
        expected: String,
    },
    /// The authority signed newer ones.
    #[error(
        "public parameters of project '{project}': {problem}: the predictor serves old ones, whose key may have been \
         rotated away; ask it for the newest grant"
    )]
    Old {
        /// The project.
        project: String,
        /// The evidence.
        problem: String,
    },
    /// The pins cannot be read or written.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The public key does not belong to the parameters.
    #[error("public key: {0}; the server sent another key than the one in its parameters: ask the authority")]
    PublicKey(String),
    /// Too many items were sent.
    #[error(transparent)]
    Odometer(#[from] OdometerError),
    /// An image does not fit the encoder.
    #[error(transparent)]
    Encode(#[from] encoder::EncodeError),
    /// The integers cannot be encrypted.
    #[error(transparent)]
    Encrypt(#[from] qfe::EncryptError),
    /// The envelope cannot be sealed.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl OwnerClient {
    /// Fetches and checks what is needed to send to a model. `folder`: the client's own; `sender`: signs envelopes.
    ///
    /// # Errors
    /// [`OwnerClientError`]: no such model, other parameters than pinned, a key that does not belong to them.
    pub fn connect(
        connection: Connection,
        options: OwnerOptions,
        folder: &Path,
        sender: Option<SigningKey>,
        progress: &dyn Progress,
    ) -> Result<Self, OwnerClientError> {
        files::make_folder(folder)?;
        let path = ["v1", "models", &options.model, "parameters"];
        let (bytes, signature) = connection.get_with(&path, parameters::MAX_BYTES, parameters::SIGNATURE_HEADER)?;
        let name = format!("{} {}", connection.url(), options.model);
        let pins = Pins::open(folder.join("pins.json"));
        let (parameters, signature) = trust::check(&bytes, signature.as_deref(), &name, &options, &pins)?;
        let key = fetch_key(&connection, &options.model, &parameters, folder)?;
        // Only what was checked is held on to.
        pins.keep(&name, Hash::of_bytes(&bytes), signature.as_ref())?;
        let audit = fetch_audit(&connection, &options, &parameters)?;
        let odometer = Odometer::open(folder.join("odometer.json"));
        let encryptor = Encryptor::new(&key, progress);
        Ok(Self { connection, options, parameters, encryptor, audit, odometer, sender })
    }

    /// The parameters in use.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Sends images; the predictions are in the same order. What leaves is counted before it leaves, and nothing else.
    ///
    /// # Errors
    /// [`OwnerClientError`]: an image that does not fit, a limit that is reached (nothing is sent then), or the server.
    pub fn predict(&self, images: &[&[u8]]) -> Result<(Vec<Answer>, Reading), OwnerClientError> {
        let encoder = &self.parameters.encoder;
        let encoded = images.iter().map(|image| encoder.encode(image)).collect::<Result<Vec<_>, _>>()?;
        let summary = self.audit.as_ref().map(SignedAudit::summary);
        let about = odometer::About { public_key: self.parameters.public_key, subject: &self.options.subject };
        let limits = &self.options.limits;
        let mut reading = self.odometer.allow(&about, images.len() as u64, limits, summary)?;
        let mut answers = Vec::with_capacity(encoded.len());
        let mut size = BATCH;
        let mut counted = 0;
        while answers.len() < encoded.len() {
            let batch = &encoded[answers.len()..encoded.len().min(answers.len() + size)];
            // A smaller part of what was refused has left already.
            let new = (answers.len() + batch.len()).saturating_sub(counted);
            if new > 0 {
                reading = self.odometer.spend(&about, new as u64, limits, summary)?;
                counted += new;
            }
            let encrypt =
                |item: &Encoded| Ok(self.encryptor.encrypt(&item.u, &item.v, &mut host::fresh_rng())?.to_bytes());
            let bodies = batch.iter().map(encrypt).collect::<Result<Vec<_>, OwnerClientError>>()?;
            match self.send(&bodies) {
                // More items than it takes, or more bytes: less at a time.
                Err(OwnerClientError::Client(ClientError::Refused { status: 400 | 413, .. })) if batch.len() > 1 => {
                    size = batch.len() / 2;
                }
                sent => answers.extend(sent?),
            }
        }
        Ok((answers, reading))
    }

    /// Sends ciphertexts; waits and tries again as often as a busy server asks, within [`PATIENCE`].
    fn send(&self, bodies: &[Vec<u8>]) -> Result<Vec<Answer>, OwnerClientError> {
        let start = Instant::now();
        loop {
            // Sealed again each time: a server may have accepted the envelopes of a request that it then refused.
            let sealed = bodies.iter().map(|body| self.seal(body)).collect::<Result<Vec<_>, _>>()?;
            match self.connection.infer(&self.options.model, &sealed) {
                Err(ClientError::Refused { status: 429 | 503, retry_after: Some(seconds), .. })
                    if start.elapsed() + Duration::from_secs(seconds) < PATIENCE =>
                {
                    std::thread::sleep(Duration::from_secs(seconds));
                }
                answers => return Ok(answers?),
            }
        }
    }

    fn seal(&self, body: &[u8]) -> Result<Vec<u8>, OwnerClientError> {
        let mut nonce = [0; 16];
        host::fresh_rng().fill_bytes(&mut nonce);
        let envelope = Envelope {
            suite: qfe::SUITE,
            public_key: self.parameters.public_key,
            nonce,
            sent: clock::now(),
            destination: Some(Destination { network: self.parameters.network, recipient: self.recipient().to_owned() }),
            context: self.options.context.clone(),
            body: body.to_vec(),
            signer: None,
        };
        Ok(envelope.seal(self.sender.as_ref())?)
    }

    /// The predictor's own name.
    fn recipient(&self) -> &str {
        match self.options.recipient.as_str() {
            "" => self.connection.url().split_once("://").map_or("", |(_, host)| host),
            named => named,
        }
    }
}

/// The public key that the parameters name: from the folder, or from the server and then kept.
fn fetch_key(
    connection: &Connection,
    model: &str,
    parameters: &Parameters,
    folder: &Path,
) -> Result<PublicKey, OwnerClientError> {
    let path: PathBuf = folder.join(format!("{}.key", parameters.public_key));
    let fits = |bytes: &[u8]| {
        let key = PublicKey::from_bytes(bytes).map_err(|error| error.to_string())?;
        if key.id().as_bytes() != &parameters.public_key.0 {
            return Err(format!("has id {}, not {}", key.id(), parameters.public_key));
        }
        if key.inputs() != parameters.encoder.inputs() {
            let (found, expected) = (key.inputs(), parameters.encoder.inputs());
            return Err(format!("encrypts {found:?} inputs, but the encoder makes {expected:?}"));
        }
        Ok(key)
    };
    if path.exists() {
        // A damaged copy is fetched again.
        if let Ok(key) = fits(&files::read(&path, http::MAX_KEY_BYTES as u64)?) {
            return Ok(key);
        }
    }
    let bytes = connection.get(&["v1", "models", model, "public-key"], http::MAX_KEY_BYTES)?;
    let key = fits(&bytes).map_err(OwnerClientError::PublicKey)?;
    files::write(&path, &bytes)?;
    Ok(key)
}

/// The signed audit, if the server has one of this network by the auditor that counts.
fn fetch_audit(
    connection: &Connection,
    options: &OwnerOptions,
    parameters: &Parameters,
) -> Result<Option<SignedAudit>, OwnerClientError> {
    let bytes = match connection.get(&["v1", "models", &options.model, "audit"], crate::audit::MAX_BYTES) {
        Err(ClientError::Refused { status: 404, .. }) => return Ok(None),
        bytes => bytes?,
    };
    let trusted = |audit: &SignedAudit| options.auditor.as_ref().is_none_or(|auditor| auditor == audit.auditor());
    Ok(SignedAudit::from_bytes(&bytes).ok().filter(|audit| audit.network() == parameters.network && trusted(audit)))
}
