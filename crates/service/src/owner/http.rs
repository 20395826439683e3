//! Requests of the owner: blocking, bounded, without redirects.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::files::{self, FileError, is_plain_name};
use crate::oip::HEADER_LENGTH;
use crate::predictor::Answer;

/// Maximum size of a public key, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 512 << 20;
const MAX_ANSWER: u64 = 16 << 20;
/// Longest time for one request.
const PATIENCE: Duration = Duration::from_secs(180);

/// How to reach a predictor.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOptions {
    /// `https://host:port` or, on loopback, `http://host:port`.
    pub url: String,
    /// A bearer token.
    pub token: Option<String>,
    /// Authorities of the server's certificate, in PEM; none means those of the web.
    pub authorities: Option<PathBuf>,
    /// Certificate and key to show, in PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// A connection to one predictor.
pub struct Connection {
    agent: Agent,
    url: String,
    token: Option<String>,
    patience: Duration,
}

/// A server's refusal of a request.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status.
    pub status: u16,
    /// What it said, as `application/problem+json`.
    pub body: serde_json::Value,
}

impl Problem {
    /// Every reason, or what it said instead of any.
    pub fn reason(&self) -> String {
        let reasons = self.body["reasons"].as_array().into_iter().flatten().filter_map(|reason| reason.as_str());
        let reasons: Vec<&str> = reasons.collect();
        let said =
            if reasons.is_empty() { vec![self.body["detail"].as_str().unwrap_or("no reason given")] } else { reasons };
        said.join("; ").chars().filter(|c| !c.is_control()).take(2000).collect()
    }
}

/// A server that cannot be reached, or that refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is none.
    #[error("url: '{0}' is not an address; write https://HOST:PORT, or http:// on this machine alone")]
    Url(String),
    /// A name that is not allowed in an address.
    #[error("model: '{0}' is not a name for a model")]
    Name(String),
    /// A certificate file.
    #[error("TLS {0}")]
    File(#[from] FileError),
    /// A file that holds no certificate or key.
    #[error("TLS {0}: holds no certificate or key in PEM")]
    Certificate(PathBuf),
    /// No answer.
    #[error("{url}: {source}")]
    Transport {
        /// The address.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The server's certificate is not one of those that are trusted.
    #[error(
        "{url}: {problem}; name the authority that signed this certificate, or the certificate if it signed itself"
    )]
    Untrusted {
        /// The address.
        url: String,
        /// Why.
        problem: String,
    },
    /// The server refused.
    #[error("{url}: refused with {status}: {detail}")]
    Refused {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// What it said.
        detail: String,
        /// Seconds after which to try again.
        retry_after: Option<u64>,
    },
    /// The answer is not what was asked for.
    #[error("{url}: the answer cannot be read: {problem}")]
    Answer {
        /// The address.
        url: String,
        /// Why.
        problem: String,
    },
}

#[derive(Deserialize)]
struct Infer {
    outputs: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    name: String,
    data: serde_json::Value,
}

