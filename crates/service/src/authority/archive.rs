//! Files of an authority that are named by their hash, and checked against it on reading. All operations here block:
//! see [`blocking`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::CompiledNetwork;
use qfe::PublicKey;
use roles::COMMITMENTS;

use super::AuthorityError;
use crate::audit::{self, SignedAudit};
use crate::files::{self, FileError};
use crate::hash::Hash;
use crate::policy::AuditEvidence;

/// Maximum size of a compiled network, in bytes.
pub const MAX_NETWORK_BYTES: usize = 64 << 20;

/// The folder of an authority.
#[derive(Clone, Debug)]
pub(super) struct Archive(Arc<Path>);

/// Runs a task that reads files or computes on a thread of its own, where it blocks no other request.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AuthorityError> {
    Ok(tokio::task::spawn_blocking(work).await?)
}

impl Archive {
    pub fn new(folder: &Path) -> Self {
        Self(folder.into())
    }

    /// A registered network.
    pub fn network(&self, hash: Hash) -> Result<CompiledNetwork, AuthorityError> {
        let path = self.network_path(hash);
        let network = CompiledNetwork::load(&path).map_err(|error| FileError::content(&path, error))?;
        if network.hash() != hash.0 {
            return Err(FileError::content(&path, "was changed: its hash is not its name").into());
        }
        Ok(network)
    }

    /// Whether a registered network is in this very file.
    pub fn holds_network(&self, hash: Hash, bytes: &[u8]) -> Result<bool, FileError> {
        Ok(files::read(&self.network_path(hash), MAX_NETWORK_BYTES as u64)? == bytes)
    }

    pub fn keep_network(&self, hash: Hash, bytes: &[u8]) -> Result<(), FileError> {
        files::write(&self.network_path(hash), bytes)
    }

    /// The network in `bytes`, if a key could open it.
    pub fn read_network(&self, bytes: &[u8]) -> Result<CompiledNetwork, String> {
        if bytes.len() > MAX_NETWORK_BYTES {
            return Err(format!("network: {} bytes, more than {MAX_NETWORK_BYTES}", bytes.len()));
        }
        // Networks are read from files; this one has no name until it is read.
        let write = || -> std::io::Result<tempfile::NamedTempFile> {
            let mut file = tempfile::NamedTempFile::new_in(self.0.join("networks"))?;
            std::io::Write::write_all(&mut file, bytes)?;
            Ok(file)
        };
        let file = write().map_err(|error| format!("network: cannot be stored: {error}"))?;
        let shown = file.path().display().to_string();
        CompiledNetwork::load(file.path())
            .map_err(|error| format!("network: {}", error.to_string().replace(&shown, "the file")))
    }

    /// The file of a public key.
    pub fn public_key(&self, id: Hash) -> Result<Vec<u8>, AuthorityError> {
        let path = self.key_folder(id).join("public.key");
        let bytes = files::read(&path, 512 << 20)?;
        match PublicKey::from_bytes(&bytes) {
            Ok(key) if key.id().as_bytes() == &id.0 => Ok(bytes),
            Ok(_) => Err(FileError::content(&path, "holds another public key").into()),
            Err(error) => Err(FileError::content(&path, error).into()),
        }
    }

    /// A recorded audit, as it was signed.
    pub fn audit_file(&self, hash: Hash) -> Result<Vec<u8>, FileError> {
        let path = self.audit_path(hash);
        let bytes = files::read(&path, audit::MAX_BYTES as u64)?;
        match Hash::of_bytes(&bytes) == hash {
            true => Ok(bytes),
            false => Err(FileError::content(&path, "was changed: its hash is not its name")),
        }
    }

    pub fn keep_audit(&self, hash: Hash, bytes: &[u8]) -> Result<(), FileError> {
        files::write(&self.audit_path(hash), bytes)
    }

    /// A recorded audit, read again, its signature checked, and compared with what the ledger says.
    pub fn audit(&self, known: &AuditEvidence) -> Result<AuditEvidence, AuthorityError> {
        let audit = SignedAudit::from_bytes(&self.audit_file(known.audit)?)?;
        let (summary, key) = (audit.summary(), audit.auditor());
        let same = audit.network() == known.network
            && summary.attribute == known.attribute
            && summary.high() == known.high
            && known.key.as_ref().is_none_or(|known| known == key);
        if !same {
            let path = self.audit_path(known.audit);
            return Err(FileError::content(&path, "does not agree with the ledger").into());
        }
        let (evidence, certificate) = (audit.evidence().cloned(), summary.certificate.clone());
        let balanced = summary.balanced_high();
        Ok(AuditEvidence { key: Some(key.clone()), evidence, certificate, balanced, ..known.clone() })
    }

    /// Commitments to the shares of a public key, where its key is in shares.
    pub fn commitments(&self, id: Hash) -> Result<Option<Vec<u8>>, AuthorityError> {
        let path = self.key_folder(id).join(COMMITMENTS);
        Ok(if path.exists() { Some(files::read(&path, 512 << 20)?) } else { None })
    }

    /// The folder of a public key and its master key.
    pub fn key_folder(&self, id: Hash) -> PathBuf {
        self.0.join("keys").join(id.to_string())
    }

    fn network_path(&self, hash: Hash) -> PathBuf {
        self.0.join("networks").join(format!("{hash}.safetensors"))
    }

    fn audit_path(&self, hash: Hash) -> PathBuf {
        self.0.join("audits").join(format!("{hash}.json"))
    }
}
