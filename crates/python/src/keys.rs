//! The authority's keys, what it publishes, and what it issues.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use host::Progress;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use qfe::{Encryptor, FormSpan, MasterKey, PublicKey};
use roles::keyfile::{self, Lock, Unlock};

use crate::compiled::CompiledNetwork;
use crate::encoder::Encoder;
use crate::error::{exception, raise};

/// What the authority publishes: the public key and the encoder of its inputs.
#[pyclass(frozen, module = "halflight._native")]
pub struct Parameters {
    pub(crate) key: Arc<PublicKey>,
    pub(crate) encoder: Arc<encoder::Encoder>,
    pub(crate) tables: Tables,
}

/// Multiples of the public key's points, made at the first encryption and kept.
#[derive(Clone, Default)]
pub struct Tables(Arc<OnceLock<Encryptor>>);

impl Tables {
    pub(crate) fn of(&self, key: &PublicKey, progress: &dyn Progress) -> &Encryptor {
        self.0.get_or_init(|| Encryptor::new(key, progress))
    }
}

#[pymethods]
impl Parameters {
    #[staticmethod]
    fn from_bytes(py: Python<'_>, key: &[u8], encoder: &Encoder) -> PyResult<Self> {
        let key = py.detach(|| PublicKey::from_bytes(key)).map_err(raise)?;
        if key.inputs() != encoder.inner.inputs() {
            let message = format!(
                "the encoder makes {:?} inputs and the public key encrypts {:?}: fetch both from the authority again",
                encoder.inner.inputs(),
                key.inputs()
            );
            return Err(exception("KeyMismatch", "Inputs", &message));
        }
        Ok(Self { key: Arc::new(key), encoder: encoder.inner.clone(), tables: Tables::default() })
    }

    fn key_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.key.to_bytes())
    }

    #[getter]
    fn encoder(&self) -> Encoder {
        Encoder { inner: self.encoder.clone() }
    }

    #[getter]
    fn id(&self) -> String {
        self.key.id().to_string()
    }

    #[getter]
    fn inputs(&self) -> (usize, usize) {
        self.key.inputs()
    }
}

/// The master key with what is published beside it. Nothing prints or copies the secret.
#[pyclass(frozen, module = "halflight._native")]
pub struct Authority {
    master: Arc<MasterKey>,
    public: Parameters,
}

#[pymethods]
impl Authority {
    #[staticmethod]
    fn setup(py: Python<'_>, encoder: &Encoder) -> PyResult<Self> {
        let (n, m) = encoder.inner.inputs();
        let (master, key) = py.detach(|| qfe::setup(n, m, &mut rand::rng())).map_err(raise)?;
        let public = Parameters { key: Arc::new(key), encoder: encoder.inner.clone(), tables: Tables::default() };
        Ok(Self { master: Arc::new(master), public })
    }

    /// Opens a master key file; `secret` is a passphrase, or an age identity if `identity`.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, secret: String, identity: bool, public: &Parameters) -> PyResult<Self> {
        let unlock = if identity { Unlock::identity(&secret).map_err(raise)? } else { Unlock::passphrase(secret) };
        let master = py.detach(|| keyfile::load_master_key(&path, &unlock)).map_err(raise)?;
        if master.id() != public.key.id() {
            let message = format!("the master key belongs to public key {}, not to {}", master.id(), public.key.id());
            return Err(exception("KeyMismatch", "PublicKey", &message));
        }
        let Parameters { key, encoder, tables } = public;
        let public = Parameters { key: key.clone(), encoder: encoder.clone(), tables: tables.clone() };
        Ok(Self { master: Arc::new(master), public })
    }

    /// Writes the master key; `secret` is a passphrase, or an age recipient if `recipient`.
    fn save_master(&self, py: Python<'_>, path: PathBuf, secret: String, recipient: bool) -> PyResult<()> {
        let lock = if recipient { Lock::recipient(&secret).map_err(raise)? } else { Lock::passphrase(secret) };
        py.detach(|| keyfile::save_master_key(&path, &self.master, &lock)).map_err(raise)
    }

    #[getter]
    fn parameters(&self) -> Parameters {
        let Parameters { key, encoder, tables } = &self.public;
        Parameters { key: key.clone(), encoder: encoder.clone(), tables: tables.clone() }
    }

    fn issue(&self, py: Python<'_>, network: &CompiledNetwork) -> PyResult<FunctionalKey> {
        if network.inner.encoder() != &*self.public.encoder {
            let message = "the network has another encoder than this authority publishes: compile it for the same \
                           encoder (drop_dead=False keeps all inputs), or set up an authority for it";
            return Err(exception("KeyMismatch", "Encoder", message));
        }
        let key = py.detach(|| self.master.issue(network.inner.map())).map_err(raise)?;
        Ok(FunctionalKey { inner: Arc::new(key) })
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
        let key = py.detach(|| qfe::FunctionalKey::from_bytes(bytes)).map_err(raise)?;
        Ok(Self { inner: Arc::new(key) })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.to_bytes())
    }

    /// Checks the key against the public key, without a secret.
    fn verify(&self, py: Python<'_>, public: &Parameters) -> PyResult<()> {
        py.detach(|| public.key.verify(&self.inner)).map_err(raise)
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
    py.detach(|| {
        let mut span = FormSpan::new(n, m);
        networks.iter().try_for_each(|network| span.insert(network.map()).map(drop))?;
        Ok(span.rank())
    })
    .map_err(|error: qfe::MapError| raise(error))
}
