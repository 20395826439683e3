//! Secrets at rest: the master key, or a share of it, inside an [age](https://age-encryption.org) file.
//!
//! The file is readable by its owner only (mode 0600) and appears under its name
//! only when complete. `age --decrypt` opens it too.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use age::secrecy::{ExposeSecret, SecretString};
use host::files::{self, Access, FileError};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::closed::{self, ClosedError};
use crate::pkcs11::{TokenError, TokenKey, uri::SCHEME};
use qfe::{MasterKey, QuadraticMap, shares::KeyShare};

/// Largest file that is read: the largest master key, and room for age's frame.
const MAX_BYTES: u64 = 64 * QuadraticMap::MAX_INPUTS as u64 + (1 << 20);
/// Largest identity file that is read.
const MAX_IDENTITY: u64 = 1 << 16;
/// Largest cost of a passphrase that is accepted: `2^22` of scrypt.
const MAX_WORK_FACTOR: u8 = 22;

/// Why a secret file cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// An authority that holds only a share has no master key to write.
    #[error("this authority holds a share, not a master key: keep the files of the share")]
    Share,
    /// The file exists already.
    #[error("{}: exists already; choose another path or remove it", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("{}: {source}; check that the folder exists and that you may use it", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// An identity in the clear that others can read.
    #[error("{}: others can read it (mode {mode:03o}); close it with `chmod 600`, and draw a new one if others may have read it", path.display())]
    Readable {
        /// The path.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is larger than any secret of this kind.
    #[error("{}: longer than {most} bytes; this is not a file of that kind", path.display())]
    Size {
        /// The path.
        path: PathBuf,
        /// The most bytes of such a file.
        most: u64,
    },
    /// The text is not an age recipient or identity.
    #[error(
        "`{field}` is not an age key ({reason}): a recipient begins with `age1`, an identity with `AGE-SECRET-KEY-1`"
    )]
    AgeKey {
        /// `recipient` or `identity`.
        field: &'static str,
        /// age's error.
        reason: String,
    },
    /// age could not encrypt.
    #[error("{}: cannot encrypt: {reason}", path.display())]
    Encrypt {
        /// The path.
        path: PathBuf,
        /// age's error.
        reason: String,
    },
    /// age could not decrypt: another passphrase or identity, or a damaged file.
    #[error("{}: cannot decrypt: {reason}; check the passphrase or identity, and that the file is whole", path.display())]
    Decrypt {
        /// The path.
        path: PathBuf,
        /// age's error.
        reason: String,
    },
    /// A key in a PKCS#11 token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The decrypted content has the wrong form.
    #[error(transparent)]
    Content(FileError),
}

impl From<ClosedError> for KeyFileError {
    fn from(error: ClosedError) -> Self {
        match error {
            ClosedError::Io { path, source } => Self::Io { path, source },
            ClosedError::Readable { path, mode } => Self::Readable { path, mode },
            ClosedError::Size { path, most } => Self::Size { path, most },
        }
    }
}

/// Who can decrypt a secret.
#[allow(missing_debug_implementations)] // secret
pub enum Lock {
    /// Anybody who knows a passphrase (about one second of work per guess).
    Passphrase(SecretString),
    /// The holder of an X25519 identity.
    Recipient(age::x25519::Recipient),
    /// A P-256 key in a token.
    Token(age::tag::Recipient),
}

/// The passphrase or identity that decrypts a secret.
#[allow(missing_debug_implementations)] // secret
pub enum Unlock {
    /// The passphrase.
    Passphrase(SecretString),
    /// The X25519 identity.
    Identity(age::x25519::Identity),
    /// A P-256 key that stays in a PKCS#11 token.
    Token(Box<TokenKey>),
}

impl Lock {
    /// A lock that a passphrase opens.
    pub fn passphrase(passphrase: String) -> Self {
        Self::Passphrase(SecretString::from(passphrase))
    }

    /// A lock for a recipient, `age1…`; of a key in a token, `age1tag1…`.
    ///
    /// # Errors
    /// The text is not a recipient.
    pub fn recipient(text: &str) -> Result<Self, KeyFileError> {
        let text = text.trim();
        let lock = match text.starts_with("age1tag1") {
            true => text.parse().map(Self::Token),
            false => text.parse().map(Self::Recipient),
        };
        lock.map_err(|reason: &str| KeyFileError::AgeKey { field: "recipient", reason: reason.into() })
    }
}

