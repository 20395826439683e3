//! TLS with rustls, and client certificates if wanted. Files that are replaced while the server runs are read again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::CertificateNames;
use super::expiry;
use super::names::Names;
use super::stamp::Stamp;
use crate::files::{self, FileError};

/// The files of TLS, all in PEM.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// The server's chain, leaf first.
    pub certificates: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Certificate authorities whose clients are accepted; if `None`, no client certificate is requested.
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

/// What a server shows and is called, as its files say at the moment.
pub(super) struct Identity {
    tls: Option<TlsOptions>,
    loopback: bool,
    /// Names besides those in the certificate.
    names: Vec<String>,
    current: RwLock<Current>,
    stamp: Mutex<Stamp>,
}

/// The same, of one moment.
#[derive(Clone)]
pub(super) struct Current {
    pub acceptor: Option<TlsAcceptor>,
    pub names: Arc<Names>,
    /// Seconds since 1970 when the certificate ends.
    pub expires: Option<i64>,
}

impl Identity {
    /// Reads the files. `names`: besides those in the certificate; `loopback`: only this machine reaches the server.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub fn new(tls: Option<TlsOptions>, names: Vec<String>, loopback: bool) -> Result<Self, TlsError> {
        let stamp = Stamp::of(paths(tls.as_ref()));
        let current = Current::read(tls.as_ref(), loopback, &names)?;
        Ok(Self { tls, loopback, names, current: RwLock::new(current), stamp: Mutex::new(stamp) })
    }

    /// As the files say.
    pub fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again if they were written since; else `None`. Unusable files change nothing. Blocks on file
    /// access, so it is not for an async thread.
    pub fn refresh(&self) -> Option<Result<(), TlsError>> {
        let mut known = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(paths(self.tls.as_ref()));
        if *known == stamp {
            return None;
        }
        *known = stamp;
        let read = Current::read(self.tls.as_ref(), self.loopback, &self.names);
        Some(read.map(|current| *self.current.write().unwrap_or_else(PoisonError::into_inner) = current))
    }
}

impl Current {
    fn read(tls: Option<&TlsOptions>, loopback: bool, names: &[String]) -> Result<Self, TlsError> {
        let mut names = names.to_vec();
        let (mut acceptor, mut expires) = (None, None);
        if let Some(tls) = tls {
            acceptor = Some(TlsAcceptor::from(tls.server()?));
            let chain = certificates(&tls.certificates)?;
            names.extend(chain.first().and_then(CertificateNames::of).map(|names| names.dns).unwrap_or_default());
            // The first of the chain that ends ends all of it.
            expires = chain.iter().filter_map(expiry::of_certificate).min();
        }
        Ok(Self { acceptor, names: Arc::new(Names::new(loopback, names)), expires })
    }
}

fn paths(tls: Option<&TlsOptions>) -> impl Iterator<Item = &Path> {
    let own = tls.map(|tls| [Some(&tls.certificates), Some(&tls.key), tls.client_authorities.as_ref()]);
    own.into_iter().flatten().flatten().map(PathBuf::as_path)
}

impl TlsOptions {
    /// What the accept loop needs.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    fn server(&self) -> Result<Arc<ServerConfig>, TlsError> {
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
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
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
