//! Ed25519 signatures on audits, approvals, envelopes and ceremonies.
//!
//! A signature always covers a domain and parts, hashed as in [`Hash::of`]: a signature made for one purpose is invalid
//! for any other. Keys are text: `ed25519:` and 64 hexadecimal digits for a public key; a secret key file holds one
//! line, `ed25519-secret:` and 64 digits, readable by its owner only.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::Signer;
use host::files::{self, Access, FileError};
use rand::TryRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::hash::{Hash, from_hex, to_hex};

/// A public key that checks signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

/// A secret key that signs; never printed.
#[allow(missing_debug_implementations)] // secret
pub struct SigningKey(ed25519_dalek::SigningKey);

/// An invalid signature, or text that is not a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Text that is not a public key.
    #[error("'{0}' is not a public key: write ed25519: and 64 hexadecimal digits")]
    PublicKey(String),
    /// A file that does not hold a secret key.
    #[error("{0}: not a secret key: it must hold one line, ed25519-secret: and 64 hexadecimal digits")]
    SecretKey(PathBuf),
    /// A key file that others can read.
    #[error(
        "{}: others can read it (mode {mode:03o}); close it with `chmod 600`, and draw a new one if others may have read it",
        path.display()
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Text that is not a signature.
    #[error("the signature cannot be read: it must have 128 hexadecimal digits")]
    Format,
    /// An approval of an older version, without totals and without an end.
    #[error("this approval names no totals and has no end, so it does not count: ask the approver to sign a new one")]
    OldApproval,
    /// This key did not make the signature on this text.
    #[error("the signature is invalid: {what} was changed, or signed by another key than {key}")]
    Wrong {
        /// What was signed.
        what: &'static str,
        /// The expected signer.
        key: VerifyingKey,
    },
    /// The key file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The operating system provides no randomness.
    #[error("no randomness from the operating system: {0}")]
    Random(String),
}

impl VerifyingKey {
    /// Checks a signature over `parts` for the purpose `domain`; `what` describes the signed object in the error.
    ///
    /// # Errors
    /// [`SignatureError::Wrong`].
    pub fn verify(
        &self,
        domain: &str,
        parts: &[&[u8]],
        signature: &[u8; 64],
        what: &'static str,
    ) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        let wrong = || SignatureError::Wrong { what, key: self.clone() };
        // Strict: refuses signatures by a key of small order, which are valid for several texts.
        self.0.verify_strict(&Hash::of(domain, parts).0, &signature).map_err(|_| wrong())
    }

    /// Checks a signature over a plain text, as third-party formats require; returns whether it is valid.
    pub fn verify_text(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(text, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    /// The 32 bytes of the key.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// A key from its 32 bytes; none if they are not a point of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes).ok().map(Self)
    }
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SignatureError::Random`].
    pub fn generate() -> Result<Self, SignatureError> {
        let mut seed = Zeroizing::new([0; 32]);
        rand::rngs::SysRng
            .try_fill_bytes(seed.as_mut_slice())
            .map_err(|error| SignatureError::Random(error.to_string()))?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// Reads a key file, which only its owner may be able to read.
    ///
    /// # Errors
    /// The file cannot be read, others can read it, or it holds no key.
    pub fn load(path: &Path) -> Result<Self, SignatureError> {
        #[cfg(unix)]
        {
            let fail = |source| FileError::System { path: path.to_owned(), action: "read", source };
            let data = std::fs::metadata(path).map_err(fail)?;
            let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o777;
            if data.is_file() && mode & 0o077 != 0 {
                return Err(SignatureError::Readable { path: path.to_owned(), mode });
            }
        }
        let text = Zeroizing::new(files::read_text(path, 4096)?);
        let seed = text.trim().strip_prefix("ed25519-secret:").and_then(from_hex::<32>).map(Zeroizing::new);
        let seed = seed.ok_or_else(|| SignatureError::SecretKey(path.to_owned()))?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// Writes a new key file, readable by its owner only; an existing file is left alone.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn save_new(&self, path: &Path) -> Result<(), SignatureError> {
        let seed = Zeroizing::new(self.0.to_bytes());
        let digits = Zeroizing::new(to_hex(seed.as_slice()));
        let line = Zeroizing::new(format!("ed25519-secret:{}\n", digits.as_str()));
        Ok(files::write_new(path, line.as_bytes(), Access::Secret)?)
    }

    /// Signs `parts` for the purpose `domain`.
    pub fn sign(&self, domain: &str, parts: &[&[u8]]) -> [u8; 64] {
        self.0.sign(&Hash::of(domain, parts).0).to_bytes()
    }

    /// Signs a plain text, as third-party formats require. No such text is 32 bytes long, the length that
    /// [`SigningKey::sign`] signs.
    pub fn sign_text(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }

    /// The secret itself, for the messages of a ceremony.
    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key that checks its signatures.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }
}

/// The 64 bytes of a signature from 128 hexadecimal digits.
///
/// # Errors
/// [`SignatureError::Format`].
pub fn parse_signature(text: &str) -> Result<[u8; 64], SignatureError> {
    from_hex(text).ok_or(SignatureError::Format)
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}", to_hex(&self.0.to_bytes()))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for VerifyingKey {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let bytes = text.strip_prefix("ed25519:").and_then(from_hex);
        let key = bytes.and_then(|bytes| Self::from_bytes(&bytes));
        key.ok_or_else(|| SignatureError::PublicKey(text.chars().take(80).collect()))
    }
}

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that the whole machine could read once signed without an error.
    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        let key = SigningKey::generate().unwrap();
        key.save_new(&path).unwrap();
        assert!(SigningKey::load(&path).unwrap().verifying_key() == key.verifying_key());
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = SigningKey::load(&path).err().unwrap();
            assert!(matches!(error, SignatureError::Readable { mode: found, .. } if found == mode), "{error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        SigningKey::load(&path).unwrap();
    }
}