impl Unlock {
    /// A passphrase.
    pub fn passphrase(passphrase: String) -> Self {
        Self::Passphrase(SecretString::from(passphrase))
    }

    /// An identity, `AGE-SECRET-KEY-1…`, alone or as an identity file with comments; or the address of a key in a token,
    /// `pkcs11:…`.
    ///
    /// # Errors
    /// No line of the text is an identity, or the token cannot be used.
    pub fn identity(text: &str) -> Result<Self, KeyFileError> {
        let mut lines = text.lines().map(str::trim);
        let key = lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or("");
        if key.starts_with(SCHEME) {
            return Ok(Self::Token(Box::new(TokenKey::open(key)?)));
        }
        age::x25519::Identity::from_str(key)
            .map(Self::Identity)
            .map_err(|reason| KeyFileError::AgeKey { field: "identity", reason: reason.into() })
    }

    /// An identity file, which only its owner may be able to read.
    ///
    /// # Errors
    /// The file cannot be read, others can read it, or it holds no identity.
    pub fn load_identity(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let file = closed::open(path, MAX_IDENTITY)?;
        let mut text = Zeroizing::new(String::with_capacity(MAX_IDENTITY as usize));
        file.take(MAX_IDENTITY).read_to_string(&mut text).map_err(io)?;
        Self::identity(&text)
    }

    /// The lock that the same secret opens.
    pub fn lock(&self) -> Lock {
        match self {
            Self::Passphrase(passphrase) => Lock::Passphrase(passphrase.clone()),
            Self::Identity(identity) => Lock::Recipient(identity.to_public()),
            Self::Token(key) => Lock::Token(key.recipient().clone()),
        }
    }

    /// The recipient `age1…` of an identity; none for a passphrase.
    pub fn recipient(&self) -> Option<String> {
        match self {
            Self::Passphrase(_) => None,
            Self::Identity(identity) => Some(identity.to_public().to_string()),
            Self::Token(key) => Some(key.recipient().to_string()),
        }
    }

    /// A fresh identity and the recipient text (`age1…`) that encrypts to it.
    pub fn generate_identity() -> (Self, String) {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        (Self::Identity(identity), recipient)
    }
}

/// Finds a key in a token, or lets the token draw one, and writes an identity file that says where it is; fails if the path
/// exists. Gives back its recipient, `age1tag1…`, and whether it was drawn.
///
/// # Errors
/// The token cannot be used, or the path exists or cannot be written.
pub fn save_token_identity(path: &Path, uri: &str) -> Result<(String, bool), KeyFileError> {
    if path.exists() {
        return Err(KeyFileError::Exists { path: path.to_owned() });
    }
    let (key, drawn) = TokenKey::open_or_draw(uri)?;
    let recipient = key.recipient().to_string();
    write_new(path, format!("# public key: {recipient}\n{}\n", key.uri()).as_bytes())?;
    Ok((recipient, drawn))
}

/// Draws a new identity and writes it as an identity file of age, in the clear, readable by its owner only. Fails if
/// the path exists. Returns its recipient, `age1…`.
///
/// # Errors
/// The path exists, or cannot be written.
pub fn save_new_identity(path: &Path) -> Result<String, KeyFileError> {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let text = Zeroizing::new(format!("# public key: {recipient}\n{}\n", secret.expose_secret()));
    write_new(path, text.as_bytes())?;
    Ok(recipient)
}

/// Writes a master key; fails if the path exists.
///
/// # Errors
/// The path exists, or cannot be written.
pub fn save_master_key(path: &Path, key: &MasterKey, lock: &Lock) -> Result<(), KeyFileError> {
    save(path, &key.to_bytes(), lock)
}

/// Reads a master key.
///
/// # Errors
/// The file cannot be read, does not open with this secret, or holds no master key.
pub fn load_master_key(path: &Path, unlock: &Unlock) -> Result<MasterKey, KeyFileError> {
    let bytes = load(path, unlock, MAX_BYTES)?;
    MasterKey::from_bytes(&bytes).map_err(|error| KeyFileError::Content(FileError::content(path, error)))
}

/// Writes a share of a master key; fails if the path exists.
///
/// # Errors
/// The path exists, or cannot be written.
pub fn save_key_share(path: &Path, share: &KeyShare, lock: &Lock) -> Result<(), KeyFileError> {
    save(path, &share.to_bytes(), lock)
}

