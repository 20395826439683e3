//! The subject and the members of a ceremony: the file that all servers agree on beforehand.

use std::sync::Arc;

use qfe::shares::{Commitments, Sharing, ceremony::Ceremony};
use qfe::{PublicKey, QuadraticMap};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::AttendError;
use crate::hash::{Hash, from_hex, to_hex};
use crate::keyfile::{KeyFileError, Lock};
use crate::share::SharedKey;
use crate::signature::VerifyingKey;

const FORMAT: &str = "halflight ceremony";
const DOMAIN: &str = "halflight ceremony definition v1";
/// Maximum size of a definition in bytes: the largest key that is renewed, in hexadecimal.
pub(super) const MAX_BYTES: usize = 512 << 20;

/// A server as others know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerCard {
    /// Its name: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// What it signs with.
    pub key: VerifyingKey,
    /// The age recipient that shares for it are sealed to, `age1…`.
    pub recipient: String,
}

/// A ceremony: a new key, or new shares of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    format: String,
    version: u32,
    name: String,
    /// Drawn for this ceremony, so that no message is valid in another ceremony of the same servers.
    nonce: String,
    /// Inputs `(n, m)` of the key.
    inputs: (usize, usize),
    threshold: u16,
    /// Index of the server that ends steps: the clerk.
    clerk: u16,
    servers: Vec<ServerCard>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    renews: Option<Renews>,
    /// Indices of dealers whose dealings do not count, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    without: Vec<u16>,
}

/// A key whose shares are renewed, and the servers that hold them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Renews {
    public_key: String,
    commitments: String,
    holders: Vec<ServerCard>,
}

/// The terms that all servers must agree on, besides the servers themselves.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// A name for people.
    pub name: &'a str,
    /// Servers that will hold shares, in the order of their indices.
    pub servers: Vec<ServerCard>,
    /// The threshold: this many servers together learn nothing; one more can issue.
    pub threshold: u16,
    /// Index, from 1, of the server that ends steps.
    pub clerk: u16,
}

impl Definition {
    /// A new key for `n` and `m` inputs.
    ///
    /// # Errors
    /// Impossible names, keys, numbers or dimensions.
    pub fn generate(terms: Terms<'_>, inputs: (usize, usize)) -> Result<Self, AttendError> {
        Self::new(terms, inputs, None)
    }

    /// New shares of a key that is held by `holders` now, in the order of their indices.
    ///
    /// # Errors
    /// As [`Definition::generate`], or not as many holders as the key has.
    pub fn renew(terms: Terms<'_>, key: &SharedKey, holders: Vec<ServerCard>) -> Result<Self, AttendError> {
        let renews = Renews {
            public_key: to_hex(&key.public().to_bytes()),
            commitments: to_hex(&key.commitments().to_bytes()),
            holders,
        };
        Self::new(terms, key.public().inputs(), Some(renews))
    }

    fn new(terms: Terms<'_>, inputs: (usize, usize), renews: Option<Renews>) -> Result<Self, AttendError> {
        let Terms { name, servers, threshold, clerk } = terms;
        let (format, name, without) = (FORMAT.to_owned(), name.to_owned(), Vec::new());
        let new = Self { format, version: 1, name, nonce: nonce(), inputs, threshold, clerk, servers, renews, without };
        new.ceremony().map(|_| new)
    }

    /// The same again, for a ceremony that did not end: with a new nonce, so that no message of the first attempt is
    /// valid, another clerk, and without the dealings of these dealers, who withheld shares (indices, ascending).
    ///
    /// # Errors
    /// No such servers, or too few are left to deal.
    pub fn again(&self, clerk: u16, without: Vec<u16>) -> Result<Self, AttendError> {
        let again = Self { nonce: nonce(), clerk, without, ..self.clone() };
        again.ceremony().map(|_| again)
    }

