//! Certificates, and a TLS client read by hand.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use service::transport::{ServerOptions, TlsOptions};

/// A certificate and its key, in files.
#[derive(Clone)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A self-signed certificate with a common name and a DNS name.
pub fn identity(folder: &Path, common_name: &str, dns: &str) -> Identity {
    let mut params = CertificateParams::new([dns.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let path = |end: &str| folder.join(format!("{common_name}.{end}"));
    std::fs::write(path("pem"), certificate.pem()).unwrap();
    std::fs::write(path("key"), key.serialize_pem()).unwrap();
    Identity { certificate: path("pem"), key: path("key") }
}

/// A server on loopback with this certificate, for clients of these.
pub fn server(own: &Identity, clients: &[Identity]) -> ServerOptions {
    let client_authorities = (!clients.is_empty()).then(|| {
        let path = own.certificate.with_extension("clients.pem");
        let all: String = clients.iter().map(|one| std::fs::read_to_string(&one.certificate).unwrap()).collect();
        std::fs::write(&path, all).unwrap();
        path
    });
    let tls = TlsOptions { certificates: own.certificate.clone(), key: own.key.clone(), client_authorities };
    ServerOptions { tls: Some(tls), ..super::loopback() }
}

/// A connection to a server that is called `localhost`.
pub fn connect(
    address: SocketAddr,
    server: &Identity,
    client: Option<&Identity>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let certificate = |one: &Identity| CertificateDer::from_pem_file(&one.certificate).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate(server)).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(one) => {
            let key = PrivateKeyDer::from_pem_file(&one.key).unwrap();
            config.with_client_auth_cert(vec![certificate(one)], key).unwrap()
        }
    };
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    StreamOwned::new(connection, stream)
}
