//! TLS with rustls, and client certificates if wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::CertificateNames;
use crate::files::{self, FileError};

/// The files of TLS, all in PEM.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// The server's chain, leaf first.
    pub certificates: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities whose clients are let in; none asks clients for nothing.
    pub client_authorities: Option<PathBuf>,
}

/// TLS files that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("TLS {0}")]
    File(#[from] FileError),
}

impl TlsOptions {
    /// What the accept loop needs.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub(super) fn server(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let key = files::read(&self.key, 1 << 20)?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| FileError::content(&self.key, error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| FileError::content(&self.certificates, error))?;
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|error| FileError::content(path, error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| FileError::content(path, error))?)
            }
        };
        let mut config = builder
            .with_single_cert(certificates(&self.certificates)?, key)
            .map_err(|error| FileError::content(&self.certificates, error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// The names of the server in its own certificate.
    pub(super) fn names(&self) -> Result<Vec<String>, TlsError> {
        let chain = certificates(&self.certificates)?;
        Ok(chain.first().and_then(CertificateNames::of).map(|names| names.dns).unwrap_or_default())
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = files::read(path, 1 << 20)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| FileError::content(path, error))?;
    if found.is_empty() {
        return Err(FileError::content(path, "holds no certificate in PEM").into());
    }
    Ok(found)
}