impl Connection {
    /// Prepares; nothing is sent yet.
    ///
    /// # Errors
    /// An address that is none, plain HTTP beyond loopback, or certificates that cannot be read.
    pub fn new(options: ConnectionOptions) -> Result<Self, ClientError> {
        let url = options.url.trim_end_matches('/').to_owned();
        let uri: ureq::http::Uri = url.parse().map_err(|_| ClientError::Url(url.clone()))?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let secure = uri.scheme_str() == Some("https");
        if host.is_empty() || !(secure || (uri.scheme_str() == Some("http") && local)) {
            return Err(ClientError::Url(url));
        }
        let mut tls = TlsConfig::builder();
        if let Some(path) = &options.authorities {
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates(path)?));
        }
        if let Some((chain, key)) = &options.certificate {
            let bytes = files::read(key, 1 << 20)?;
            let private = PrivateKey::from_pem(&bytes).map_err(|_| ClientError::Certificate(key.clone()))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&certificates(chain)?, private)));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            .tls_config(tls.build())
            .build();
        Ok(Self { agent: config.into(), url, token: options.token, patience: PATIENCE })
    }

    /// The same, with another longest time for one request.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The body at a path of plain names.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn get(&self, path: &[&str], limit: usize) -> Result<Vec<u8>, ClientError> {
        Ok(self.get_with(path, limit, "")?.0)
    }

    /// As [`Connection::get`], and the value of one header, where the answer has it.
    pub(super) fn get_with(
        &self,
        path: &[&str],
        limit: usize,
        header: &str,
    ) -> Result<(Vec<u8>, Option<String>), ClientError> {
        if let Some(name) = path.iter().find(|name| !is_plain_name(name)) {
            return Err(ClientError::Name((*name).to_owned()));
        }
        let url = format!("{}/{}", self.url, path.join("/"));
        let mut request = self.agent.get(&url).config().timeout_global(Some(self.patience)).build();
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|source| transport(&url, source))?;
        let body = read(&url, &mut response, limit as u64)?;
        check(&url, &response, &body)?;
        let header = response.headers().get(header).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        Ok((body, header))
    }

    /// Posts bytes to a path of plain names.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn post_bytes(&self, path: &[&str], bytes: &[u8]) -> Result<(), ClientError> {
        if let Some(name) = path.iter().find(|name| !is_plain_name(name)) {
            return Err(ClientError::Name((*name).to_owned()));
        }
        let url = format!("{}/{}", self.url, path.join("/"));
        let mut request = self.agent.post(&url).config().timeout_global(Some(self.patience)).build();
        request = request.header("content-type", "application/octet-stream");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.send(bytes).map_err(|source| transport(&url, source))?;
        let body = read(&url, &mut response, MAX_ANSWER)?;
        check(&url, &response, &body)
    }

    /// Posts JSON to a path of plain names; the answer, or what the server refused with.
    ///
    /// # Errors
    /// [`ClientError`] if no answer arrives or it cannot be read.
    pub fn post(
        &self,
        path: &[&str],
        body: &serde_json::Value,
        limit: usize,
    ) -> Result<Result<serde_json::Value, Problem>, ClientError> {
        if let Some(name) = path.iter().find(|name| !is_plain_name(name)) {
            return Err(ClientError::Name((*name).to_owned()));
        }
        let url = format!("{}/{}", self.url, path.join("/"));
        let mut request = self.agent.post(&url).config().timeout_global(Some(self.patience)).build();
        request = request.header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.send(body.to_string().as_bytes()).map_err(|source| transport(&url, source))?;
        let bytes = read(&url, &mut response, limit as u64)?;
        let status = response.status();
        let value = serde_json::from_slice(&bytes);
        if !status.is_success() {
            return Ok(Err(Problem { status: status.as_u16(), body: value.unwrap_or_default() }));
        }
        value.map(Ok).map_err(|error| ClientError::Answer { url, problem: error.to_string() })
    }

    /// Sends ciphertexts or envelopes to a model; the answers are in the same order.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn infer(&self, model: &str, items: &[Vec<u8>]) -> Result<Vec<Answer>, ClientError> {
        if !is_plain_name(model) {
            return Err(ClientError::Name(model.to_owned()));
        }
        let url = format!("{}/v2/models/{model}/infer", self.url);
        let size: usize = items.iter().map(|item| 4 + item.len()).sum();
        let input = json!({
            "name": "ciphertext", "datatype": "BYTES", "shape": [items.len()],
            "parameters": { "binary_data_size": size },
        });
        let json = json!({ "inputs": [input] }).to_string();
        // In pieces: byte by byte it took milliseconds in a build that is not optimised.
        let mut body = Vec::with_capacity(json.len() + size);
        body.extend_from_slice(json.as_bytes());
        for item in items {
            body.extend_from_slice(&(item.len() as u32).to_le_bytes());
            body.extend_from_slice(item);
        }
        let mut request = self
            .agent
            .post(&url)
            .config()
            .timeout_global(Some(self.patience))
            .build()
            .header("content-type", "application/octet-stream")
            .header(HEADER_LENGTH, json.len().to_string());
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.send(&body[..]).map_err(|source| transport(&url, source))?;
        let body = read(&url, &mut response, MAX_ANSWER)?;
        check(&url, &response, &body)?;
        answers(&body, items.len()).map_err(|problem| ClientError::Answer { url, problem })
    }
}

fn answers(body: &[u8], items: usize) -> Result<Vec<Answer>, String> {
    let answer: Infer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let find = |name: &str| {
        let tensor = answer.outputs.iter().find(|tensor| tensor.name == name);
        tensor.map(|tensor| tensor.data.clone()).ok_or_else(|| format!("output '{name}' is missing"))
    };
    let output: Vec<i64> = serde_json::from_value(find("output")?).map_err(|error| error.to_string())?;
    let probabilities: Vec<f32> = serde_json::from_value(find("probabilities")?).map_err(|error| error.to_string())?;
    let labels: Vec<String> = serde_json::from_value(find("label")?).map_err(|error| error.to_string())?;
    if items == 0
        || labels.len() != items
        || !output.len().is_multiple_of(items)
        || !probabilities.len().is_multiple_of(items)
    {
        return Err(format!("{} labels for {items} items", labels.len()));
    }
    let (s, c) = (output.len() / items, probabilities.len() / items);
    let row = |(item, label): (usize, String)| Answer {
        output: output[item * s..(item + 1) * s].to_vec(),
        probabilities: probabilities[item * c..(item + 1) * c].to_vec(),
        label,
    };
    Ok(labels.into_iter().enumerate().map(row).collect())
}

fn read(url: &str, response: &mut Response<ureq::Body>, limit: u64) -> Result<Vec<u8>, ClientError> {
    response.body_mut().with_config().limit(limit).read_to_vec().map_err(|source| transport(url, source))
}

fn check(url: &str, response: &Response<ureq::Body>, body: &[u8]) -> Result<(), ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("no reason given").chars().take(500).collect();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    Err(ClientError::Refused { url: url.to_owned(), status: status.as_u16(), detail, retry_after })
}

fn transport(url: &str, source: ureq::Error) -> ClientError {
    let url = url.to_owned();
    match untrusted(&source) {
        Some(problem) => ClientError::Untrusted { url, problem },
        None => ClientError::Transport { url, source: Box::new(source) },
    }
}

/// What is wrong with the signature of the server's certificate, if that ended the connection.
fn untrusted(error: &ureq::Error) -> Option<String> {
    let ureq::Error::Io(error) = error else { return None };
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    use rustls::CertificateError::{BadSignature, UnknownIssuer};
    matches!(inner, rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature)).then(|| inner.to_string())
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, ClientError> {
    let bytes = files::read(path, 1 << 20)?;
    let found: Vec<_> = parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() { Err(ClientError::Certificate(path.to_owned())) } else { Ok(found) }
}