    /// Reads a definition.
    ///
    /// # Errors
    /// It is not a definition, or is invalid.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AttendError> {
        let bad = |problem: String| AttendError::Definition { problem };
        if bytes.len() > MAX_BYTES {
            return Err(bad(format!("it has {} bytes, more than {MAX_BYTES}", bytes.len())));
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if read.format != FORMAT || read.version != 1 {
            return Err(bad(format!("its format is '{}', version {}", read.format, read.version)));
        }
        read.check().map(|()| read)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers only: cannot fail.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Checks everything, and returns the protocol that it defines. Its session depends on every field.
    ///
    /// # Errors
    /// Impossible names, keys, recipients, numbers or dimensions.
    pub fn ceremony(&self) -> Result<Arc<Ceremony>, AttendError> {
        let bad = |problem: String| AttendError::Definition { problem };
        self.check()?;
        let label = self.label();
        let keys = |servers: &[ServerCard]| servers.iter().map(|server| server.key.to_bytes()).collect::<Vec<_>>();
        let receivers = keys(&self.servers);
        let ceremony = match self.renewed()? {
            None => Ceremony::generate(self.inputs, &receivers, self.threshold, &label.0)?,
            Some(key) => {
                if key.public().inputs() != self.inputs {
                    return Err(bad("its inputs are not those of the key".into()));
                }
                let (public, holders) = (key.public(), keys(self.holders()));
                Ceremony::reshare(public, key.commitments(), &holders, &receivers, self.threshold, &label.0)?
            }
        };
        Ok(Arc::new(ceremony.without(&self.without)?))
    }

    /// The checks that do not need the key that is renewed.
    fn check(&self) -> Result<(), AttendError> {
        let bad = |problem: String| Err(AttendError::Definition { problem });
        if from_hex::<32>(&self.nonce).is_none() {
            return bad("its nonce is not 32 bytes".into());
        }
        check(&self.servers)?;
        check(self.holders())?;
        if self.clerk == 0 || usize::from(self.clerk) > self.servers.len() {
            return bad(format!(
                "clerk is {}: name the index of one of its {} servers",
                self.clerk,
                self.servers.len()
            ));
        }
        // Checked before anything is computed from them.
        Sharing::new(self.servers.len().try_into().unwrap_or(u16::MAX), self.threshold)?;
        check_inputs(self.inputs)
    }

    fn label(&self) -> Hash {
        Hash::of(DOMAIN, &[&serde_json::to_vec(self).unwrap_or_default()])
    }

    /// A name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Inputs `(n, m)` of the key.
    pub fn inputs(&self) -> (usize, usize) {
        self.inputs
    }

    /// Servers that will hold shares.
    pub fn servers(&self) -> &[ServerCard] {
        &self.servers
    }

    /// Servers that hold shares of the key that is renewed; none if a key is made.
    pub fn holders(&self) -> &[ServerCard] {
        self.renews.as_ref().map_or(&[], |renews| &renews.holders)
    }

    /// Servers that deal: the holders, or all servers if a key is made.
    pub fn dealers(&self) -> &[ServerCard] {
        if self.renews.is_some() { self.holders() } else { &self.servers }
    }

    /// Indices, from 1, of dealers whose dealings do not count.
    pub fn without(&self) -> &[u16] {
        &self.without
    }

    /// The threshold: this many servers together learn nothing.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// Its index, from 1.
    pub fn clerk_index(&self) -> u16 {
        self.clerk
    }

    /// The server that ends steps.
    pub fn clerk(&self) -> &ServerCard {
        // Checked wherever a definition comes from.
        &self.servers[usize::from(self.clerk) - 1]
    }

    /// The key whose shares are renewed.
    ///
    /// # Errors
    /// Its bytes are not a public key.
    pub fn renewed(&self) -> Result<Option<SharedKey>, AttendError> {
        let Some(renews) = &self.renews else { return Ok(None) };
        let bad = |field: &str, problem: String| AttendError::Definition { problem: format!("its {field}: {problem}") };
        let bytes = |field, text: &str| unhex(text).ok_or_else(|| bad(field, "not hexadecimal".into()));
        let public = PublicKey::from_bytes(&bytes("public key", &renews.public_key)?);
        let public = public.map_err(|error| bad("public key", error.to_string()))?;
        let commitments = Commitments::from_bytes(&bytes("commitments", &renews.commitments)?, &public);
        let commitments = commitments.map_err(|error| bad("commitments", error.to_string()))?;
        Ok(Some(SharedKey::new(public, commitments).map_err(|error| bad("commitments", error.to_string()))?))
    }

    /// The least number of messages with which steps 1 to 3 may end: all but as many as may be dishonest.
    pub(super) fn least(&self, step: u8) -> Result<usize, AttendError> {
        let receivers = self.servers.len() - usize::from(self.threshold);
        Ok(match self.renewed()? {
            Some(key) if step < 3 => key.seat().sharing.quorum(),
            _ => receivers,
        })
    }

    /// Maximum size of all messages of one step, in bytes.
    pub fn most(&self) -> u64 {
        let (n, m) = self.inputs;
        let servers = self.servers.len().max(self.holders().len()) as u64;
        let rows = (usize::from(Sharing::MAX_SERVERS) + 1).min(usize::from(self.threshold) + 1);
        let deal = (rows * n * 96 + m * 192 + 4096) as u64;
        let complaint = servers * (n * 32 + 4096) as u64;
        servers * deal.max(complaint) + 4096
    }
}

/// Drawn for one ceremony.
fn nonce() -> String {
    to_hex(&host::fresh_rng().random::<[u8; 32]>())
}

/// Servers with plain, distinct names and distinct recipients.
fn check(servers: &[ServerCard]) -> Result<(), AttendError> {
    for (place, server) in servers.iter().enumerate() {
        let bad = |problem: &str| {
            let name: String = server.name.chars().take(64).collect();
            Err(AttendError::Definition { problem: format!("server '{name}': {problem}") })
        };
        if !host::files::is_plain_name(&server.name) {
            return bad("name it with letters, digits, '-', '_' and '.'");
        }
        let recipient: Result<_, KeyFileError> = Lock::recipient(&server.recipient);
        if recipient.is_err() {
            return bad("its recipient is not an age recipient, age1…");
        }
        if servers[..place].iter().any(|other| other.name == server.name) {
            return bad("another server has this name");
        }
        if servers[..place].iter().any(|other| other.recipient == server.recipient) {
            return bad("another server has this recipient, and would read its shares");
        }
    }
    Ok(())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let value = |c: u8| if c <= b'9' { c - b'0' } else { c - b'a' + 10 };
    Some(digits.chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect())
}

/// Numbers of inputs that keys can be made for.
///
/// # Errors
/// There are none or too many.
pub(super) fn check_inputs((n, m): (usize, usize)) -> Result<(), AttendError> {
    QuadraticMap::check_dimensions(n, m, 1, 1).map_err(|error| AttendError::Definition { problem: error.to_string() })
}