/// Reads a share of a master key; the commitments show which key it belongs to.
///
/// # Errors
/// The file cannot be read, does not open with this secret, or holds no share.
pub fn load_key_share(path: &Path, unlock: &Unlock) -> Result<KeyShare, KeyFileError> {
    let bytes = load(path, unlock, MAX_BYTES)?;
    KeyShare::from_bytes(&bytes).map_err(|error| KeyFileError::Content(FileError::content(path, error)))
}

/// Encrypts `secret` into a new file.
pub(crate) fn save(path: &Path, secret: &[u8], lock: &Lock) -> Result<(), KeyFileError> {
    if path.exists() {
        return Err(KeyFileError::Exists { path: path.to_owned() });
    }
    let sealed = seal(secret, lock).map_err(|reason| KeyFileError::Encrypt { path: path.to_owned(), reason })?;
    write_new(path, &sealed)
}

/// Encrypts `secret`; returns the reason if age cannot.
pub(crate) fn seal(secret: &[u8], lock: &Lock) -> Result<Vec<u8>, String> {
    let encryptor = match lock {
        Lock::Passphrase(passphrase) => age::Encryptor::with_user_passphrase(passphrase.clone()),
        Lock::Recipient(recipient) => {
            age::Encryptor::with_recipients(std::iter::once(recipient as _)).map_err(|error| error.to_string())?
        }
        Lock::Token(recipient) => {
            age::Encryptor::with_recipients(std::iter::once(recipient as _)).map_err(|error| error.to_string())?
        }
    };
    let mut sealed = Vec::with_capacity(secret.len() + 1024);
    let write = |sealed: &mut Vec<u8>| -> io::Result<()> {
        let mut writer = encryptor.wrap_output(sealed)?;
        writer.write_all(secret)?;
        writer.finish().map(|_| ())
    };
    write(&mut sealed).map_err(|error| error.to_string())?;
    Ok(sealed)
}

/// Writes a whole new file, or nothing.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    files::write_new(path, bytes, Access::Secret).map_err(|error| from_file(path, error))
}

fn from_file(path: &Path, error: FileError) -> KeyFileError {
    match error {
        FileError::System { path, source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
            KeyFileError::Exists { path }
        }
        FileError::System { path, source, .. } => KeyFileError::Io { path, source },
        FileError::TooLong { path, limit } => KeyFileError::Size { path, most: limit },
        other => KeyFileError::Io { path: path.to_owned(), source: io::Error::other(other) },
    }
}

/// Whether a file of [`save`] was made for this secret, even if its content is damaged.
pub(crate) fn is_for(path: &Path, unlock: &Unlock, most: u64) -> io::Result<bool> {
    let decryptor = match age::Decryptor::new(fs::File::open(path)?.take(most)) {
        Ok(decryptor) => decryptor,
        // Not an age file: no other secret opens it either.
        Err(_) => return Ok(true),
    };
    let opened = match unlock {
        Unlock::Passphrase(passphrase) => {
            let mut identity = age::scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MAX_WORK_FACTOR);
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).is_ok()
        }
        Unlock::Identity(identity) => decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).is_ok(),
        Unlock::Token(key) => decryptor.decrypt(std::iter::once(&**key as &dyn age::Identity)).is_ok(),
    };
    Ok(opened)
}

/// Decrypts a file of at most `most` bytes.
pub(crate) fn load(path: &Path, unlock: &Unlock, most: u64) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let sealed = files::read(path, most).map_err(|error| from_file(path, error))?;
    unseal(&sealed, unlock).map_err(|reason| KeyFileError::Decrypt { path: path.to_owned(), reason })
}

/// Decrypts the output of [`seal`]; returns the reason if age cannot.
pub(crate) fn unseal(sealed: &[u8], unlock: &Unlock) -> Result<Zeroizing<Vec<u8>>, String> {
    let decryptor = age::Decryptor::new(sealed).map_err(|error| error.to_string())?;
    let reader = match unlock {
        Unlock::Passphrase(passphrase) => {
            let mut identity = age::scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MAX_WORK_FACTOR);
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
        }
        Unlock::Identity(identity) => decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)),
        Unlock::Token(key) => decryptor.decrypt(std::iter::once(&**key as &dyn age::Identity)),
    };
    // The whole size is reserved, so that growing leaves no copies in memory.
    let mut secret = Zeroizing::new(Vec::with_capacity(sealed.len()));
    let mut reader = reader.map_err(|error| error.to_string())?;
    reader.read_to_end(&mut secret).map_err(|error| error.to_string())?;
    Ok(secret)
}
