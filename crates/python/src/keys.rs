//! The authority's keys, what it publishes, and what it issues.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use qfe::{FormSpan, PublicKey};
use roles::keyfile::{self, Lock, Unlock};
use roles::{IssueError, Published, PublishedError};

use crate::compiled::CompiledNetwork;
use crate::encoder::Encoder;
use crate::error::{Mirrored, exception, raise};
use crate::pool::detached;

/// What the authority publishes: the public key and the encoder of its inputs.
#[pyclass(frozen, module = "halflight._native")]
pub struct Parameters {
    pub(crate) published: Arc<Published>,
}

#[pymethods]
impl Parameters {
    #[staticmethod]
    fn from_bytes(py: Python<'_>, key: &[u8], encoder: &Encoder) -> PyResult<Self> {
        let key = detached(py, || PublicKey::from_bytes(key))?.map_err(raise)?;
        let published = Published::new(key, (*encoder.inner).clone()).map_err(unpublished)?;
        Ok(Self { published: Arc::new(published) })
    }

    #[staticmethod]
    fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        let published = detached(py, || Published::read(&folder))?.map_err(unpublished)?;
        Ok(Self { published: Arc::new(published) })
    }

    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        detached(py, || self.published.write(&folder))?.map_err(unpublished)
    }

    fn key_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.published.key().to_bytes())
    }

    #[getter]
    fn encoder(&self) -> Encoder {
        self.published.encoder().clone().into()
    }

    #[getter]
    fn id(&self) -> String {
        self.published.key().id().to_string()
    }

    #[getter]
    fn inputs(&self) -> (usize, usize) {
        self.published.key().inputs()
    }
}

/// The master key with its published part. Nothing prints or copies the secret.
#[pyclass(frozen, module = "halflight._native")]
pub struct Authority {
    inner: roles::Authority,
    published: Arc<Published>,
}

impl From<roles::Authority> for Authority {
    fn from(inner: roles::Authority) -> Self {
        let published = Arc::new(inner.published().clone());
        Self { inner, published }
    }
}

#[pymethods]
impl Authority {
    #[staticmethod]
    fn setup(py: Python<'_>, encoder: &Encoder) -> PyResult<Self> {
        let encoder = (*encoder.inner).clone();
        detached(py, || roles::Authority::setup(encoder))?.map(Self::from).map_err(refused)
    }

    /// Opens a master key file; `secret` is a passphrase, or an age identity if `identity`.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, secret: String, identity: bool, public: &Parameters) -> PyResult<Self> {
        let unlock = if identity { Unlock::identity(&secret).map_err(raise)? } else { Unlock::passphrase(secret) };
        let master = detached(py, || keyfile::load_master_key(&path, &unlock))?.map_err(raise)?;
        roles::Authority::open(master, (*public.published).clone()).map(Self::from).map_err(refused)
    }

    /// Writes the master key; `secret` is a passphrase, or an age recipient if `recipient`.
    fn save_master(&self, py: Python<'_>, path: PathBuf, secret: String, recipient: bool) -> PyResult<()> {
        let lock = if recipient { Lock::recipient(&secret).map_err(raise)? } else { Lock::passphrase(secret) };
        detached(py, || self.inner.save_master(&path, &lock))?.map_err(raise)
    }

    #[getter]
    fn parameters(&self) -> Parameters {
        Parameters { published: Arc::clone(&self.published) }
    }

    fn issue(&self, py: Python<'_>, network: &CompiledNetwork) -> PyResult<FunctionalKey> {
        let key = detached(py, || self.inner.issue(&network.inner))?.map_err(refused)?;
        Ok(FunctionalKey { inner: Arc::new(key) })
    }
}

fn unpublished(error: PublishedError) -> PyErr {
    match error {
        PublishedError::File(error) => raise(error),
        other => exception(IssueError::CLASS, "Inputs", &other.to_string()),
    }
}

fn refused(error: IssueError) -> PyErr {
    match error {
        IssueError::Encoder => {
            let message = "the network has another encoder than this authority publishes: compile it for the same \
                           encoder (drop_dead=False keeps all inputs), or set up an authority for it";
            exception(IssueError::CLASS, "Encoder", message)
        }
        other => raise(other),
    }
}

/// Opens one function on every ciphertext of its public key.
#[pyclass(frozen, module = "halflight._native")]
pub struct FunctionalKey {
    pub(crate) inner: Arc<qfe::FunctionalKey>,
}

#[pymethods]
impl FunctionalKey {
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        let key = detached(py, || qfe::FunctionalKey::from_bytes(bytes))?.map_err(raise)?;
        Ok(Self { inner: Arc::new(key) })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.to_bytes())
    }

    /// Checks the key against the public key, without a secret.
    fn verify(&self, py: Python<'_>, public: &Parameters) -> PyResult<()> {
        detached(py, || public.published.key().verify(&self.inner))?.map_err(raise)
    }

    #[getter]
    fn public_key(&self) -> String {
        self.inner.public_key_id().to_string()
    }

    #[getter]
    fn outputs(&self) -> usize {
        self.inner.map().outputs()
    }
}

/// Exact dimension of the span of all forms of these networks over one encoder.
#[pyfunction]
pub fn rank(py: Python<'_>, networks: Vec<Py<CompiledNetwork>>) -> PyResult<usize> {
    let networks: Vec<_> = networks.iter().map(|network| network.get().inner.clone()).collect();
    let Some(first) = networks.first() else { return Ok(0) };
    let (n, m) = first.inputs();
    detached(py, || {
        let mut span = FormSpan::new(n, m);
        networks.iter().try_for_each(|network| span.insert(network.map()).map(drop))?;
        Ok(span.rank())
    })?
    .map_err(|error: qfe::MapError| raise(error))
}
